// Where the deciding thread and a transport's loop meet. Private to carriers/.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "carriers/transport_queue.h"

namespace remitod::carriers {

/// Hands submissions to the loop and its completions back, both in batches. Lives on in the batches that are still to
/// be delivered, so it is shared.
class TransportGate : public std::enable_shared_from_this<TransportGate> {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;
  /// `wake` ends the loop's sleep, the present one or else the next; it costs a system call and is called only when the
  /// loop sleeps.
  TransportGate(Post post, std::function<void()> wake) : post_(std::move(post)), wake_(std::move(wake)) {}

  // From any thread.
  /// After stop(), the answer is FetchError::Kind::stopped.
  void submit(Submission&& submission);
  void stop();

  // For the loop.
  /// Replaces `into` by what was submitted since the last call; false when the loop is to stop.
  bool take(std::vector<Submission>& into);
  /// False when there is something to take. When true, the loop sleeps now.
  bool fall_asleep();
  /// Has the callbacks called on the deciding thread, and leaves `batch` empty; an empty batch is none.
  void deliver(std::vector<Completion>& batch);

 private:
  class Staging;
  std::vector<Submission> spare_submissions();
  void hand_over(std::vector<Submission>& submissions);

  const Post post_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<Submission> submitted_;  ///< guarded by mutex_, like the rest
  // Empty; their memory serves the next batch.
  std::vector<Completion> spare_batch_;
  std::vector<Submission> spare_submissions_;
  bool asleep_ = false;
  bool stopping_ = false;
};

}  // namespace remitod::carriers
