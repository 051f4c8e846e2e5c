#include "db/cancel_rules.h"

#include <algorithm>
#include <array>

#include "carriers/tracking.h"

namespace remitod::db {
namespace {

using Kind = CancelDecision::Kind;

CancelDecision refuse(std::string_view code, std::string text) {
  return {Kind::refused, code, std::move(text)};
}

/// The carrier may have made a shipment, or may be asked for one.
bool is_underway(std::string_view request_state) {
  constexpr std::array<std::string_view, 5> states{"new", "sending", "accepted", "unknown", "needs_operator"};
  return std::ranges::find(states, request_state) != states.end();
}

}  // namespace

CancelDecision decide(const CancelSituation& situation, std::span<const std::string> cancelling) {
  if (situation.order_number.find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse("invalid_request", "order_number is empty");
  if (situation.has_forerunner)
    return refuse("duplicate_request", "another cancellation of these parcels is still open");
  if (situation.request_state == "pending") return {Kind::stop_request};
  if (is_underway(situation.request_state)) return {Kind::wait};
  if (situation.shipment_id == 0) return refuse("nothing_to_cancel", "the order has no shipment");
  if (situation.status == name(Status::cancelled)) return {Kind::already_so};
  const auto status = status_from(situation.status);
  if (situation.shipment_ended || (status && is_terminal(*status)))
    return refuse("already_ended", "the shipment is " + situation.status);
  if (std::ranges::find(cancelling, situation.carrier) == cancelling.end())
    return refuse("cannot_cancel",
                  "carrier " + situation.carrier + " takes no cancellations here: tell it by other means");
  return {Kind::ask_carrier};
}

}  // namespace remitod::db
