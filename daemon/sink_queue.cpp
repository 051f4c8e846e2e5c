#include "daemon/sink_queue.h"

#include <algorithm>

namespace remitod::daemon {

std::vector<std::chrono::milliseconds> standard_retries() {
  using namespace std::chrono_literals;
  return {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
}

std::optional<std::chrono::microseconds> retry_pause(std::span<const std::chrono::milliseconds> retries, int attempts,
                                                     scheduler::Jitter& jitter) {
  const auto step = static_cast<std::size_t>(attempts - 1);
  if (step >= retries.size()) return std::nullopt;
  const auto least = std::min(step == 0 ? std::chrono::milliseconds{0} : retries[step - 1], retries[step]);
  return least + jitter.up_to(retries[step] - least);
}

SinkQueue::SinkQueue(Settings settings, std::int64_t cursor_seq, std::uint64_t seed)
    : settings_(std::move(settings)), jitter_(seed), last_seq_(cursor_seq) {}

void SinkQueue::add(const Letter& letter, Instant now) {
  keep_up_with(now);
  if (last_failure_ == Instant{}) last_failure_ = now;
  auto [found, is_new] = letters_.try_emplace(letter.seq);
  Held& held = found->second;
  if (!is_new && (held.in_flight || held.has_news || !letter.next_try_at)) return;
  if (is_new) {
    held.key = letter.key;
    failures_in_row_ += letter.attempts;
  }
  Chain& chain = chains_[held.key];
  unready(chain);
  held.attempts = letter.attempts;
  // What was written while the clock was ahead is not waited for.
  held.due = held.scheduled = std::min(letter.next_try_at.value_or(now), now + longest_pause());
  chain.seqs.insert(letter.seq);
  ready(chain);
  if (letter.next_try_at) {
    without_row_.erase(letter.seq);
  } else {
    without_row_.insert(letter.seq);
    last_seq_ = std::max(last_seq_, letter.seq);
    if (is_held_up(letter.seq, held)) changed_ = true;
  }
}

void SinkQueue::pass_over(std::int64_t seq) {
  last_seq_ = std::max(last_seq_, seq);
  changed_ = true;
}

std::vector<std::int64_t> SinkQueue::start(Instant now) {
  keep_up_with(now);
  std::vector<std::int64_t> started;
  if (now < resting_until_) return started;
  const auto start_one = [&](auto head) {
    const std::int64_t seq = head->second;
    ready_.erase(head);
    Held& letter = letters_.at(seq);
    letter.in_flight = chains_.find(letter.key)->second.in_flight = true;
    ++in_flight_;
    started.push_back(seq);
  };
  while (in_flight_ < settings_.concurrency && !ready_.empty() && ready_.begin()->first <= now)
    start_one(ready_.begin());
  if (const auto probe = next_probe(); probe && *probe <= now) {
    // It may be that one event alone which the receiver does not take.
    auto head = ready_.upper_bound(probed_);
    if (head == ready_.end()) head = ready_.begin();
    probed_ = *head;
    start_one(head);
    last_failure_ = now;
    ++probes_in_row_;
  }
  return started;
}

std::optional<Instant> SinkQueue::next_probe() const {
  if (failures_in_row_ < failures_of_an_outage || in_flight_ != 0 || ready_.empty()) return std::nullopt;
  return last_failure_ + std::min(probe_first * (1 << std::min(probes_in_row_, 8)), probe_max);
}

std::chrono::microseconds SinkQueue::longest_pause() const {
  const std::chrono::microseconds longest =
      settings_.retries.empty() ? std::chrono::milliseconds{0} : std::ranges::max(settings_.retries);
  return std::max<std::chrono::microseconds>(longest, retry_after_max);
}

void SinkQueue::delivered(std::int64_t seq, Instant now) {
  keep_up_with(now);
  land(seq);
  if (without_row_.erase(seq) == 0) changes_.delivered.push_back(seq);
  remove(seq);
  changed_ = true;
  probes_in_row_ = 0;
  if (std::exchange(failures_in_row_, 0) >= failures_of_an_outage) try_all_again(now);
}

SinkQueue::Failure SinkQueue::failed(std::int64_t seq, std::string error,
                                     std::optional<std::chrono::seconds> retry_after, Instant now) {
  keep_up_with(now);
  land(seq);
  if (retry_after) {
    const auto rest = std::min<std::chrono::seconds>(*retry_after, retry_after_max);
    resting_until_ = std::max(resting_until_, now + rest);
  }
  last_failure_ = now;
  Held& letter = letters_.at(seq);
  const Chain& chain = chains_.find(letter.key)->second;
  if (letter.scheduled > now) {  // an attempt besides: as if it had not been
    letter.due = letter.scheduled;
    ready(chain);
    return Failure::again;
  }
  ++failures_in_row_;
  ++letter.attempts;
  letter.error = std::move(error);
  letter.failed_at = now;
  changed_ = true;
  const auto pause = retry_pause(settings_.retries, letter.attempts, jitter_);
  if (!pause) {
    changes_.failed.push_back({seq, true, letter.attempts, now, letter.failed_at, letter.error});
    without_row_.erase(seq);
    remove(seq);
    return Failure::dead;
  }
  letter.due = letter.scheduled = std::max(now + *pause, resting_until_);
  letter.has_news = true;
  ready(chain);
  return Failure::again;
}

void SinkQueue::put_back(std::int64_t seq, Instant now) {
  keep_up_with(now);
  land(seq);
  Held& letter = letters_.at(seq);
  letter.due = std::max(letter.due, now);
  ready(chains_.find(letter.key)->second);
}

std::optional<Instant> SinkQueue::next_start() const {
  if (ready_.empty() || in_flight_ >= settings_.concurrency) return std::nullopt;
  return std::max(std::min(ready_.begin()->first, next_probe().value_or(Instant::max())), resting_until_);
}

db::SinkChanges SinkQueue::take_changes() {
  db::SinkChanges changes = std::exchange(changes_, {});
  // Every letter with news, and those without a row that stand behind a failed one: they would hold the cursor.
  for (auto& [seq, letter] : letters_) {
    const bool row_needed = without_row_.contains(seq) && is_held_up(seq, letter);
    if (!letter.has_news && !row_needed) continue;
    changes.failed.push_back({seq, false, letter.attempts, letter.scheduled, letter.failed_at, letter.error});
    letter.has_news = false;
    without_row_.erase(seq);
  }
  changes.cursor_seq = without_row_.empty() ? last_seq_ : *without_row_.begin() - 1;
  changed_ = false;
  return changes;
}

void SinkQueue::keep_up_with(Instant now) {
  const auto set_back = latest_ - now;
  latest_ = now;
  if (set_back <= set_back.zero()) return;
  std::set<std::pair<Instant, std::int64_t>> ready;
  for (const auto& [due, seq] : ready_) ready.insert({due - set_back, seq});
  ready_ = std::move(ready);
  for (auto& [seq, letter] : letters_) {
    letter.due -= set_back;
    letter.scheduled -= set_back;
  }
  if (resting_until_ != Instant{}) resting_until_ -= set_back;
  if (last_failure_ != Instant{}) last_failure_ -= set_back;
  probed_.first -= set_back;
}

void SinkQueue::unready(const Chain& chain) {
  if (chain.seqs.empty() || chain.in_flight) return;
  const std::int64_t head = *chain.seqs.begin();
  ready_.erase({letters_.at(head).due, head});
}

void SinkQueue::ready(const Chain& chain) {
  if (chain.seqs.empty() || chain.in_flight) return;
  const std::int64_t head = *chain.seqs.begin();
  ready_.insert({letters_.at(head).due, head});
}

void SinkQueue::land(std::int64_t seq) {
  Held& letter = letters_.at(seq);
  letter.in_flight = chains_.find(letter.key)->second.in_flight = false;
  --in_flight_;
}

void SinkQueue::remove(std::int64_t seq) {
  const auto letter = letters_.find(seq);
  const auto chain = chains_.find(letter->second.key);
  chain->second.seqs.erase(seq);
  letters_.erase(letter);
  if (chain->second.seqs.empty())
    chains_.erase(chain);
  else
    ready(chain->second);
}

void SinkQueue::try_all_again(Instant now) {
  std::set<std::pair<Instant, std::int64_t>> again;
  for (const auto& [due, seq] : ready_) {
    Held& letter = letters_.at(seq);
    letter.due = std::min(letter.due, now);
    again.insert({letter.due, seq});
  }
  ready_ = std::move(again);
}

bool SinkQueue::is_held_up(std::int64_t seq, const Held& letter) const {
  const std::int64_t head = *chains_.find(letter.key)->second.seqs.begin();
  return head != seq && letters_.at(head).attempts != 0;
}

}  // namespace remitod::daemon
