// What the simulated carriers understand and say: the wire formats of built-in profiles (tests/support/virtual_wire.h),
// and the JSON of the simulation's own profiles.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/transport.h"
#include "tests/support/virtual_wire.h"

namespace remitod::sim {

/// A request as its carrier understands it.
struct Request {
  enum class Kind : std::uint8_t { track, create, find, cancel, login };
  std::string carrier;
  Kind kind = Kind::track;
  std::vector<std::string> remitos;  ///< track, cancel
  std::string order_number;          ///< create, where the carrier is told
  std::string client_ref;            ///< create and find, likewise
  std::string token;                 ///< of the session that it is made in; or empty

  std::string in_words() const;
};

/// Throws where no carrier is known at the request's address.
Request read_request(const carriers::HttpRequest& request);

// In the JSON of the simulation's own carriers.
carriers::FetchResult json_tracking(std::span<const test::WireEvent> history, std::string_view trace);
carriers::FetchResult json_number(const std::string& remito);
carriers::FetchResult json_cancelled();
carriers::FetchResult json_refused(std::string_view why);
carriers::FetchResult json_none();
carriers::FetchResult json_token(const std::string& token);
carriers::FetchResult json_login_wanted();

}  // namespace remitod::sim
