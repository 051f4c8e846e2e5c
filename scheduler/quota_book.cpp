#include "scheduler/quota_book.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "scheduler/invariant.h"

namespace remitod::scheduler {
namespace {

constexpr std::chrono::seconds retry_first{1};
constexpr std::chrono::seconds retry_max{30};

}  // namespace

void QuotaBook::configure(const Stated& stated) {
  tenth_for_others_ = stated.tenth_for_others;
  set_entry(QuotaPeriod::hour, stated.per_hour);
  set_entry(QuotaPeriod::day, stated.per_day);
}

void QuotaBook::set_entry(QuotaPeriod period, std::optional<std::int64_t> requests_max) {
  const auto found = std::ranges::find(entries_, period, [](const Entry& entry) { return entry.quota.period(); });
  if (!requests_max) {
    if (found != entries_.end()) entries_.erase(found);
  } else if (found != entries_.end()) {
    found->quota.set_requests_max(*requests_max);
  } else {
    entries_.push_back({Quota(period, *requests_max), 0});
    known_ = false;  // it may have been stated once before
  }
}

std::int64_t QuotaBook::spared(const Quota& quota) const {
  return tenth_for_others_ ? quota.requests_max() / 10 : 0;
}

bool QuotaBook::may_poll(Instant now) const {
  return ready(now) > 0 &&
         std::ranges::all_of(entries_, [&](const Entry& entry) { return entry.quota.left(now) > spared(entry.quota); });
}

std::int64_t QuotaBook::ready(Instant now) const {
  std::int64_t ready = std::numeric_limits<std::int64_t>::max();
  for (const Entry& entry : entries_) ready = std::min(ready, known_ ? entry.quota.ready(now) : 0);
  return ready;
}

std::vector<QuotaLeft> QuotaBook::left(Instant now) const {
  std::vector<QuotaLeft> left;
  if (!known_) return left;
  for (const Entry& entry : entries_)
    left.push_back({entry.quota.period(), entry.quota.requests_max(), entry.quota.left(now)});
  return left;
}

void QuotaBook::spend(Instant now) {
  for (Entry& entry : entries_) entry.quota.spend(now);
  wanted_ = true;
}

void QuotaBook::sent_late(Instant planned, Instant now) {
  for (Entry& entry : entries_) entry.quota.sent_late(planned, now);
  wanted_ = true;
}

void QuotaBook::want(Instant now) {
  if (ready(now) == 0) wanted_ = true;
}

std::optional<Instant> QuotaBook::next_poll(Instant now) const {
  Instant when = now;
  for (const Entry& entry : entries_) when = std::max(when, entry.quota.when_left(spared(entry.quota), now));
  if (when > now || ready(now) > 0) return when;
  if (under_way_) return std::nullopt;
  return std::max(now, retry_at_);
}

Instant QuotaBook::next_room(Instant now) const {
  Instant when = now;
  for (const Entry& entry : entries_) when = std::max(when, entry.quota.when_left(-1, now));
  return when;
}

bool QuotaBook::is_low(Instant now) const {
  return std::ranges::any_of(entries_, [now](const Entry& entry) { return entry.quota.is_low(now); });
}

std::optional<QuotaWork> QuotaBook::work(Instant now) {
  if (entries_.empty() || under_way_ || now < retry_at_) return std::nullopt;
  if (!known_) {
    under_way_ = QuotaWork{QuotaWork::Kind::load, {}};
  } else if (std::exchange(wanted_, false) && is_low(now)) {
    under_way_ = QuotaWork{QuotaWork::Kind::reserve, {}};
    for (Entry& entry : entries_) {
      if (!entry.quota.is_low(now)) continue;
      QuotaRecord record = entry.quota.record_of_next_block(now);
      record.revision = entry.revision;
      under_way_->records.push_back(std::move(record));
    }
  }
  begun_at_ = now;
  return under_way_;
}

void QuotaBook::loaded(std::span<const QuotaRecord> records, Instant now) {
  require(under_way_ && under_way_->kind == QuotaWork::Kind::load, "quotas were being loaded");
  under_way_.reset();
  failures_in_row_ = 0;
  known_ = true;
  for (Entry& entry : entries_) {
    const auto found = std::ranges::find(records, entry.quota.period(), &QuotaRecord::period);
    const QuotaRecord none{.period = entry.quota.period(), .revision = 0, .slots = {}};
    const QuotaRecord& record = found == records.end() ? none : *found;
    entry.quota.restore(record, now);
    entry.revision = record.revision;
  }
}

void QuotaBook::reserved() {
  require(under_way_ && under_way_->kind == QuotaWork::Kind::reserve, "a block was being reserved");
  for (const QuotaRecord& record : under_way_->records)
    for (Entry& entry : entries_) {
      if (entry.quota.period() != record.period) continue;
      entry.quota.reserved(record, begun_at_);
      ++entry.revision;
    }
  under_way_.reset();
  failures_in_row_ = 0;
}

void QuotaBook::conflicted(Instant now) {
  known_ = false;
  failed(now);
}

void QuotaBook::failed(Instant now) {
  under_way_.reset();
  wanted_ = true;
  retry_at_ = now + std::min(retry_max, retry_first * (1 << std::min(failures_in_row_++, 5)));
}

void QuotaBook::clock_set_back(Instant now) {
  for (Entry& entry : entries_) entry.quota.clock_set_back(now);
  retry_at_ = std::min(retry_at_, now + retry_max);
}

}  // namespace remitod::scheduler
