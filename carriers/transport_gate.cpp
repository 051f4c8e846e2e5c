#include "carriers/transport_gate.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace remitod::carriers {

/// Holds back what the callbacks of a batch submit and hands it over when the last has returned: one lock, one wake-up.
class TransportGate::Staging {
 public:
  /// `buffer` is empty; its memory is used.
  Staging(TransportGate& gate, std::vector<Submission> buffer)
      : submissions(std::move(buffer)), gate_(gate), outer_(std::exchange(current_, this)) {}
  ~Staging() {
    current_ = outer_;
    gate_.hand_over(submissions);
    submissions.clear();
    const std::scoped_lock lock(gate_.mutex_);
    gate_.spare_submissions_.swap(submissions);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// The one of this thread, when it is delivering for this gate.
  static Staging* of(const TransportGate& gate) { return current_ && &current_->gate_ == &gate ? current_ : nullptr; }

  std::vector<Submission> submissions;

 private:
  static inline thread_local Staging* current_ = nullptr;
  TransportGate& gate_;
  Staging* outer_;
};

void TransportGate::submit(Submission&& submission) {
  if (Staging* staging = Staging::of(*this)) {
    staging->submissions.push_back(std::move(submission));
    return;
  }
  std::vector<Submission> one;
  one.push_back(std::move(submission));
  hand_over(one);
}

void TransportGate::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_();
}

bool TransportGate::take(std::vector<Submission>& into) {
  into.clear();
  const std::scoped_lock lock(mutex_);
  asleep_ = false;
  into.swap(submitted_);
  return !stopping_;
}

bool TransportGate::fall_asleep() {
  const std::scoped_lock lock(mutex_);
  asleep_ = submitted_.empty() && !stopping_;
  return asleep_;
}

void TransportGate::deliver(std::vector<Completion>& batch) {
  if (batch.empty()) return;
  std::vector<Completion> next;
  {
    const std::scoped_lock lock(mutex_);
    next.swap(spare_batch_);
  }
  batch.swap(next);
  // Not to be kept alive by a batch that nobody runs: `post_` may own where it waits.
  post_([weak = weak_from_this(), batch = std::move(next)]() mutable {
    const std::shared_ptr<TransportGate> gate = weak.lock();
    std::optional<Staging> staging;
    if (gate) staging.emplace(*gate, gate->spare_submissions());
    for (Completion& completion : batch) completion.done(std::move(completion.result));
    batch.clear();
    if (!gate) return;
    const std::scoped_lock lock(gate->mutex_);
    gate->spare_batch_.swap(batch);
  });
}

std::vector<Submission> TransportGate::spare_submissions() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(spare_submissions_, {});
}

void TransportGate::hand_over(std::vector<Submission>& submissions) {
  if (submissions.empty()) return;
  {
    std::unique_lock lock(mutex_);
    if (!stopping_) {
      if (submitted_.empty())
        submitted_.swap(submissions);
      else
        std::ranges::move(submissions, std::back_inserter(submitted_));
      const bool wake = std::exchange(asleep_, false);
      lock.unlock();
      if (wake) wake_();
      return;
    }
  }
  std::vector<Completion> late;
  for (Submission& submission : submissions) {
    late.push_back({std::move(submission.done),
                    std::unexpected(FetchError{
                        .kind = FetchError::Kind::stopped, .message = "shutting down", .provably_unsent = true})});
  }
  deliver(late);
}

}  // namespace remitod::carriers
