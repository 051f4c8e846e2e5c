// A thread that decodes and maps answers, so that a 10 MB batch holds up nothing but its carrier.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/runtime.h"

namespace remitod::daemon {

class WorkerThread final : public Offload {
 public:
  /// Results go to `runtime`, those of one turn of the thread in one post.
  explicit WorkerThread(Runtime& runtime);
  ~WorkerThread() override;  ///< drops what waits
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  void run(Work work) override;

 private:
  void loop();

  Runtime& runtime_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Work> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace remitod::daemon
