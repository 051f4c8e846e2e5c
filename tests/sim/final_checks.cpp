#include "tests/sim/final_checks.h"

#include <algorithm>
#include <map>

#include "scheduler/adaptive_config.h"
#include "tests/sim/store_watch.h"

namespace remitod::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// What was published so long before a shipment left its lane was seen in time, and an interval besides.
constexpr hours seen_for_sure{3};
// So long an unclear cancellation is looked at, and from one look to the next.
constexpr hours looked_at{25};
constexpr minutes next_look{20};

std::vector<EventRow> rows_of(const std::vector<TrueEvent>& events) {
  std::vector<EventRow> rows;
  for (const TrueEvent& event : events) rows.push_back({event.occurred_at, std::string(name(event.status))});
  std::ranges::sort(rows);
  return rows;
}

std::string in_words(const std::vector<EventRow>& events) {
  std::string text;
  for (const EventRow& event : events) text += "\n    " + to_iso8601(event.occurred_at) + " " + event.status;
  return text.empty() ? " none" : text;
}

class FinalChecks {
 public:
  explicit FinalChecks(const Ending& ending)
      : ending_(ending),
        shipments_(read_shipments(ending.session)),
        requests_(read_requests(ending.session)),
        transitions_(read_transitions(ending.session)) {}

  void run() const {
    for (const ShipmentRow& shipment : shipments_) check_shipment(shipment);
    for (const RequestRow& request : requests_) check_request(request);
    for (const CancelRow& cancel : read_cancels(ending_.session)) check_cancel(cancel);
    check_letters();
    check_lanes();
  }

 private:
  void check_shipment(const ShipmentRow& shipment) const {
    const std::string about = shipment.carrier + ":" + shipment.remito;
    const Carrier& carrier = ending_.wire.carrier(shipment.carrier);
    const auto truth = carrier.published(shipment.remito, ending_.now);
    const auto expected = rows_of(truth);
    const auto stored = read_events(ending_.session, shipment.id);
    const bool all_known = stored == expected;
    // What came after it had ended nobody has seen.
    const auto at_least = shipment.ended_at
                              ? rows_of(carrier.published(shipment.remito, *shipment.ended_at - seen_for_sure -
                                                                               max_interval(shipment.carrier)))
                              : expected;
    if (!std::ranges::includes(expected, stored) || !std::ranges::includes(stored, at_least))
      broken("events_are_true", about + " has" + in_words(stored) + "\n  and the carrier" + in_words(expected));
    if (all_known && shipment.status != name(true_status(truth)))
      broken("status_is_true",
             about + " is " + shipment.status + ", and truly " + std::string(name(true_status(truth))));
    if (shipment.status == "cancelled" && !carrier.is_cancelled(shipment.remito))
      broken("cancellations_are_true", about + " is cancelled, and not at its carrier");
    if (!shipment.baseline) check_told(shipment, stored);
  }

  std::chrono::microseconds max_interval(const std::string& carrier) const {
    const scheduler::LaneConfig& lane = ending_.poller.lane(carrier)->config();
    return lane.adaptive ? lane.adaptive->max_interval : lane.interval;
  }

  // Each failed attempt is told once; with what is not late, a consumer arrives at the present status.
  void check_told(const ShipmentRow& shipment, const std::vector<EventRow>& stored) const {
    const std::string about = shipment.carrier + ":" + shipment.remito;
    std::string told = "registered";
    std::vector<Instant> attempts;
    for (const TransitionRow& transition : transitions_) {
      if (transition.subject != "shipment" || transition.shipment_id != shipment.id) continue;
      if (!transition.late) told = transition.to;
      if (transition.to == "attempt_failed") attempts.push_back(*transition.occurred_at);
    }
    if (told != shipment.status)
      broken("status_is_told", about + " is " + shipment.status + ", and told to be " + told);
    std::vector<Instant> failed;
    for (const EventRow& event : stored)
      if (event.status == "attempt_failed") failed.push_back(event.occurred_at);
    std::ranges::sort(attempts);
    if (attempts != failed)
      broken("attempts_are_told", about + " had " + std::to_string(failed.size()) + " failed attempts, told were " +
                                      std::to_string(attempts.size()));
  }

  void check_request(const RequestRow& request) const {
    const std::string about = "request " + std::to_string(request.id) + " at " + request.carrier;
    const Carrier& carrier = ending_.wire.carrier(request.carrier);
    const std::string& reference = carrier.reference_of(request.client_ref, request.order_number);
    const std::vector<std::string> made = carrier.made(reference);
    const bool granted = request.state == "granted", refused = request.state == "refused";
    const bool waits_for_person = request.state == "needs_operator", cancelled = request.state == "cancelled";
    if (!granted && !refused && !cancelled && !waits_for_person)
      broken("requests_are_settled", about + " is " + request.state);
    if (request.key.ends_with("-again") && request.refusal_code == "duplicate_request")
      broken("order_may_ask_again", about + " is refused, though what it asks for again was cancelled");
    if (waits_for_person && !ending_.unclear.contains({request.carrier, reference}))
      broken("people_are_asked_rightly", about + " waits for a person, though its call had a clear answer");
    // After five calls without an answer it is enough. A refusal of what is sent again says nothing of the call before,
    // and where there is no look-up nobody else can (daemon/remito_decision.h).
    const bool refused_again = carrier.name() == "llave" && made.empty();
    if (waits_for_person && carrier.can_be_asked_again() && request.refusal_code != "attempts" && !refused_again)
      broken("people_are_asked_rightly", about + " waits for a person, though the carrier can tell");
    if (granted && made != std::vector{request.remito})
      broken("remitos_are_true", about + " was granted " + request.remito + ", and the carrier made " +
                                     (made.empty() ? "none" : made.front()));
    if ((refused || cancelled) && !made.empty())
      broken("remitos_are_true", about + " was " + request.state + ", and the carrier made one");
    const auto ready = std::ranges::count_if(transitions_, [&](const TransitionRow& transition) {
      return transition.subject == "request" && transition.request_id == request.id && transition.to == "ready_to_ship";
    });
    if (ready != (granted ? 1 : 0))
      broken("ready_once", about + " made its order ready " + std::to_string(ready) + " times");
  }

