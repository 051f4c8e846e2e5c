// Remitos that do not come with the answer to a create request: out of a range of numbers that the carrier gives ahead
// ([create.range]), or granted only after a while ([confirm]). Pure; the daemon keeps the ranges and looks again.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/profile.h"
#include "carriers/request.h"

namespace remitod::carriers {

// ---------------------------------------------------------------- numbers given ahead

struct RangeNeeds {
  std::int64_t low_water = 0;  ///< with fewer numbers left it is time for the next range
  bool can_ask = false;        ///< the carrier gives ranges on request; else people state them
  bool tells_carrier = false;  ///< a create request takes the number to the carrier; else taking one grants the request
};
/// Absent: the carrier gives its numbers otherwise.
std::optional<RangeNeeds> range_needs(const Profile& profile);

/// The remito that a number of the range becomes, with its check digit; nothing where the carrier leaves it out.
std::optional<std::string> remito_of_number(const Profile& profile, std::string_view number);

/// Asks the carrier for the next range. Marked fresh_connection: a range that is lost on the way is lost.
std::expected<HttpRequest, RequestError> build_range(const Profile& profile, const Call& call);

/// First and last number, both included, as the carrier writes them.
struct NumberBlock {
  std::string first, last;
};
inline constexpr std::size_t number_blocks_max = 10'000;
/// Never empty.
std::expected<std::vector<NumberBlock>, CarrierTrouble> map_range(const Profile& profile, const HttpAnswer& answer);

/// What a create request would refuse before it is sent, for carriers that are told nothing.
std::expected<void, RequestError> check_order(const Profile& profile, const CreateOrder& order);

// ---------------------------------------------------------------- granted later

struct ConfirmationPace {
  std::chrono::milliseconds interval{};       ///< between two looks
  std::chrono::milliseconds give_up_after{};  ///< since it was accepted
};
/// Absent: what the carrier accepts it has granted.
std::optional<ConfirmationPace> confirmation_pace(const Profile& profile);

/// `order.remito` is the number that the carrier told before the grant, if it did.
std::expected<HttpRequest, RequestError> build_confirm(const Profile& profile, const CreateOrder& order,
                                                       const Call& call);

struct ConfirmAnswer {
  enum class Kind : std::uint8_t {
    granted,  ///< `remito` is set
    refused,  ///< `refusal_code`, `refusal_text` in the carrier's words
    pending,  ///< not decided yet
    unclear,  ///< nothing is said: `refusal_text` tells what was seen
  };
  Kind kind = Kind::unclear;
  std::string remito;
  std::string refusal_code;
  std::string refusal_text;
};
ConfirmAnswer map_confirm(const Profile& profile, const HttpAnswer& answer, const CreateOrder& order);

}  // namespace remitod::carriers
