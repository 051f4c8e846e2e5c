#include "carriers/parcels.h"

#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace remitod::carriers {

namespace {

/// 1 to order_parcels_max; nothing where the quantity is no such number.
std::optional<int> quantity_of(const JsonValue& entry) {
  const JsonValue* const quantity = entry.find("quantity");
  if (!quantity || quantity->is_empty()) return 1;
  const std::string& digits = quantity->text;
  int count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  const bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!is_whole || count < 1 || count > order_parcels_max) return std::nullopt;
  return count;
}

}  // namespace

std::optional<RequestError> apply_parcel_rules(JsonValue& payload, const ParcelRules& rules, std::string_view carrier) {
  const auto parcels = payload.members.find("parcels");
  if (parcels == payload.members.end() || (rules.max == 0 && !rules.each)) return std::nullopt;
  std::vector<JsonValue>& entries = parcels->second.items;
  std::vector<JsonValue> apart;
  int total = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::optional<int> quantity = quantity_of(entries[i]);
    if (!quantity || total + *quantity > order_parcels_max)
      return RequestError{"parcels." + std::to_string(i) + ".quantity",
                          "expected a whole number, and at most " + std::to_string(order_parcels_max) + " parcels"};
    total += *quantity;
    if (!rules.each) continue;
    entries[i].members.erase("quantity");
    apart.insert(apart.end(), static_cast<std::size_t>(*quantity), entries[i]);
  }
  if (rules.max != 0 && total > rules.max)
    return RequestError{"parcels", std::to_string(total) + " parcels, and " + std::string(carrier) + " takes at most " +
                                       std::to_string(rules.max) + " in a shipment"};
  if (rules.each) entries = std::move(apart);
  return std::nullopt;
}

std::optional<int> count_parcels(const JsonValue& payload) {
  const JsonValue* const parcels = payload.find("parcels");
  if (!parcels || parcels->items.empty()) return std::nullopt;
  int total = 0;
  for (const JsonValue& entry : parcels->items) {
    const std::optional<int> quantity = quantity_of(entry);
    if (!quantity) return std::nullopt;
    total += *quantity;
  }
  return total;
}

}  // namespace remitod::carriers
