// What the answer to one step of a login gave. Private to carriers/.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/mapping.h"

namespace remitod::carriers {

struct LoginAnswer {
  std::vector<std::string> values;  ///< of the step's sources; empty only where `optional_value` says so
  std::optional<Instant> ends_at;
};

/// `optional_value`: the place among the session's values that may stay empty. Trouble quotes nothing of the body but
/// what the profile reads as its error.
std::expected<LoginAnswer, CarrierTrouble> read_login(const LoginStep& step, const HttpAnswer& answer,
                                                      std::optional<std::size_t> optional_value, Instant now);

}  // namespace remitod::carriers
