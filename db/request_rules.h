// What decides over new rows of remito_requests before anything is sent. Pure, so that both engines decide alike and
// the rules can be read in one place; request_store.cpp brings the rows and writes the decisions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace remitod::db {

/// A row as the platform inserted it.
struct NewRequest {
  std::int64_t request_id = 0;
  std::string request_key;
  std::string order_number;
  std::int64_t parcel_group = 1;
  std::string carrier;
  std::string payload;
};

/// A request that still may bring, or has brought, a parcel of its order on its way: pending, sending, accepted,
/// unknown, or granted with a shipment that has not ended.
struct ActiveRequest {
  std::string request_key;
  std::string order_number;
  std::int64_t parcel_group = 1;
  std::string state;
};

/// Why we refuse a request ourselves. The codes are part of the public contract (README.md).
struct Refusal {
  std::string code;
  std::string text;
  /// Does the order hear of it as a `remito_refused` transition? Not when another request still acts for the same
  /// parcels: that would take an order back whose remito is on its way or granted.
  bool moves_order = true;
};

struct Acceptance {
  std::int64_t request_id = 0;
  std::string client_ref;
  std::optional<Refusal> refusal;  ///< absent: the request becomes `pending`
};

inline constexpr std::string_view refusal_invalid_request = "invalid_request";
inline constexpr std::string_view refusal_duplicate_request = "duplicate_request";
inline constexpr std::string_view refusal_unknown_carrier = "unknown_carrier";
inline constexpr std::size_t payload_bytes_max = 256 * 1024;

/// One decision per row, in the order given, which is the order of ids: of two new requests for the same parcels the
/// first acceptable one wins.
std::vector<Acceptance> decide(std::span<const NewRequest> requests, std::span<const ActiveRequest> active);

/// Our reference in the carrier's system: "R12-ORDER1001". At most 30 characters of [A-Z0-9-], the same in every
/// attempt because it depends on nothing else, and unique because the request's id stands in front, closed by '-'.
std::string client_ref(std::int64_t request_id, std::string_view order_number);

}  // namespace remitod::db
