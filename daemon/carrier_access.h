// Who we are to one carrier, for all who ask it something: the session where it wants one, the randomness of requests,
// and what must not be seen of either. The loop around carriers/session.h. Belongs to the deciding thread.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "carriers/redactor.h"
#include "carriers/request.h"
#include "carriers/session.h"
#include "carriers/transport.h"
#include "carriers/trial.h"
#include "daemon/runtime.h"

namespace remitod::daemon {

/// Null at a carrier that wants no login.
using SessionPointer = std::shared_ptr<const carriers::SessionValues>;

/// What a request is made with; `session` outlives it.
carriers::Call call_in(const SessionPointer& session, Instant now, const carriers::Random& random);

class CarrierAccess {
 public:
  struct Hooks {
    // Of logins: they count against the carrier's limits like any other request.
    std::function<void()> request_sent, request_answered;
    std::function<void()> turned_away;  ///< all who waited for a login that failed were told: nobody waits any more
    std::function<carriers::Random()> random;
  };
  /// `runtime` and `transport` outlive it; so does whoever waits for a session.
  CarrierAccess(Runtime& runtime, carriers::HttpTransport& transport, std::shared_ptr<const carriers::Profile> profile,
                Hooks hooks);

  bool wants_login() const { return session_.has_value(); }

  using Entered = std::expected<SessionPointer, carriers::Session::Failed>;
  using Then = std::move_only_function<void(Entered)>;
  /// Calls `then` at once where the session stands or none is wanted; else when the login has ended, which all wait for
  /// together. Where that has failed, now or a while ago, `then` is never called inside of this call.
  void enter(Then then);
  bool is_entering() const { return !waiting_.empty() || !turned_away_.empty(); }  ///< somebody waits in enter()
  /// The carrier did not take this session. Is the request to be made once more, through enter()?
  bool refused(const SessionPointer& session);
  /// Where it is not, though a login would help: one was caused a moment ago.
  carriers::Session::Failed refused_too_soon() const { return session_->rejected_too_soon(); }

  carriers::Random random() const { return hooks_.random(); }
  const std::shared_ptr<const carriers::Profile>& profile() const { return profile_; }

  /// Without what must not be seen.
  std::string redact(std::string text) const { return redactor_->redact(std::move(text)); }
  /// Knows the sessions up to now. For other threads.
  std::shared_ptr<const carriers::Redactor> redactor() const { return redactor_; }
  /// The last login that succeeded, since the start.
  std::optional<Instant> logged_in_at() const { return logged_in_at_; }
  /// The requests of the last login with what became of them; bodies beyond 64 KiB are left out. While one is under
  /// way, those that were answered.
  const std::vector<carriers::LoginExchange>& last_login() const { return last_login_; }
  /// How many there were. Does last_login() tell of one that began since?
  std::uint64_t logins() const { return logins_; }
  /// Why the last login failed, to be shown; empty where none has failed since one succeeded.
  std::string login_trouble() const;

 private:
  void advance();
  void let_in(const SessionPointer& session);
  void keep_secret(const std::vector<std::string>& values);
  void turn_away(carriers::Session::Failed why);
  void send_login(carriers::HttpRequest request);
  void login_answered(const carriers::HttpRequest& request, const carriers::FetchResult& result);

  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  std::shared_ptr<const carriers::Profile> profile_;
  Hooks hooks_;
  std::optional<carriers::Session> session_;
  std::shared_ptr<const carriers::Redactor> redactor_;
  std::uint64_t generation_ = 0;  ///< the last that the redactor knows
  std::optional<Instant> logged_in_at_;
  std::vector<Then> waiting_;
  std::vector<Then> turned_away_;  ///< will be told so in a moment
  std::vector<carriers::LoginExchange> last_login_;
  std::uint64_t logins_ = 0;
  bool login_has_ended_ = true;
};

}  // namespace remitod::daemon
