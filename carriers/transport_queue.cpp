#include "carriers/transport_queue.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace remitod::carriers {

bool TransportQueue::Line::can_pop() const {
  return !waiting.empty() && running < static_cast<std::size_t>(std::max(1L, options->connections_per_host_max));
}

std::list<TransportQueue::Line>::iterator TransportQueue::line_of(const TransportOptions& options) {
  return std::ranges::find(lines_, &options, &Line::options);
}

void TransportQueue::push(Submission&& submission, Time now) {
  if (!submission.request.options) std::abort();
  const TransportOptions& options = *submission.request.options;
  const std::chrono::milliseconds own = submission.request.timeout;
  const Time deadline = now + (own.count() != 0 ? own : options.total_timeout);
  next_expiry_ = waiting_ == 0 ? deadline : std::min(next_expiry_, deadline);
  auto line = line_of(options);
  if (line == lines_.end()) line = lines_.emplace(lines_.end(), options);
  line->waiting.emplace_back(std::move(submission), deadline);
  ++waiting_;
}

std::optional<TransportQueue::Next> TransportQueue::pop() {
  if (waiting_ == 0 || in_flight_ >= in_flight_max_) return std::nullopt;
  const auto line = std::ranges::find_if(lines_, &Line::can_pop);
  if (line == lines_.end()) return std::nullopt;
  lines_.splice(lines_.end(), lines_, line);
  std::optional<Next> next = std::move(line->waiting.front());
  line->waiting.pop_front();
  --waiting_;
  ++line->running;
  ++in_flight_;
  return next;
}

void TransportQueue::release(const TransportOptions& options) {
  const auto line = line_of(options);
  if (line == lines_.end() || line->running == 0) std::abort();
  --line->running;
  --in_flight_;
  if (line->running == 0 && line->waiting.empty()) lines_.erase(line);
}

bool TransportQueue::can_pop() const {
  return waiting_ > 0 && in_flight_ < in_flight_max_ && std::ranges::any_of(lines_, &Line::can_pop);
}

void TransportQueue::expire(Time now, std::vector<Completion>& into) {
  if (waiting_ == 0 || now < next_expiry_) return;
  next_expiry_ = Time::max();
  for (Line& line : lines_) {
    std::deque<Next> still;
    for (Next& waiting : line.waiting) {
      if (now < waiting.deadline) {
        next_expiry_ = std::min(next_expiry_, waiting.deadline);
        still.push_back(std::move(waiting));
        continue;
      }
      --waiting_;
      into.push_back(
          {std::move(waiting.submission.done), std::unexpected(FetchError{.kind = FetchError::Kind::timeout,
                                                                          .message = "no connection was free in time",
                                                                          .provably_unsent = true})});
    }
    line.waiting = std::move(still);
  }
  std::erase_if(lines_, [](const Line& line) { return line.running == 0 && line.waiting.empty(); });
}

std::optional<TransportQueue::Time> TransportQueue::next_expiry() const {
  if (waiting_ == 0) return std::nullopt;
  return next_expiry_;
}

void TransportQueue::stop(std::vector<Completion>& into) {
  for (Line& line : lines_) {
    for (Next& waiting : line.waiting) {
      into.push_back({std::move(waiting.submission.done),
                      std::unexpected(FetchError{
                          .kind = FetchError::Kind::stopped, .message = "shutting down", .provably_unsent = true})});
    }
    line.waiting.clear();
  }
  std::erase_if(lines_, [](const Line& line) { return line.running == 0; });
  waiting_ = 0;
}

}  // namespace remitod::carriers
