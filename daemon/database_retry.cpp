#include "daemon/database_retry.h"

#include <algorithm>
#include <utility>

namespace remitod::daemon {
namespace {

constexpr std::chrono::seconds pause_first{1}, pause_max{30};

}  // namespace

DatabaseRetry::DatabaseRetry(Runtime& runtime, Runtime::Task again)
    : runtime_(runtime), again_(std::move(again)), alarm_(runtime.alarm([this] {
        waits_ = false;
        again_();
      })) {}

void DatabaseRetry::wait() {
  pause_ = std::clamp(pause_ * 2, pause_first, pause_max);
  waits_ = true;
  alarm_->set(runtime_.in(pause_));
}

bool DatabaseRetry::done() {
  return std::exchange(pause_, {}).count() != 0;
}

bool DatabaseRetry::stop() {
  alarm_->cancel();
  return std::exchange(waits_, false);
}

}  // namespace remitod::daemon
