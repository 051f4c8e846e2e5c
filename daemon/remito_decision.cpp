#include "daemon/remito_decision.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "daemon/remito_outcome.h"

namespace remitod::daemon {
namespace {

using db::RemitoRequest;
using db::RequestOutcome;
using Kind = RequestOutcome::Kind;
using Step = RequestOutcome::NextStep;

// A carrier that will have none of our numbers has another range in mind.
constexpr int numbers_refused_max = 5;

class Decision {
 public:
  Decision(const RemitoRequest& request, RemitoNews news, const carriers::Promises& promises, Instant now)
      : request_(request), news_(std::move(news)), promises_(promises), now_(now) {}

  RequestOutcome take() {
    switch (news_.kind) {
      case RemitoNews::Kind::granted:
        return outcome(Kind::granted);
      case RemitoNews::Kind::refused:
        return may_exist() ? refused_again() : outcome(Kind::refused);
      case RemitoNews::Kind::accepted:
        return outcome(Kind::accepted);
      case RemitoNews::Kind::number_refused:
        return number_refused();
      case RemitoNews::Kind::impossible:
        return may_exist() ? ask_person(news_.code, "it cannot be sent again: " + news_.text) : outcome(Kind::refused);
      case RemitoNews::Kind::unsent:
        return later("unreachable", "could not be reached for three days; nothing was sent: ");
      case RemitoNews::Kind::put_off:
        return later("put_off", "put it off for three days; nothing was made: ");
      case RemitoNews::Kind::unclear:
        return unclear();
      case RemitoNews::Kind::interrupted:
        return way_out("");
      case RemitoNews::Kind::due_again:
        return key_is_remembered() ? resend_at(now_) : way_out("");
      case RemitoNews::Kind::not_confirmed:
        return not_confirmed();
      case RemitoNews::Kind::found:
        return found();
      case RemitoNews::Kind::several:
        return ask_person("several_found", "the carrier has our reference more than once: " + news_.text);
      case RemitoNews::Kind::not_found:
        return not_found();
      case RemitoNews::Kind::find_failed:
        return find_again("the carrier could not be asked for our reference: " + news_.text);
    }
    std::unreachable();
  }

 private:
  /// An earlier call may have made a shipment.
  bool may_exist() const { return request_.unclear_at.has_value(); }
  bool was_accepted() const { return request_.confirm_until.has_value(); }
  bool key_is_remembered(Instant at) const {
    if (!promises_.key_window || was_accepted()) return false;
    // The call takes its time, too: the last tenth of the window is left alone. The clock may have been set back since.
    const auto window = *promises_.key_window * 9 / 10;
    return at < request_.first_sent_at.value_or(now_) + window && news_.known_for + (at - now_) < window;
  }
  bool key_is_remembered() const { return key_is_remembered(now_); }

  RequestOutcome outcome(Kind kind) {
    RequestOutcome result = outcome_of(request_, kind);
    result.remito = std::move(news_.remito);
    result.code = std::move(news_.code);
    result.text = std::move(news_.text);
    result.retry_at = std::max(now_, news_.retry_at);
    return result;
  }

  RequestOutcome ask_person(std::string_view code, std::string why) {
    RequestOutcome result = outcome_of(request_, Kind::needs_operator);
    result.code = code;
    result.text = std::move(why);
    if (!request_.seen.empty() && request_.seen != result.text) result.text += "; before that: " + request_.seen;
    return result;
  }

  RequestOutcome find_at(Instant at) {
    RequestOutcome result = outcome_of(request_, Kind::unknown);
    result.next_step = Step::find;
    result.retry_at = at;
    return result;
  }

  RequestOutcome resend_at(Instant at) {
    RequestOutcome result = outcome_of(request_, Kind::unknown);
    result.next_step = Step::resend;
    result.retry_at = at;
    return result;
  }

  /// Of the same request sent once more: that says nothing of the call before. A search that proves something does.
  RequestOutcome refused_again() {
    if (promises_.can_find && promises_.visible_after) return find_at(now_);
    return ask_person(news_.code, "refused when it was sent again: " + news_.text);
  }

  RequestOutcome not_confirmed() {
    RequestOutcome result = promises_.can_find ? find_at(now_) : ask_person(news_.code, news_.text);
    result.call_was_unclear = true;
    if (result.kind == Kind::unknown) {
      result.code = std::move(news_.code);
      result.text = std::move(news_.text);
    }
    return result;
  }

  RequestOutcome number_refused() {
    // It may be refused because the call before took it.
    if (may_exist())
      return ask_person(news_.code,
                        "the carrier refuses the number of a call that it may have answered: " + news_.text);
    return outcome(request_.numbers_refused + 1 < numbers_refused_max ? Kind::renumber : Kind::refused);
  }

