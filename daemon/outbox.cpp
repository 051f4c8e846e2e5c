#include "daemon/outbox.h"

#include <utility>

#include "daemon/log.h"
#include "daemon/sink_event.h"

namespace remitod::daemon {
namespace {

constexpr std::size_t transitions_per_dispatch = 1000;
constexpr std::chrono::seconds database_retry{2};

void tell(const db::Transition& transition) {
  log(Level::info, "transition",
      {{"seq", transition.seq},
       {"subject", transition.subject},
       {"order", transition.order_number},
       {"parcel_group", transition.parcel_group},
       {"carrier", transition.carrier},
       {"remito", transition.remito},
       {"from", transition.from},
       {"to", transition.to},
       {"label", transition_label(transition.to)},
       {"reason", transition.reason},
       {"attempt", transition.attempt},
       {"text", transition.text},
       {"occurred_at", transition.occurred_at ? to_iso8601(*transition.occurred_at) : ""},
       {"detected_at", to_iso8601(transition.detected_at)},
       {"inferred", transition.inferred},
       {"late", transition.late},
       {"correction", transition.correction},
       {"backfill", transition.backfill}});
}

}  // namespace

Outbox::Outbox(Runtime& runtime, db::Executor& executor, std::function<void()> told)
    : runtime_(runtime), executor_(executor), told_(std::move(told)), retry_(runtime.alarm([this] { kick(); })) {}

void Outbox::kick() {
  if (running_) {
    again_ = true;
    return;
  }
  running_ = true;
  executor_.run<std::vector<db::Transition>>(
      [now = runtime_.now()](db::Session& session) {
        return db::dispatch_transitions(session, now, transitions_per_dispatch);
      },
      [this](db::DbResult<std::vector<db::Transition>> result) { dispatched(std::move(result)); });
}

void Outbox::dispatched(db::DbResult<std::vector<db::Transition>> result) {
  running_ = false;
  database_trouble_ = !result;
  if (!result) {
    log(Level::error, "transitions_delayed", {{"error", result.error().message}});
    retry_->set(runtime_.in(database_retry));
    return;
  }
  for (const db::Transition& transition : *result) {
    tell(transition);
    last_seq_ = transition.seq;
  }
  if (!result->empty()) told_();
  if (std::exchange(again_, false) || result->size() == transitions_per_dispatch) kick();
}

}  // namespace remitod::daemon
