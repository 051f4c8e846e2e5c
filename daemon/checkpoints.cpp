#include "daemon/checkpoints.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"

namespace remitod::daemon {

db::DbResult<Remembered> Remembered::load(db::Session& session) {
  auto checkpoints = db::load_lane_checkpoints(session);
  if (!checkpoints) return std::unexpected(checkpoints.error());
  auto learned = db::load_learned_schedules(session);
  if (!learned) return std::unexpected(learned.error());
  Remembered remembered;
  for (const db::LaneCheckpoint& checkpoint : *checkpoints) remembered.add(checkpoint.carrier, checkpoint.asked);
  remembered.learned_ = std::move(*learned);
  return remembered;
}

void Remembered::add(std::string_view carrier, std::string_view checkpoint) {
  if (auto asked = scheduler::Lane::restore(checkpoint))
    asked_.emplace(carrier, std::move(*asked));
  else
    log(Level::warning, "checkpoint_unreadable", {{"carrier", carrier}});
}

Instant Remembered::last_asked(const db::OpenShipment& shipment) const {
  const auto carrier = asked_.find(shipment.carrier);
  if (carrier == asked_.end()) return {};
  const auto found =
      std::ranges::lower_bound(carrier->second, shipment.shipment_id, {}, &scheduler::Lane::Asked::shipment_id);
  return found != carrier->second.end() && found->shipment_id == shipment.shipment_id ? found->last_asked : Instant{};
}

void Remembered::restore_lessons(Poller& poller) const {
  for (const db::LearnedSchedule& learned : learned_)
    if (!poller.restore_lessons(learned.carrier, {learned.earlier, learned.recent}))
      log(Level::warning, "lessons_unreadable", {{"carrier", learned.carrier}});
}

void Checkpoints::save(const std::string& carrier, std::function<void()> then) {
  const scheduler::Lane* lane = poller_.lane(carrier);
  if (!lane) return then();
  executor_.run<bool>(
      [carrier, asked = lane->checkpoint(), lessons = poller_.lessons(carrier),
       now = runtime_.now()](db::Session& session) -> db::DbResult<bool> {
        if (auto saved = db::save_lane_checkpoint(session, carrier, asked, now); !saved)
          return std::unexpected(saved.error());
        if (!lessons) return true;
        if (auto saved = db::save_learned_schedule(session, {carrier, lessons->earlier, lessons->recent}, now); !saved)
          return std::unexpected(saved.error());
        return true;
      },
      [this, carrier, then = std::move(then)](const db::DbResult<bool>& saved) {
        if (!saved) {
          poller_.lessons_lost(carrier);
          log(Level::warning, "checkpoint_delayed", {{"carrier", carrier}, {"error", saved.error().message}});
        }
        then();
      });
}

}  // namespace remitod::daemon