  void check_cancel(const CancelRow& cancel) const {
    const std::string about = "cancellation " + cancel.key + " of " + cancel.carrier + ":" + cancel.remito;
    const bool at_carrier = !cancel.remito.empty();
    const bool truly_cancelled = at_carrier && ending_.wire.carrier(cancel.carrier).is_cancelled(cancel.remito);
    if (cancel.state == "cancelled") {
      if (at_carrier ? !truly_cancelled : !any_request_of(cancel.order_number, "cancelled"))
        broken("cancellations_are_true", about + " is done, and not at its carrier");
    } else if (cancel.state == "refused") {
      if (truly_cancelled) broken("cancellations_are_true", about + " is refused, and the carrier did it");
      if (cancel.refusal_code == "nothing_to_cancel" && had_a_shipment(cancel.order_number))
        broken("cancellations_are_true", about + " found nothing to cancel, and there was a request");
    } else if (cancel.state == "pending" && !at_carrier) {
      if (!any_request_of(cancel.order_number, "needs_operator"))
        broken("cancellations_are_settled", about + " waits for nothing");
    } else if (cancel.state == "unknown" || cancel.state == "needs_operator") {
      if (!ending_.unclear.contains({cancel.carrier, cancel_of(cancel.remito)}))
        broken("people_are_asked_rightly", about + " is " + cancel.state + ", though its call had a clear answer");
      if (truly_cancelled) broken("cancellations_are_true", about + " is " + cancel.state + ", and the carrier did it");
      if (cancel.state == "unknown" && (ending_.now > *cancel.unclear_at + looked_at || has_long_ended(cancel)))
        broken("cancellations_are_settled", about + " is unknown since " + to_iso8601(*cancel.unclear_at));
    } else {
      broken("cancellations_are_settled", about + " is " + cancel.state);
    }
  }

  bool any_request_of(const std::string& order, std::string_view state) const {
    return std::ranges::any_of(
        requests_, [&](const RequestRow& request) { return request.order_number == order && request.state == state; });
  }

  /// Of the request that was there before any cancellation.
  bool had_a_shipment(const std::string& order) const {
    return std::ranges::any_of(requests_, [&](const RequestRow& request) {
      return request.key == "key-" + order && request.state == "granted";
    });
  }

  bool has_long_ended(const CancelRow& cancel) const {
    return std::ranges::any_of(shipments_, [&](const ShipmentRow& shipment) {
      return shipment.carrier == cancel.carrier && shipment.remito == cancel.remito && shipment.terminal_at &&
             *shipment.terminal_at < ending_.now - next_look;
    });
  }

  void check_letters() const {
    const std::set<std::int64_t>& taken = ending_.wire.receiver().taken();
    for (const TransitionRow& transition : transitions_) {
      if (transition.seq == 0) broken("seq", "transition " + std::to_string(transition.id) + " has none");
      if (!taken.contains(transition.id))
        broken("letters_arrived", "transition " + std::to_string(transition.id) + " did not reach the receiver");
    }
    if (taken.size() != transitions_.size())
      broken("letters_arrived", "the receiver was told of what is no transition");
  }

  bool is_past_tail(const ShipmentRow& shipment) const {
    return shipment.terminal_at &&
           ending_.now >= *shipment.terminal_at + ending_.poller.carrier(shipment.carrier)->rules.tail;
  }

  void check_lanes() const {
    std::map<std::string, std::size_t> open;
    for (const ShipmentRow& shipment : shipments_) {
      if (shipment.ended_at) continue;
      const bool is_followed = ending_.poller.lane(shipment.carrier)->find(shipment.id).has_value();
      // Past its tail it leaves with its next answer, and is marked as ended within a minute.
      if (!is_followed && !is_past_tail(shipment))
        broken("lanes_are_complete", shipment.carrier + ":" + shipment.remito + " is in no lane");
      if (is_followed) ++open[shipment.carrier];
    }
    for (const auto& [carrier, count] : open)
      if (ending_.poller.lane(carrier)->size() != count)
        broken("lanes_are_complete", carrier + "'s lane holds " + std::to_string(ending_.poller.lane(carrier)->size()) +
                                         " shipments of " + std::to_string(count));
  }

  const Ending& ending_;
  std::vector<ShipmentRow> shipments_;
  std::vector<RequestRow> requests_;
  std::vector<TransitionRow> transitions_;
};

}  // namespace

void check_truth(const Ending& ending) {
  FinalChecks(ending).run();
}

}  // namespace remitod::sim
