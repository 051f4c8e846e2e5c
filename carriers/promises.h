// What a carrier promises about the making of shipments, and so what can be done when nobody knows whether a create
// request has made one. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "carriers/profile.h"

namespace remitod::carriers {

struct Promises {
  bool can_find = false;  ///< it can be asked for the shipment with our reference ([find])
  /// What it makes is found so long after at the latest. Absent: not being found proves nothing.
  std::optional<std::chrono::milliseconds> visible_after{};
  /// Create requests with one key make one shipment, for so long after the first. Absent: each makes its own.
  std::optional<std::chrono::milliseconds> key_window{};
  /// The remito is a number that the carrier thinks of: neither the order's nor one of a range.
  bool chooses_remito = false;
  /// The key is the order's number, and the remito one of its own: to an order that asks again after a cancellation it
  /// tells the old one.
  bool repeats_by_order = false;
};
Promises promises(const Profile& profile);

/// The parcels of an order, an entry standing for as many as its `quantity`. Absent where the payload does not say.
std::optional<int> parcels_of(std::string_view payload);

}  // namespace remitod::carriers
