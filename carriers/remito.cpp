#include "carriers/remito.h"

#include <cstdlib>

#include "carriers/compiled.h"
#include "carriers/parcels.h"
#include "carriers/payload.h"

namespace remitod::carriers {

std::optional<RangeNeeds> range_needs(const Profile& profile) {
  const auto& create = profile.compiled().create;
  if (!create || !create->range) return std::nullopt;
  return RangeNeeds{create->range->low_water, create->range->operation.has_value(), create->is_sent};
}

std::optional<std::string> remito_of_number(const Profile& profile, std::string_view number) {
  const auto& create = profile.compiled().create;
  if (!create || !create->range) std::abort();
  return remito_of(create->range->number, number);
}

std::expected<void, RequestError> check_order(const Profile& profile, const CreateOrder& order) {
  if (!profile.can_create()) std::abort();
  const CreateOperation& create = *profile.compiled().create;
  std::expected<JsonValue, RequestError> payload = read_payload(order.payload);
  if (!payload) return std::unexpected(payload.error());
  if (auto error = apply_parcel_rules(*payload, create.parcels, profile.title()))
    return std::unexpected(*std::move(error));
  if (auto missing = first_missing(*payload, create.required, profile.title()))
    return std::unexpected(*std::move(missing));
  return {};
}

std::optional<ConfirmationPace> confirmation_pace(const Profile& profile) {
  const auto& confirm = profile.compiled().confirm;
  if (!confirm) return std::nullopt;
  return ConfirmationPace{confirm->interval, confirm->give_up_after};
}

}  // namespace remitod::carriers
