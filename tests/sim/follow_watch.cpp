#include "tests/sim/follow_watch.h"

namespace remitod::sim {
namespace {

using std::chrono::minutes;

std::string in_minutes(std::chrono::microseconds time) {
  return std::to_string(time / minutes{1}) + " min";
}

}  // namespace

void FollowWatch::asked(const std::vector<std::string>& remitos, Instant now) {
  for (const std::string& remito : remitos) {
    Followed& shipment = followed(remito, now);
    check_end(remito, shipment, now);
    check_wait(remito, shipment, now);
    shipment.asked = mark(now);
  }
}

void FollowWatch::look(const std::vector<ShipmentRow>& shipments, Instant now) {
  for (const ShipmentRow& row : shipments) {
    if (row.carrier != carrier_) continue;
    Followed& shipment = followed(row.remito, now);
    if (row.terminal_at != shipment.terminal_at) {
      shipment.terminal_at = row.terminal_at;
      shipment.terminal = row.terminal_at ? std::optional(mark(now)) : std::nullopt;
    }
    if (row.ended_at && !shipment.ended) shipment.ended = now;
    if (!row.ended_at) check_wait(row.remito, shipment, now);
  }
}

void FollowWatch::check_wait(const std::string& remito, const Followed& shipment, Instant now) {
  if (shipment.ended) return;
  const auto silent = silence_.total(now) - shipment.asked.silence;
  // What came due in a silence comes later by as long as that was, but within an interval.
  const auto allowed =
      rules_.max_interval + rules_.patience + silent + (silent > minutes{1} ? rules_.max_interval : minutes{0});
  if (now - shipment.asked.at > allowed)
    broken("waited_too_long", carrier_ + ":" + remito + " waits since " + to_iso8601(shipment.asked.at) + ", " +
                                  in_minutes(now - shipment.asked.at) + " with " + in_minutes(silent) + " of silence");
}

void FollowWatch::check_end(const std::string& remito, const Followed& shipment, Instant now) {
  // Of an end that was committed unheard the lane hears in the next round of the house.
  if (shipment.ended && now > *shipment.ended + rules_.patience)
    broken("polled_after_end", carrier_ + ":" + remito + " ended, and is asked about");
  if (!shipment.terminal) return;
  const auto silent = silence_.total(now) - shipment.terminal->silence;
  if (now > shipment.terminal->at + rules_.tail + rules_.patience + 2 * rules_.max_interval + silent)
    broken("polled_after_end", carrier_ + ":" + remito + " is terminal since " + to_iso8601(shipment.terminal->at) +
                                   ", and is asked about");
}

}  // namespace remitod::sim
