#include "daemon/worker_thread.h"

#include <utility>

namespace remitod::daemon {

WorkerThread::WorkerThread(Runtime& runtime) : runtime_(runtime), thread_([this] { loop(); }) {}

WorkerThread::~WorkerThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_one();
  thread_.join();
}

void WorkerThread::run(Work work) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = queue_.empty();
    queue_.push_back(std::move(work));
  }
  if (was_empty) wake_.notify_one();
}

void WorkerThread::loop() {
  // A result waits for at most this many others before it is brought back.
  constexpr std::size_t results_per_post = 64;
  std::vector<Work> turn;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      turn.swap(queue_);
    }
    std::vector<Runtime::Task> results;
    const auto bring_back = [&] {
      runtime_.post([batch = std::exchange(results, {})]() mutable {
        for (Runtime::Task& task : batch) task();
      });
    };
    for (Work& work : turn) {
      results.push_back(work());
      if (results.size() == results_per_post) bring_back();
    }
    if (!results.empty()) bring_back();
    turn.clear();
  }
}

}  // namespace remitod::daemon
