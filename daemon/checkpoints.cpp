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
  for (const db::LaneCheckpoint& checkpoint : *checkpoints) remembered.add(checkpoint);
  remembered.learned_ = std::move(*learned);
  return remembered;
}

void Remembered::add(const db::LaneCheckpoint& checkpoint) {
  wishes_[checkpoint.carrier] = {
      {checkpoint.polls_wished_until.value_or(Instant{}), checkpoint.orders_wished_until.value_or(Instant{})},
      checkpoint.saved_at};
  if (auto asked = scheduler::Lane::restore(checkpoint.asked))
    asked_.emplace(checkpoint.carrier, std::move(*asked));
  else
    log(Level::warning, "checkpoint_unreadable", {{"carrier", checkpoint.carrier}});
}

Instant Remembered::last_asked(const db::OpenShipment& shipment) const {
  const auto carrier = asked_.find(shipment.carrier);
  if (carrier == asked_.end()) return {};
  const auto found =
      std::ranges::lower_bound(carrier->second, shipment.shipment_id, {}, &scheduler::Lane::Asked::shipment_id);
  return found != carrier->second.end() && found->shipment_id == shipment.shipment_id ? found->last_asked : Instant{};
}

void Remembered::restore_lanes(Poller& poller) const {
  for (const auto& [carrier, wishes] : wishes_) poller.restore_wishes(carrier, wishes.told, wishes.saved_at);
  for (const db::LearnedSchedule& learned : learned_)
    if (!poller.restore_lessons(learned.carrier, {learned.earlier, learned.recent}))
      log(Level::warning, "lessons_unreadable", {{"carrier", learned.carrier}});
}

namespace {

db::LaneCheckpoint checkpoint_of(const std::string& carrier, const scheduler::Lane& lane, Instant now) {
  const auto stored = [](Instant wished) { return wished == Instant{} ? std::nullopt : std::optional(wished); };
  const scheduler::Lane::Wishes wishes = lane.wishes();
  return {carrier, lane.checkpoint(), stored(wishes.polls), stored(wishes.orders), now};
}

}  // namespace

void Checkpoints::save(const std::string& carrier, std::function<void()> then) {
  const scheduler::Lane* lane = poller_.lane(carrier);
  if (!lane) return then();
  executor_.run<bool>(
      [carrier, checkpoint = checkpoint_of(carrier, *lane, runtime_.now()), lessons = poller_.lessons(carrier),
       now = runtime_.now()](db::Session& session) -> db::DbResult<bool> {
        if (auto saved = db::save_lane_checkpoint(session, checkpoint); !saved) return std::unexpected(saved.error());
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
