#include "carriers/session.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/request_fill.h"
#include "carriers/session_answer.h"

namespace remitod::carriers {
namespace {

using std::chrono::seconds;

// A session is renewed so long before its end: a request that leaves just before it must still arrive in time.
constexpr seconds renewal_margin_max{60};
constexpr int renewal_margin_part = 10;  // at most this part of its life
constexpr seconds renewal_after_rejection_pause{60};
constexpr seconds rest_first{5};
constexpr seconds rest_max{600};
constexpr seconds clock_step_ignored{5};  // it only delays by as much

seconds rest_after(int failures) {
  const int doublings = std::clamp(failures - 1, 0, 10);
  return std::min(rest_first * (1 << doublings), rest_max);
}

const AnswerRules& rules_of(const CompiledProfile& profile, OrderOperation operation) {
  switch (operation) {
    case OrderOperation::create:
      return profile.create.value().answer;
    case OrderOperation::confirm:
      return profile.confirm.value().answer;
    case OrderOperation::range:
      return profile.create.value().range.value().operation.value().answer;
    case OrderOperation::find:
      return profile.find.value().answer;
    case OrderOperation::cancel:
      return profile.cancel.value().answer;
    case OrderOperation::cancel_lookup:
      return profile.cancel.value().lookup.value().answer;
  }
  std::unreachable();
}

}  // namespace

std::optional<CarrierTrouble> order_trouble(const Profile& profile, OrderOperation operation,
                                            const HttpAnswer& answer) {
  auto document = open_answer(rules_of(profile.compiled(), operation), answer);
  if (document) return std::nullopt;
  return std::move(document.error());
}

Session::Session(std::shared_ptr<const Profile> profile) : profile_(std::move(profile)) {
  if (!profile_->has_session()) std::abort();
}

void Session::mind_clock(Instant now) {
  if (now + clock_step_ignored < latest_) {
    const Instant::duration by = latest_ - now;
    resting_until_ -= by;
    if (renew_at_) *renew_at_ -= by;
    if (renewed_after_rejection_at_) *renewed_after_rejection_at_ -= by;
    if (login_ && login_->ends_at) *login_->ends_at -= by;
    latest_ = now;
  }
  latest_ = std::max(latest_, now);
}

Session::Step Session::next(Instant now, const Random& random) {
  mind_clock(now);
  if (login_) return login_->sent ? Step{Wait{}} : send_login(now, random);
  if (values_ && (!renew_at_ || now < *renew_at_)) return Ready{values_};
  if (now < resting_until_) return Failed{trouble_, resting_until_};
  const SessionRules& rules = *profile_->compiled().session;
  Login login;
  login.refreshing = rules.refresh.has_value() && !refresh_token_.empty();
  login.values.resize(profile_->compiled().session_names.size());
  if (login.refreshing) login.values.at(*rules.refresh_token) = refresh_token_;
  login_ = std::move(login);
  return send_login(now, random);
}

Session::Step Session::send_login(Instant now, const Random& random) {
  const CompiledProfile& profile = profile_->compiled();
  const LoginStep& step = login_->refreshing ? *profile.session->refresh : profile.session->login.at(login_->step);
  Call call(now);
  call.random = random;
  call.session = login_->values;
  const auto cut = cut_template(step.request, step.request.constants);
  auto request =
      cut ? fill_request(profile, *cut, call) : std::unexpected(RequestError{cut.error().name, cut.error().message});
  if (!request) {
    login_failed({CarrierTrouble::Kind::auth, "login: " + request.error().field + " " + request.error().message}, {},
                 now);
    return Failed{trouble_, resting_until_};
  }
  login_->sent = true;
  return SendLogin{*std::move(request)};
}

bool Session::login_answered(const FetchResult& result, Instant now) {
  if (!login_) std::abort();
  mind_clock(now);
  if (result) {
    take_answer(*result, now);
  } else {
    const FetchError& error = result.error();
    login_failed({CarrierTrouble::Kind::unreachable, "login: " + std::string(name(error.kind)) + ": " + error.message},
                 {}, now);
  }
  return !login_;
}

void Session::take_answer(const HttpAnswer& answer, Instant now) {
  const SessionRules& rules = *profile_->compiled().session;
  const LoginStep& step = login_->refreshing ? *rules.refresh : rules.login.at(login_->step);
  auto read = read_login(step, answer, rules.refresh_token, now);
  if (!read) {
    const bool wants_rest = read.error().kind == CarrierTrouble::Kind::throttled;
    if (!login_->refreshing || wants_rest) return login_failed(std::move(read.error()), answer.retry_after, now);
    // The refresh token has had its day: from the beginning, then.
    refresh_token_.clear();
    login_ = Login{};
    login_->values.resize(profile_->compiled().session_names.size());
    return;
  }
  for (std::size_t i = 0; i < read->values.size(); ++i)
    // A refresh that brings no new refresh token leaves the old one valid (RFC 6749, 6).
    if (!read->values[i].empty()) login_->values.at(step.first_value + i) = std::move(read->values[i]);
  if (read->ends_at) login_->ends_at = std::min(login_->ends_at.value_or(*read->ends_at), *read->ends_at);
  login_->sent = false;
  if (login_->refreshing || ++login_->step == rules.login.size()) login_ended(now);
}

void Session::login_failed(CarrierTrouble trouble, std::optional<seconds> retry_after, Instant now) {
  login_.reset();
  values_.reset();
  trouble_ = std::move(trouble);
  resting_until_ = now + std::max(rest_after(++failures_in_row_), std::min(retry_after.value_or(seconds{0}), rest_max));
}

void Session::login_ended(Instant now) {
  const SessionRules& rules = *profile_->compiled().session;
  std::optional<Instant> ends_at = login_->ends_at;
  if (!ends_at && rules.lifetime) ends_at = now + *rules.lifetime;
  if (ends_at && *ends_at <= now)  // their clock or the profile's zone is wrong: there would be no end of logins
    return login_failed(
        {CarrierTrouble::Kind::malformed, "login: it ends at " + to_iso8601(*ends_at) + ", in the past"}, {}, now);
  renew_at_.reset();
  if (ends_at) {
    const auto lifetime = *ends_at - now;
    renew_at_ = *ends_at - std::min<Instant::duration>(renewal_margin_max, lifetime / renewal_margin_part);
  }
  if (rules.refresh_token) refresh_token_ = login_->values.at(*rules.refresh_token);
  values_ = std::make_shared<const SessionValues>(SessionValues{std::move(login_->values), ++generation_});
  is_refreshed_ = login_->refreshing;
  login_.reset();
  failures_in_row_ = 0;
  resting_until_ = {};
}

bool Session::rejected(std::uint64_t generation, Instant now) {
  mind_clock(now);
  if (generation != generation_) return true;  // of an earlier login: there is a newer one already
  if (!values_) return login_.has_value();     // another request has said so before
  if (renewed_after_rejection_at_ && now < *renewed_after_rejection_at_ + renewal_after_rejection_pause) return false;
  renewed_after_rejection_at_ = now;
  values_.reset();
  // What it gives may belong to a session that is over at the carrier: then there would be no end of such tokens.
  if (is_refreshed_) refresh_token_.clear();
  return true;
}

Session::Failed Session::rejected_too_soon() const {
  return {{CarrierTrouble::Kind::auth, "the session has ended, and the last login was a moment ago"},
          renewed_after_rejection_at_.value_or(Instant{}) + renewal_after_rejection_pause};
}

}  // namespace remitod::carriers
