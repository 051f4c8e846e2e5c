#include "daemon/intake.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"
#include "db/unheard_commits.h"

namespace remitod::daemon {
namespace {
constexpr std::size_t shipments_per_sweep = 5000;
constexpr std::chrono::seconds slow_sweep{30};
constexpr std::chrono::seconds database_retry{2};
}  // namespace

Intake::Intake(Runtime& runtime, db::Executor& executor, Hooks hooks)
    : runtime_(runtime), executor_(executor), hooks_(std::move(hooks)), alarm_(runtime.alarm([this] { wake(); })) {}

void Intake::start() {
  wake();
}

void Intake::wake() {
  if (stopping_) return;
  if (sweeping_)
    again_ = true;
  else
    sweep();
}

void Intake::sweep() {
  sweeping_ = true;
  const Instant now = runtime_.now();
  executor_.run<Found>(
      [now, first = first_, unheard_since = unheard_since_](db::Session& session) -> db::DbResult<Found> {
        Found found;
        auto shipments = db::accept_new_shipments(session, now, shipments_per_sweep);
        if (!shipments) return std::unexpected(shipments.error());
        found.full = shipments->size() == shipments_per_sweep;
        if (unheard_since) shipments = db::shipments_accepted_since(session, std::min(*unheard_since, now));
        if (!shipments) return std::unexpected(shipments.error());
        found.shipments = std::move(*shipments);
        auto resyncs = db::accept_resync_requests(session, now, first);
        if (!resyncs) return std::unexpected(resyncs.error());
        for (db::ResyncRequest& request : *resyncs) {
          auto scope = db::find_resync_scope(session, request.target, request.since);
          if (!scope) return std::unexpected(scope.error());
          auto missing = db::find_missing_target(session, request.target, *scope);
          if (!missing) return std::unexpected(missing.error());
          request.error = std::move(*missing);
          found.resyncs.emplace_back(std::move(request), std::move(*scope));
        }
        return found;
      },
      [this, now](db::DbResult<Found> result) { swept(now, std::move(result)); });
}

void Intake::swept(Instant begun, db::DbResult<Found> result) {
  sweeping_ = false;
  database_trouble_ = !result;
  if (!result) {
    log(Level::error, "intake_delayed", {{"error", result.error().message}});
    unheard_since_ = std::min(unheard_since_.value_or(begun), begun);
    first_ = true;
    alarm_->set(runtime_.in(database_retry));
    return;
  }
  first_ = false;
  unheard_since_.reset();
  if (!result->shipments.empty()) {
    log(Level::info, "shipments_taken_in", {{"shipments", result->shipments.size()}});
    hooks_.shipments(result->shipments);
  }
  for (auto& [request, scope] : result->resyncs) hooks_.resync(request, std::move(scope));
  hooks_.remito_requests();
  alarm_->set(runtime_.in(slow_sweep));
  if (std::exchange(again_, false) || result->full) wake();
}

void Intake::stop() {
  stopping_ = true;
  alarm_->cancel();
}

}  // namespace remitod::daemon
