#include "daemon/worker_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace remitod::daemon {

WorkerPool::WorkerPool(Runtime& runtime, std::size_t threads) : runtime_(runtime) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run(std::string_view name, Work work) {
  {
    const std::lock_guard lock(mutex_);
    auto found = queues_.find(name);
    if (found == queues_.end()) found = queues_.emplace(name, Queue{}).first;
    Queue& queue = found->second;
    queue.waiting.push_back(std::move(work));
    if (std::exchange(queue.in_turn, true)) return;
    turns_.push_back(&queue);
  }
  wake_.notify_one();
}

void WorkerPool::loop() {
  // A result waits for at most this many others before it is brought back, and a queue so long for its next turn.
  constexpr std::ptrdiff_t works_per_turn = 64;
  std::vector<Work> works;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !turns_.empty(); });
    if (stopping_) return;
    Queue& queue = *turns_.front();
    turns_.pop_front();
    const auto end = queue.waiting.begin() + std::min(std::ssize(queue.waiting), works_per_turn);
    works.assign(std::move_iterator(queue.waiting.begin()), std::move_iterator(end));
    queue.waiting.erase(queue.waiting.begin(), end);

    lock.unlock();
    do_works(works);
    lock.lock();

    queue.in_turn = !queue.waiting.empty();
    if (queue.in_turn) turns_.push_back(&queue);
  }
}

void WorkerPool::do_works(std::vector<Work>& works) {
  std::vector<Runtime::Task> results;
  results.reserve(works.size());
  for (Work& work : works) results.push_back(work());
  works.clear();
  runtime_.post([results = std::move(results)]() mutable {
    for (Runtime::Task& task : results) task();
  });
}

}  // namespace remitod::daemon
