// A session at a carrier that asks for a login: [auth] kind = "oauth2" and "login". A state machine without clock and
// without I/O; daemon/carrier_access.h holds the loop around it.
//
//   next() says what a request that wants to go out has to do: take the values that are there, send a login, wait for
//   the one under way, or give up because the last one failed a moment ago. Whoever sends a login hands its result to
//   login_answered() and asks next() again: a login may have several steps.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/profile.h"
#include "carriers/request.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// Requests about an order.
enum class OrderOperation : std::uint8_t { create, confirm, range, find, cancel, cancel_lookup };

/// Why this answer as a whole says nothing, read as a track answer is, whose mapping tells it; absent: it may say
/// something. `auth`: in a session, the carrier does not take it (any more).
std::optional<CarrierTrouble> order_trouble(const Profile& profile, OrderOperation operation, const HttpAnswer& answer);

/// What a login gave: {{session.X}} in the order of the profile.
struct SessionValues {
  std::vector<std::string> values;
  std::uint64_t generation = 0;  ///< counts the logins that succeeded
};

class Session {
 public:
  struct Ready {
    std::shared_ptr<const SessionValues> values;
  };
  struct SendLogin {
    HttpRequest request;
  };
  struct Wait {};  ///< a login is under way
  struct Failed {
    CarrierTrouble trouble;  ///< of the last login; never a part of its answer's body, which may hold a token
    Instant retry_at{};      ///< no login before
  };
  using Step = std::variant<Ready, SendLogin, Wait, Failed>;

  /// `profile` has a session.
  explicit Session(std::shared_ptr<const Profile> profile);

  Step next(Instant now, const Random& random);
  /// What became of the request of the last SendLogin. Returns whether that was the end of the login, good or bad;
  /// else next() has its next request.
  bool login_answered(const FetchResult& result, Instant now);
  /// The carrier did not take these values: 401, 403 or a bad login told otherwise. Is a request that used them to be
  /// made once more? Many requests with one token cause one login. One a minute at most is caused so: a carrier that
  /// takes no token at all, or that refuses one shipment to us, is not asked for a new one with every request.
  bool rejected(std::uint64_t generation, Instant now);
  /// Where rejected() said no: when it would cause a login again.
  Failed rejected_too_soon() const;

  /// What the steps of the login under way have given so far; nothing where none is.
  std::vector<std::string> given() const { return login_ ? login_->values : std::vector<std::string>{}; }
  /// Why the last login failed; null where none has failed since one succeeded.
  const CarrierTrouble* trouble() const { return failures_in_row_ == 0 ? nullptr : &trouble_; }

 private:
  struct Login {
    bool refreshing = false;
    std::size_t step = 0;
    bool sent = false;
    std::vector<std::string> values;
    std::optional<Instant> ends_at;  ///< as far as the answers said
  };
  /// Moments that lie ahead are moved with a clock that was set back: else a rest of seconds would last for hours.
  void mind_clock(Instant now);
  Step send_login(Instant now, const Random& random);
  void take_answer(const HttpAnswer& answer, Instant now);
  void login_failed(CarrierTrouble trouble, std::optional<std::chrono::seconds> retry_after, Instant now);
  void login_ended(Instant now);

  std::shared_ptr<const Profile> profile_;
  std::shared_ptr<const SessionValues> values_;  ///< null: log in first
  std::optional<Instant> renew_at_;
  std::string refresh_token_;
  bool is_refreshed_ = false;  ///< the values came by the refresh token
  std::optional<Login> login_;
  std::uint64_t generation_ = 0;
  std::optional<Instant> renewed_after_rejection_at_;
  int failures_in_row_ = 0;
  Instant resting_until_{};
  Instant latest_{};  ///< that was seen
  CarrierTrouble trouble_;
};

}  // namespace remitod::carriers