  /// This call has made nothing.
  RequestOutcome later(std::string_view code, std::string_view in_vain) {
    const Instant pause_over = std::max(now_ + unsent_pause(request_.attempts), news_.retry_at);
    if (may_exist()) return key_is_remembered() ? resend_at(pause_over) : way_out("not sent again: " + news_.text);
    if (now_ >= request_.accepted_at + unsent_time)
      return ask_person(code, "the carrier " + std::string(in_vain) + news_.text);
    RequestOutcome result = outcome(Kind::unsent);
    result.retry_at = pause_over;
    return result;
  }

  RequestOutcome unclear() {
    const bool too_often = request_.unclear_calls + 1 >= unclear_calls_max;
    std::string seen = news_.text;
    RequestOutcome result =
        promises_.can_find ? find_at(now_ + unsent_pause(1))
        : too_often        ? ask_person("attempts", "no call of " + std::to_string(unclear_calls_max) + " was answered")
        : key_is_remembered() ? resend_at(now_ + unsent_pause(request_.unclear_calls + 1))
                              : ask_person("unclear", without_recourse());
    result.call_was_unclear = true;
    if (result.kind == Kind::unknown) {
      result.code = std::move(news_.code);
      result.text = std::move(seen);
    } else {
      result.text += "; last seen: " + seen;
    }
    return result;
  }

  /// Nothing new is known: what can be done about a call that may have made a shipment?
  RequestOutcome way_out(std::string why) {
    if (promises_.can_find) return find_at(now_);
    if (!why.empty()) why += "; ";
    if (request_.unclear_calls >= unclear_calls_max)
      return ask_person("attempts", why + "no call of " + std::to_string(unclear_calls_max) + " was answered");
    if (key_is_remembered()) return resend_at(now_);
    return ask_person("unclear", why + without_recourse());
  }

  std::string without_recourse() const {
    return promises_.key_window
               ? "the carrier no longer remembers the key, so that sending it again may make a second shipment"
               : "the carrier cannot be asked for our reference, and sending it again may make a second shipment";
  }

  RequestOutcome found() {
    // Before a carrier has accepted anything, the number is one of a range, which it does not change.
    const std::string& ours = request_.proposed_remito;
    if (!was_accepted() && !ours.empty() && news_.remito != ours)
      return ask_person("number_differs", "the carrier has our reference with remito " + news_.remito +
                                              ", but it was given the number " + ours);
    const auto wanted = carriers::parcels_of(request_.payload);
    if (news_.parcels && wanted && *news_.parcels != *wanted)
      return ask_person("parcels_differ", "the carrier has our reference with remito " + news_.remito + " and " +
                                              std::to_string(*news_.parcels) + " parcel(s) instead of " +
                                              std::to_string(*wanted));
    RequestOutcome result = outcome(Kind::granted);
    result.found = true;
    return result;
  }

  RequestOutcome not_found() {
    const std::string why = "the carrier does not find our reference";
    if (was_accepted()) return find_again(why + ", though it accepted the request");
    if (promises_.visible_after && news_.asked_after >= *promises_.visible_after) {
      if (request_.unclear_calls >= unclear_calls_max)
        return ask_person("attempts",
                          why + " after " + std::to_string(request_.unclear_calls) + " calls without a clear answer");
      RequestOutcome result = outcome_of(request_, Kind::not_made);
      result.retry_at = now_;
      result.text = why + ": sent anew";
      return result;
    }
    if (!promises_.visible_after) return find_again(why + ", and does not promise when it would");
    // A look at the very moment from which a miss counts, and before it now and then.
    const Instant next = now_ + unsent_pause(request_.looks + 1);
    return find_at(std::min(next, now_ + (*promises_.visible_after - news_.asked_after)));
  }

  RequestOutcome find_again(std::string why) {
    const Instant next = now_ + unsent_pause(request_.looks + 1);
    const bool looking_helps = promises_.visible_after && key_is_remembered(next);
    if (key_is_remembered() && !looking_helps && request_.unclear_calls < unclear_calls_max) return resend_at(now_);
    if (now_ >= request_.unclear_at.value_or(now_) + finding_time) return ask_person("not_found", std::move(why));
    return find_at(next);
  }

  const RemitoRequest& request_;
  RemitoNews news_;
  const carriers::Promises& promises_;
  Instant now_;
};

}  // namespace

RequestOutcome decide(const RemitoRequest& request, RemitoNews news, const carriers::Promises& promises, Instant now) {
  return Decision(request, std::move(news), promises, now).take();
}

}  // namespace remitod::daemon
