#include "daemon/raw_keeper.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {
constexpr std::ptrdiff_t waiting_max = 100;          // of those that could not be understood
constexpr std::size_t waiting_bytes_max = 4u << 20;  // of all
constexpr std::chrono::seconds pause{1};
// How often a carrier's answers are cut to their limit: the sum over them costs more than to add one.
constexpr std::chrono::minutes trim_interval{1};

// Page by page, so that each ends where it is said to end.
void redact(const carriers::Redactor& redactor, db::RawAnswer& answer) {
  answer.why = redactor.redact(std::move(answer.why));
  std::string body;
  std::size_t begin = 0;
  for (std::size_t& page_end : answer.page_ends) {
    const std::size_t end = std::min(page_end, answer.body.size());
    body += redactor.redact(answer.body.substr(begin, end - begin));
    begin = end;
    page_end = body.size();
  }
  answer.body = body + redactor.redact(answer.body.substr(begin));
}

}  // namespace

RawKeeper::RawKeeper(Runtime& runtime, db::Executor& executor, std::uint64_t bytes_max)
    : runtime_(runtime), executor_(executor), bytes_max_(bytes_max), alarm_(runtime.alarm([this] { flush(); })) {}

void RawKeeper::add_carrier(std::shared_ptr<const CarrierAccess> access) {
  const std::string& name = access->profile()->name();
  carriers_[name] = std::move(access);
}

void RawKeeper::keep(db::RawAnswer answer, bool tells_news) {
  const bool known = !tells_news && std::ranges::any_of(waiting_, [&](const Waiting& other) {
    return other.answer.carrier == answer.carrier && other.answer.why == answer.why &&
           other.answer.remito == answer.remito;
  });
  if (known || std::ranges::count(waiting_, false, &Waiting::is_understood) >= waiting_max)
    ++dropped_;
  else
    add(std::move(answer), false);
}

void RawKeeper::keep_changed(db::RawAnswer answer) {
  add(std::move(answer), true);
}

void RawKeeper::add(db::RawAnswer answer, bool is_understood) {
  db::cut_to_kept(answer);
  if (waiting_bytes_ + answer.body.size() > waiting_bytes_max) {
    ++dropped_;
    return;
  }
  if (waiting_.empty()) flush_soon();
  if (answer.received_at == Instant{}) answer.received_at = runtime_.now();
  waiting_bytes_ += answer.body.size();
  untrimmed_.insert(answer.carrier);
  const auto carrier = carriers_.find(answer.carrier);
  waiting_.push_back(
      {std::move(answer), is_understood, carrier == carriers_.end() ? nullptr : carrier->second->redactor()});
}

void RawKeeper::flush_soon() {
  alarm_->set(runtime_.in(stopping_ ? std::chrono::seconds{0} : pause));
}

void RawKeeper::stop() {
  stopping_ = true;
  if (!waiting_.empty()) flush_soon();
}

std::vector<std::string> RawKeeper::to_trim() {
  if (runtime_.steady() < trim_at_) return {};
  trim_at_ = runtime_.steady() + trim_interval;
  const std::set<std::string> carriers = std::exchange(untrimmed_, {});
  return {carriers.begin(), carriers.end()};
}

// Redacting is done on the database's thread, not on the deciding one: bodies are large, and secrets have many forms.
void RawKeeper::flush() {
  if (std::exchange(writing_, true)) return;  // a slow database is not given more and more to hold
  const auto batch = std::make_shared<std::vector<Waiting>>(std::exchange(waiting_, {}));
  const std::size_t bytes = std::exchange(waiting_bytes_, 0);
  executor_.run<bool>(
      [batch, carriers = to_trim(), bytes_max = bytes_max_,
       now = runtime_.now()](db::Session& session) -> db::DbResult<bool> {
        std::vector<db::RawAnswer> answers;
        for (const Waiting& one : *batch) {
          answers.push_back(one.answer);
          if (one.redactor) redact(*one.redactor, answers.back());
        }
        if (auto kept = db::keep_raw_answers(session, answers, now); !kept) return std::unexpected(kept.error());
        if (!carriers.empty())
          if (auto trimmed = db::trim_raw_answers(session, carriers, bytes_max); !trimmed)
            return std::unexpected(trimmed.error());
        return true;
      },
      [this, batch, bytes](db::DbResult<bool> result) {
        writing_ = false;
        if (!result && result.error().retryable() && !stopping_) {
          log(Level::warning, "raw_answers_delayed", {{"answers", batch->size()}, {"error", result.error().message}});
          for (const Waiting& one : *batch) untrimmed_.insert(one.answer.carrier);
          waiting_.insert(waiting_.begin(), std::make_move_iterator(batch->begin()),
                          std::make_move_iterator(batch->end()));
          waiting_bytes_ += bytes;
        } else if (!result) {
          log(Level::warning, "raw_answers_lost", {{"answers", batch->size()}, {"error", result.error().message}});
        }
        if (!waiting_.empty()) flush_soon();
      });
}

}  // namespace remitod::daemon
