#include "daemon/told_commit.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace remitod::daemon {
namespace {

/// One transaction takes at most so many: enough to make its cost per report vanish, few enough to stay short.
constexpr std::size_t reports_per_commit = 500;

}  // namespace

ToldCommit::ToldCommit(Runtime& runtime, db::Executor& executor)
    : runtime_(runtime), executor_(executor), retry_(runtime, [this] { next_part(); }), at_once_(reports_per_commit) {}

void ToldCommit::begin(Batch batch) {
  batch_ = std::move(batch);
  sums_ = {};
  committed_ = 0;
  at_once_ = reports_per_commit;
  next_part();
}

bool ToldCommit::stop() {
  stopping_ = true;
  return retry_.stop();
}

void ToldCommit::next_part() {
  using Told = std::vector<ToldReport>;
  const std::vector<Report>& reports = batch_->reports;
  const std::size_t count = std::min(at_once_, reports.size() - committed_);
  const auto first = reports.begin() + static_cast<std::ptrdiff_t>(committed_);
  auto part = std::make_shared<std::vector<Report>>(first, first + static_cast<std::ptrdiff_t>(count));
  const bool is_last = committed_ + count == reports.size();
  const Instant now = runtime_.now();
  executor_.run<Told>(
      [part, rules = batch_->rules, remember = is_last ? batch_->remember : nullptr, all = reports.size(),
       now](db::Session& session) -> db::DbResult<Told> {
        auto told = apply_told_reports(session, rules, *part, now);
        if (told && remember)
          if (auto remembered = remember(session, all, now); !remembered) return std::unexpected(remembered.error());
        return told;
      },
      [this, count, is_last, now](const db::DbResult<Told>& told) {
        if (!told) return failed(told.error());
        part_is_in(count, *told);
        if (!is_last) return next_part();
        sums_.reports = batch_->reports.size();
        sums_.committed_at = now;
        finish(sums_);
      });
}

void ToldCommit::part_is_in(std::size_t count, std::span<const ToldReport> told) {
  sums_.failed_before |= retry_.done();
  at_once_ = reports_per_commit;
  committed_ += count;
  sums_.shipments += told.size();
  sums_.extra += count - told.size();
  for (const ToldReport& one : told) {
    sums_.transitions += one.applied.transitions;
    sums_.news += one.applied.new_events + one.applied.updated_events;
  }
  batch_->told(told);
}

void ToldCommit::failed(const db::DbError& error) {
  if (error.retryable()) {
    if (stopping_) return finish(std::unexpected(error));
    batch_->delayed(error);
    return retry_.wait();
  }
  const std::size_t count = std::min(at_once_, batch_->reports.size() - committed_);
  if (count == 0) return finish(std::unexpected(error));
  at_once_ = std::max<std::size_t>(count / 2, 1);
  if (count == 1) {
    const auto refused = batch_->reports.begin() + static_cast<std::ptrdiff_t>(committed_);
    batch_->left_out(*refused, error);
    batch_->reports.erase(refused);
  }
  next_part();
}

void ToldCommit::finish(const std::expected<ToldSums, db::DbError>& result) {
  const Batch ended = *std::exchange(batch_, std::nullopt);  // done() may begin the next one
  ended.done(result);
}

}  // namespace remitod::daemon
