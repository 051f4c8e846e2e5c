#include "daemon/carrier_access.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "daemon/log.h"

namespace remitod::daemon {

using carriers::Redactor;
using carriers::Session;

namespace {

constexpr std::size_t login_body_bytes_kept = 64 * 1024;

}  // namespace

carriers::Call call_in(const SessionPointer& session, Instant now, const carriers::Random& random) {
  carriers::Call call(now);
  call.random = random;
  if (session) call.session = session->values;
  return call;
}

CarrierAccess::CarrierAccess(Runtime& runtime, carriers::HttpTransport& transport,
                             std::shared_ptr<const carriers::Profile> profile, Hooks hooks)
    : runtime_(runtime),
      transport_(transport),
      profile_(std::move(profile)),
      hooks_(std::move(hooks)),
      redactor_(std::make_shared<const Redactor>(*profile_)) {
  if (profile_->has_session()) session_.emplace(profile_);
}

void CarrierAccess::enter(Then then) {
  if (!session_) return then(SessionPointer{});
  waiting_.push_back(std::move(then));
  advance();
}

void CarrierAccess::advance() {
  Session::Step step = session_->next(runtime_.now(), hooks_.random());
  if (auto* const ready = std::get_if<Session::Ready>(&step))
    let_in(ready->values);
  else if (auto* const login = std::get_if<Session::SendLogin>(&step))
    send_login(std::move(login->request));
  else if (auto* const failed = std::get_if<Session::Failed>(&step))
    turn_away(std::move(*failed));
}

void CarrierAccess::let_in(const SessionPointer& session) {
  if (std::exchange(generation_, session->generation) != session->generation) keep_secret(session->values);
  for (Then& then : std::exchange(waiting_, {})) then(session);
}

void CarrierAccess::keep_secret(const std::vector<std::string>& values) {
  if (std::ranges::all_of(values, [](const std::string& value) { return value.empty(); })) return;
  auto redactor = std::make_shared<Redactor>(*redactor_);
  redactor->add_session(values);
  redactor_ = std::move(redactor);
}

// Later, so that whoever asks and is turned away does not ask anew from inside of its own question.
void CarrierAccess::turn_away(Session::Failed why) {
  login_has_ended_ = true;  // also where its next request cannot be made
  std::ranges::move(std::exchange(waiting_, {}), std::back_inserter(turned_away_));
  runtime_.post([this, why = std::move(why)] {
    for (Then& then : std::exchange(turned_away_, {})) then(std::unexpected(why));
    hooks_.turned_away();
  });
}

void CarrierAccess::send_login(carriers::HttpRequest request) {
  if (std::exchange(login_has_ended_, false)) {
    ++logins_;
    last_login_.clear();
  }
  hooks_.request_sent();
  auto sent = request;
  transport_.submit(std::move(request), [this, sent = std::move(sent)](const carriers::FetchResult& result) {
    login_answered(sent, result);
    hooks_.request_answered();
  });
}

void CarrierAccess::login_answered(const carriers::HttpRequest& request, const carriers::FetchResult& result) {
  last_login_.push_back({request, result});
  if (auto& kept = last_login_.back().result; kept && kept->body.size() > login_body_bytes_kept) kept->body.clear();
  if (session_->login_answered(result, runtime_.now())) {
    login_has_ended_ = true;
    if (const carriers::CarrierTrouble* const trouble = session_->trouble()) {
      log(Level::warning, "login_failed",
          {{"carrier", profile_->name()},
           {"kind", carriers::name(trouble->kind)},
           {"error", redact(trouble->message)}});
    } else {
      logged_in_at_ = runtime_.now();
      log(Level::info, "logged_in", {{"carrier", profile_->name()}});
    }
  } else {
    keep_secret(session_->given());  // the trouble of its next step may quote it
  }
  advance();
}

bool CarrierAccess::refused(const SessionPointer& session) {
  return session && session_->rejected(session->generation, runtime_.now());
}

std::string CarrierAccess::login_trouble() const {
  const carriers::CarrierTrouble* const trouble = session_ ? session_->trouble() : nullptr;
  return trouble ? redact(trouble->message) : std::string{};
}

}  // namespace remitod::daemon
