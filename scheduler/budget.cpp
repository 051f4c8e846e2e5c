#include "scheduler/budget.h"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "scheduler/adaptive_calendar.h"

namespace remitod::scheduler {
namespace {

constexpr Second period_s = 6 * hour_s;
/// Spending follows the hours of the day: it is judged over two days, and not before one is over.
constexpr std::size_t periods_min = 4, periods_max = 8;
/// What was over- or underspent is made up for in about a week; no more than the last two days' budget is remembered.
constexpr double periods_to_settle = 28;
/// Polls go with the root of the price. A price that followed at once would swing: what was planned at the old one is
/// still to come.
constexpr double gain = 1.5;
constexpr double ratio_max = 2;
constexpr double price_min = 1e-4, price_max = 1e4;
/// A request costs at least this many polls, and at most this share of the polls that it can carry.
constexpr double request_polls_min = 0.1, request_share_max = 0.55;
/// The hourly pull asks everybody at one moment, in full requests; at a quarter of the polls, spread over as many
/// moments, they are emptier. Requests are allowed by this power of the share.
constexpr double request_exponent = 0.75;
constexpr double requests_usable = 0.99;
/// Where all moments are alike, asking every t minutes is best at a price of rate · t² / 2. Publications are bunched,
/// and the same polls then go with a price that is lower by an order of magnitude.
constexpr double bunched = 13;
/// A mean of fewer delays than this is no reason to change a price.
constexpr double delays_min = 20;
/// Where a delay is wished for, requests are what it is paid with: this share of the polls that they can carry.
constexpr double request_share_of_target = 0.25;

}  // namespace

Budget::Period& Budget::Period::operator+=(const Period& more) {
  polls += more.polls;
  requests += more.requests;
  polls_allowed += more.polls_allowed;
  requests_allowed += more.requests_allowed;
  seen += more.seen;
  delay += more.delay;
  return *this;
}

Budget::Budget(const ScheduleConfig::Budget& budget, int batch_max, Second now)
    : budget_(budget), batch_max_(std::max(1, batch_max)), next_(later(now, period_s)) {}

Second Budget::even_interval() const {
  // Asking every t minutes finds what came half of that late.
  if (budget_.target_delay)
    return static_cast<Second>(
        std::clamp(2 * static_cast<double>(budget_.target_delay->count()), 5.0 * minute_s, double{hour_s}));
  // A number of requests says nothing before the shipments are known: hourly, until then.
  const double share = budget_.share_of_hourly.value_or(1);
  return static_cast<Second>(hour_s / std::clamp(share, 0.01, 12.0));
}

void Budget::start_from(double rate) {
  if (started_) return;
  started_ = true;
  const double minutes = static_cast<double>(even_interval()) / minute_s;
  prices_.poll = std::clamp(rate * minutes * minutes / 2 / bunched, price_min, price_max);
  prices_.request = prices_.poll * request_polls_min;
}

void Budget::add_hourly(double polls, double requests) {
  if (requests <= 0) return;
  if (budget_.requests_a_day) {
    const double allowed = static_cast<double>(*budget_.requests_a_day) / 24;
    current_.polls_allowed += polls * allowed / requests;
    current_.requests_allowed += allowed;
    return;
  }
  const double share = budget_.share_of_hourly.value_or(1);
  current_.polls_allowed += polls * share;
  current_.requests_allowed +=
      batch_max_ == 1 ? polls * share : requests * std::pow(share, request_exponent) * requests_usable;
}

void Budget::add_used(double polls, double requests) {
  current_.polls += polls;
  current_.requests += requests;
}

void Budget::add_delay(double minutes) {
  current_.seen += 1;
  current_.delay += minutes;
}

void Budget::clock_set_back(Second now) {
  next_ = std::min(next_, later(now, period_s));
}

Budget::Period Budget::spent() const {
  Period sum = current_;
  for (const Period& period : recent_) sum += period;
  return sum;
}

Budget::Period Budget::spent_lately() const {
  Period sum = current_;
  for (const Period& period : recent_ | std::views::reverse | std::views::take(periods_min - 1)) sum += period;
  return sum;
}

Budget::State Budget::state() const {
  return {started_, prices_, polls_owed_, requests_owed_, next_, current_, {recent_.begin(), recent_.end()}};
}

void Budget::restore(const State& state) {
  started_ = state.started;
  prices_ = state.prices;
  polls_owed_ = state.polls_owed;
  requests_owed_ = state.requests_owed;
  next_ = state.next;
  current_ = state.current;
  recent_.assign(state.recent.begin(), state.recent.end());
}

void Budget::hold_to_delay(const Period& sum, double exponent) {
  if (sum.seen < delays_min) return;
  // Delay goes with the root of the price, as polls go with one over it.
  const double target = static_cast<double>(budget_.target_delay->count()) / minute_s;
  const double ratio = std::clamp(target / std::max(sum.delay / sum.seen, 0.1), 1 / ratio_max, ratio_max);
  prices_.poll = std::clamp(prices_.poll * std::pow(ratio, exponent), price_min, price_max);
  prices_.request = prices_.poll * std::max(request_polls_min, request_share_of_target * batch_max_);
}

void Budget::pay(const Period& period) {
  polls_owed_ += period.polls - period.polls_allowed;
  requests_owed_ += period.requests - period.requests_allowed;
}

void Budget::adjust(Second now) {
  if (now < next_) return;
  next_ = later(now, period_s);
  pay(current_);
  recent_.push_back(current_);
  current_ = {};
  if (recent_.size() > periods_max) recent_.pop_front();
  Period sum;
  for (const Period& period : recent_) sum += period;
  const double span = static_cast<double>(recent_.size());
  if (started_ && budget_.target_delay) return hold_to_delay(sum, gain / std::max(span, double{periods_min}));
  if (!started_ || recent_.size() < periods_min || sum.polls_allowed <= 0) return;
  polls_owed_ = std::clamp(polls_owed_, -sum.polls_allowed, sum.polls_allowed);
  requests_owed_ = std::clamp(requests_owed_, -sum.requests_allowed, sum.requests_allowed);
  const auto over = [&](double used, double owed, double allowed) {
    return std::clamp((used + owed * span / periods_to_settle) / allowed, 1 / ratio_max, ratio_max);
  };
  const double polls = over(sum.polls, polls_owed_, sum.polls_allowed);
  const double requests = over(sum.requests, requests_owed_, sum.requests_allowed);
  const double exponent = gain / span;
  const double in_polls = std::max(prices_.request / prices_.poll, request_polls_min);
  prices_.poll = std::clamp(prices_.poll * std::pow(polls, exponent), price_min, price_max);
  // Fewer polls are fewer requests, too: their own price answers to what is left of the excess.
  prices_.request = prices_.poll * std::clamp(in_polls * std::pow(requests / polls, exponent), request_polls_min,
                                              std::max(request_polls_min, request_share_max * batch_max_));
}

}  // namespace remitod::scheduler
