#include "daemon/raw_keeper.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {
constexpr std::size_t waiting_max = 100;
constexpr std::chrono::seconds pause{1};
}  // namespace

RawKeeper::RawKeeper(Runtime& runtime, db::Executor& executor)
    : runtime_(runtime), executor_(executor), alarm_(runtime.alarm([this] { flush(); })) {}

void RawKeeper::keep(db::RawAnswer answer) {
  const bool known = std::ranges::any_of(waiting_, [&](const db::RawAnswer& other) {
    return other.carrier == answer.carrier && other.why == answer.why && other.remito == answer.remito;
  });
  if (known || waiting_.size() == waiting_max) {
    ++dropped_;
    return;
  }
  if (waiting_.empty()) alarm_->set(runtime_.in(pause));
  waiting_.push_back(std::move(answer));
}

void RawKeeper::flush() {
  executor_.run<bool>(
      [answers = std::exchange(waiting_, {}), now = runtime_.now()](db::Session& session) -> db::DbResult<bool> {
        if (auto kept = db::keep_raw_answers(session, answers, now); !kept) return std::unexpected(kept.error());
        return true;
      },
      [](db::DbResult<bool> result) {
        if (!result) log(Level::warning, "raw_answers_lost", {{"error", result.error().message}});
      });
}

}  // namespace remitod::daemon
