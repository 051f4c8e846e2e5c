#include "scheduler/quota.h"

#include <algorithm>
#include <utility>

#include "scheduler/invariant.h"

namespace remitod::scheduler {
namespace {

constexpr std::int64_t slots_per_period = 24;
/// A block is a twentieth of the quota at most: that is what a crash loses, and a quota that is used up costs some 20
/// writes.
constexpr std::int64_t blocks_per_quota = 20;
/// The first one after a start or a loss is smaller, and each is twice the one before: a process that crashes again and
/// again, or a database whose word is lost, does not use up the quota for nothing.
constexpr std::int64_t first_blocks_per_quota = 320;

std::chrono::seconds slot_length(QuotaPeriod period) {
  return std::chrono::seconds{period == QuotaPeriod::hour ? 3600 : 86'400} / slots_per_period;
}

}  // namespace

std::string_view name(QuotaPeriod period) {
  return period == QuotaPeriod::hour ? "hour" : "day";
}

Quota::Quota(QuotaPeriod period, std::int64_t requests_max) : period_(period), requests_max_(requests_max) {
  require(requests_max >= 1, "a quota of 1 at least");
  next_block_ = first_block();
}

std::int64_t Quota::first_block() const {
  return std::max<std::int64_t>(1, requests_max_ / first_blocks_per_quota);
}

std::int64_t Quota::index_of(Instant at) const {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch() / slot_length(period_);
}

Instant Quota::begin_of(std::int64_t index) const {
  return Instant{index * slot_length(period_)};
}

Quota::Slot Quota::spent_now(Instant now) const {
  const std::int64_t index = index_of(now);
  if (!spent_.empty() && spent_.back().index >= index) return spent_.back();
  return {index, 0};
}

Quota::Slot& Quota::present_slot(Instant now) {
  const std::int64_t index = index_of(now);
  std::erase_if(spent_, [index](const Slot& slot) { return slot.index < index - slots_per_period; });
  if (spent_.empty() || spent_.back().index < index) spent_.push_back({index, 0});
  return spent_.back();
}

void Quota::restore(const QuotaRecord& record, Instant now) {
  const std::int64_t unwritten = spent_now(now).requests - reserved_now(now);
  spent_.clear();
  reserved_ = {};
  next_block_ = first_block();
  for (const QuotaSlot& slot : record.slots) {
    const std::int64_t index = index_of(slot.from);
    spent_.push_back({index, slot.requests});
    if (index == index_of(now)) reserved_ = spent_.back();
  }
  std::ranges::sort(spent_, {}, &Slot::index);
  clock_set_back(now);
  if (unwritten > 0) present_slot(now).requests += unwritten;
}

QuotaRecord Quota::record_of_next_block(Instant now) {
  const std::int64_t next = std::min(next_block_, left(now));
  present_slot(now);
  QuotaRecord record{.period = period_, .revision = 0, .slots = {}};
  for (const Slot& slot : spent_) record.slots.push_back({begin_of(slot.index), slot.requests});
  record.slots.back().requests += next;
  return record;
}

void Quota::reserved(const QuotaRecord& record, Instant written_for) {
  reserved_ = {index_of(written_for), record.slots.back().requests};
  next_block_ = std::clamp<std::int64_t>(requests_max_ / blocks_per_quota, 1, next_block_ * 2);
}

std::int64_t Quota::balance(Instant now) const {
  std::int64_t balance = requests_max_;
  for (const Slot& slot : spent_)
    if (slot.index >= index_of(now) - slots_per_period) balance -= slot.requests;
  return balance;
}

std::int64_t Quota::left(Instant now) const {
  return std::max<std::int64_t>(0, balance(now));
}

std::int64_t Quota::reserved_now(Instant now) const {
  return reserved_.index == spent_now(now).index ? reserved_.requests : 0;
}

std::int64_t Quota::ready(Instant now) const {
  return std::min(std::max<std::int64_t>(0, reserved_now(now) - spent_now(now).requests), left(now));
}

bool Quota::is_low(Instant now) const {
  return spent_now(now).requests > reserved_now(now) || (ready(now) <= next_block_ / 4 && left(now) > ready(now));
}

Instant Quota::when_left(std::int64_t spared, Instant now) const {
  require(spared < requests_max_, "a quota has more than it spares");
  std::int64_t left_then = balance(now);
  if (left_then > spared) return now;
  Instant when = now;
  for (const Slot& slot : spent_) {
    if (slot.index < index_of(now) - slots_per_period) continue;
    left_then += slot.requests;
    when = begin_of(slot.index + slots_per_period + 1);
    if (left_then > spared) break;
  }
  return when;
}

void Quota::spend(Instant now) {
  ++present_slot(now).requests;
}

void Quota::sent_late(Instant planned, Instant now) {
  const auto slot = std::ranges::find(spent_, index_of(planned), &Slot::index);
  if (slot != spent_.end() && slot->requests > 0) --slot->requests;
  spend(now);
}

// What was spent in slots that are yet to come, by the clock as it is now, was spent a moment ago.
void Quota::clock_set_back(Instant now) {
  const std::int64_t present = index_of(now);
  std::int64_t ahead = 0;
  while (!spent_.empty() && spent_.back().index > present) {
    ahead += spent_.back().requests;
    spent_.pop_back();
  }
  if (ahead != 0) present_slot(now).requests += ahead;
}

}  // namespace remitod::scheduler
