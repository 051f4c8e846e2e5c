// Threads that decode and map answers, so that a batch of 10 MB, or an expression that takes seconds, holds up nothing
// but its carrier.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/runtime.h"

namespace remitod::daemon {

class WorkerPool final : public Offload {
 public:
  /// So many queues can be slow at once before a quick one has to wait.
  static constexpr std::size_t threads_default = 4;

  /// Results go to `runtime`, those of one turn of a thread in one post.
  explicit WorkerPool(Runtime& runtime, std::size_t threads = threads_default);
  ~WorkerPool() override;  ///< waits for what is being done and drops what waits
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  void run(std::string_view queue, Work work) override;

 private:
  struct Queue {
    std::vector<Work> waiting;
    bool in_turn = false;  ///< has a thread, or stands in turns_
  };
  void loop();
  void do_works(std::vector<Work>& works);

  Runtime& runtime_;
  std::mutex mutex_;  ///< guards what follows, but for the threads
  std::condition_variable wake_;
  std::map<std::string, Queue, std::less<>> queues_;  ///< one for each carrier: they stay
  std::deque<Queue*> turns_;                          ///< the queues with work and without a thread
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace remitod::daemon
