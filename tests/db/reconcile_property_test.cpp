// What holds for every history and every order of reports.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "db/fold.h"
#include "db/history.h"
#include "tests/db/followed_shipment.h"

namespace remitod::db {
namespace {

using enum Status;

// ---------------------------------------------------------------- generated histories

/// One line of a carrier's list, before its time: days and hours since the line before, and what it says.
using Line = std::tuple<int, int, bool, int, int, int>;

rc::Gen<std::vector<Line>> lines() {
  return rc::gen::resize(20, rc::gen::container<std::vector<Line>>(rc::gen::tuple(
                                 rc::gen::weightedElement<int>({{3, 0}, {1, 1}}),          // days on
                                 rc::gen::weightedElement<int>({{2, 0}, {2, 1}, {1, 6}}),  // hours on: 0 is a tie
                                 rc::gen::weightedElement<bool>({{2, false}, {1, true}}),  // a date without an hour
                                 rc::gen::inRange(0, static_cast<int>(status_count)),      // status
                                 rc::gen::inRange(0, 2),                                   // one of its codes
                                 rc::gen::weightedElement<int>({{3, 0}, {1, 1}}))));       // place
}

/// Code and status go together, as a profile makes them: `variant` is one of two codes, each with its reason.
TrackingEvent coded_event(Status status, int variant, int place, OccurredAt occurred_at) {
  TrackingEvent made = event(status, occurred_at);
  made.code += std::to_string(variant);
  made.place = place == 0 ? "Lima" : "Cusco";
  if (status == attempt_failed) made.reason = variant == 0 ? Reason::recipient_absent : Reason::recipient_refused;
  if (status == exception) made.reason = variant == 0 ? Reason::weather : Reason::customs;
  return made;
}

/// A history in canonical order, each event once: what a carrier lists that is true to its own clock.
std::vector<TrackingEvent> canonical_list(const std::vector<Line>& drawn) {
  std::vector<TrackingEvent> list;
  std::set<std::string> keys;
  int day = 0;
  int hour = 0;
  for (const auto& [days_on, hours_on, date_only, status, variant, place] : drawn) {
    day += days_on;
    hour = days_on > 0 ? 0 : std::min(23, hour + hours_on);
    TrackingEvent made =
        coded_event(static_cast<Status>(status), variant, place, date_only ? dated(day) : timed(day, hour));
    made.position = static_cast<std::uint32_t>(list.size());
    if (keys.insert(event_key(made)).second) list.push_back(std::move(made));
  }
  return list;
}

/// Reports that each show some events of a list, in any order; `recounted`: with positions of what they show, as of a
/// carrier that shows a window of its history.
rc::Gen<std::vector<Report>> reports_of(std::vector<TrackingEvent> list) {
  const auto event_index = rc::gen::inRange<std::size_t>(0, std::max<std::size_t>(list.size(), 1));
  const auto shown =
      rc::gen::pair(rc::gen::container<std::vector<std::size_t>>(event_index), rc::gen::arbitrary<bool>());
  return rc::gen::map(
      rc::gen::resize(12, rc::gen::container<std::vector<std::pair<std::vector<std::size_t>, bool>>>(shown)),
      [list = std::move(list)](const auto& drawn) {
        std::vector<Report> reports;
        for (const auto& [indices, recounted] : drawn) {
          std::vector<TrackingEvent> events;
          for (const std::size_t index : indices)
            if (index < list.size()) events.push_back(list[index]);
          reports.push_back(recounted
                                ? history_report(std::move(events))
                                : Report{.remito = "0001", .kind = Report::Kind::events, .events = std::move(events)});
        }
        return reports;
      });
}

/// A list that need not be true to its clock: the carrier has its lines in any order.
std::vector<TrackingEvent> shuffled_list(std::vector<TrackingEvent> list, unsigned seed) {
  std::mt19937 random(seed);
  std::ranges::shuffle(list, random);
  return history_report(std::move(list)).events;
}

struct Drawn {
  std::vector<TrackingEvent> list;
  std::vector<Report> reports;
};
Drawn draw() {
  Drawn drawn{.list = canonical_list(*lines()), .reports = {}};
  if (*rc::gen::arbitrary<bool>()) drawn.list = shuffled_list(std::move(drawn.list), *rc::gen::arbitrary<unsigned>());
  drawn.reports = *reports_of(drawn.list);
  return drawn;
}

/// Every report at least once, in an order of its own.
std::vector<Report> reordered(std::vector<Report> reports, unsigned seed) {
  std::mt19937 random(seed);
  const std::size_t once = reports.size();
  for (std::size_t i = 0; i < once; ++i)
    if (random() % 2 == 0) reports.push_back(reports[i]);
  std::ranges::shuffle(reports, random);
  return reports;
}

FollowedShipment follow(const std::vector<Report>& reports) {
  FollowedShipment shipment;
  for (const Report& report : reports) shipment.apply(report);
  return shipment;
}

std::vector<Report> growing_prefixes(const std::vector<TrackingEvent>& list) {
  std::vector<Report> reports;
  for (std::size_t shown = 0; shown <= list.size(); ++shown)
    reports.push_back(history_report({list.begin(), list.begin() + static_cast<std::ptrdiff_t>(shown)}));
  return reports;
}

/// The history that is stored, and what it means, straight from the fold.
std::pair<History, Folded> meaning(const FollowedShipment& shipment) {
  History history;
  for (const KnownEvent& known : shipment.known.events)
    history.push_back({.known = known, .key = event_key(known.event), .novelty = Novelty::settled});
  sort_canonically(history);
  Folded folded = fold(history, std::nullopt);
  return {std::move(history), std::move(folded)};
}

EmittedStep identity(const ShipmentTransition& transition) {
  return {transition.event_key, transition.to, transition.inferred};
}

// ---------------------------------------------------------------- what is stored

RC_GTEST_PROP(ReconcileProperty, WhatIsStoredDependsOnlyOnTheSetOfReports, ()) {
  const Drawn drawn = draw();
  const FollowedShipment one = follow(drawn.reports);
  const FollowedShipment other = follow(reordered(drawn.reports, *rc::gen::arbitrary<unsigned>()));
  RC_ASSERT(one.stored_events() == other.stored_events());
  RC_ASSERT(one.known.status == other.known.status);
  RC_ASSERT(one.known.reason == other.known.reason);
  RC_ASSERT(one.known.attempts_failed == other.known.attempts_failed);
}

RC_GTEST_PROP(ReconcileProperty, ARepeatedReportChangesNothing, ()) {
  const Drawn drawn = draw();
  FollowedShipment shipment = follow(drawn.reports);
  const Status status = shipment.known.status;
  for (const Report& report : drawn.reports) {
    const Reconciled result = shipment.apply(report);
    RC_ASSERT(changes_nothing(result));
    RC_ASSERT(result.status == status);
    RC_ASSERT(result.noise + result.unmapped == 0U);
  }
}

RC_GTEST_PROP(ReconcileProperty, TimedEventsKeepTheOrderOfTheirTimesAndDatesTheirDay, ()) {
  History history;
  for (const TrackingEvent& each : draw().list)
    history.push_back({.known = {.event = each}, .key = event_key(each), .novelty = Novelty::fresh});
  sort_canonically(history);
  Instant last_timed{};
  Instant last_day{};
  for (const HistoryEntry& entry : history) {
    const OccurredAt& occurred_at = *entry.known.event.occurred_at;
    const Instant day = occurred_at.at - (occurred_at.at - moment(0, 0)) % std::chrono::days{1};
    RC_ASSERT(day >= last_day);
    last_day = day;
    if (occurred_at.date_only) continue;
    RC_ASSERT(occurred_at.at >= last_timed);
    last_timed = occurred_at.at;
  }
}

RC_GTEST_PROP(ReconcileProperty, AListTrueToItsClockIsItsOwnCanonicalOrder, ()) {
  const std::vector<TrackingEvent> list = canonical_list(*lines());
  const Reconciled result = FollowedShipment{}.apply(history_report(list));
  std::vector<TrackingEvent> stored;
  for (const KnownEvent& known : result.new_events) stored.push_back(known.event);
  RC_ASSERT(stored == list);
}

// ---------------------------------------------------------------- what is told, in any order

RC_GTEST_PROP(ReconcileProperty, NothingIsToldTwice, ()) {
  std::set<EmittedStep> told;
  for (const ShipmentTransition& transition : follow(draw().reports).told)
    RC_ASSERT(told.insert(identity(transition)).second);
}

RC_GTEST_PROP(ReconcileProperty, EveryFailedAttemptIsToldOnceInEveryOrder, ()) {
  const FollowedShipment shipment = follow(draw().reports);
  const auto [history, folded] = meaning(shipment);
  for (const Step& step : folded.steps) {
    if (step.to != attempt_failed) continue;
    RC_ASSERT(
        std::ranges::count(shipment.told, EmittedStep{history[step.entry].key, attempt_failed, false}, identity) == 1);
  }
}

RC_GTEST_PROP(ReconcileProperty, EveryStatusOfTheHistoryIsToldInEveryOrder, ()) {
  const FollowedShipment shipment = follow(draw().reports);
  for (const Step& step : meaning(shipment).second.steps)
    RC_ASSERT(std::ranges::count(shipment.told, step.to, &ShipmentTransition::to) > 0);
}

RC_GTEST_PROP(ReconcileProperty, TransitIsToldBeforeWhatImpliesIt, ()) {
  const std::set<Status> implying{out_for_delivery, available_for_pickup, attempt_failed, delivered, returning,
                                  returned};
  bool in_transit_told = false;
  for (const ShipmentTransition& transition : follow(draw().reports).told) {
    in_transit_told |= transition.to == in_transit;
    RC_ASSERT(in_transit_told || !implying.contains(transition.to));
  }
}

RC_GTEST_PROP(ReconcileProperty, ALateTransitionIsAnAttemptOrAStatusNeverTold, ()) {
  std::set<Status> told{registered};
  for (const ShipmentTransition& transition : follow(draw().reports).told) {
    if (transition.late) RC_ASSERT(transition.to == attempt_failed || !told.contains(transition.to));
    told.insert(transition.to);
  }
}

RC_GTEST_PROP(ReconcileProperty, AChangeOfThePresentStatusIsToldLastUnlessItsStepWasToldBefore, ()) {
  FollowedShipment shipment;
  for (const Report& report : draw().reports) {
    const Status before = shipment.known.status;
    const std::vector<EmittedStep> told_before = shipment.known.emitted;
    const Reconciled result = shipment.apply(report);
    if (result.status == before) continue;
    const auto [history, folded] = meaning(shipment);
    const Step& last = folded.steps.back();
    const EmittedStep step{history[last.entry].key, last.to, last.inferred};
    if (std::ranges::count(told_before, step) > 0) continue;
    RC_ASSERT(!result.transitions.empty());
    RC_ASSERT(identity(result.transitions.back()) == step);
    RC_ASSERT(!result.transitions.back().late);
  }
}

RC_GTEST_PROP(ReconcileProperty, WhatIsNotLateLeadsFromThePresentStatusBeforeTheReportToThatAfterIt, ()) {
  FollowedShipment shipment;
  for (const Report& report : draw().reports) {
    Status present = shipment.known.status;
    const std::vector<EmittedStep> told_before = shipment.known.emitted;
    for (const ShipmentTransition& transition : shipment.apply(report).transitions) {
      if (transition.late) continue;
      RC_ASSERT(transition.from == present);
      present = transition.to;
    }
    if (present == shipment.known.status) continue;
    const auto [history, folded] = meaning(shipment);
    const Step& last = folded.steps.back();
    RC_ASSERT(std::ranges::count(told_before, EmittedStep{history[last.entry].key, last.to, last.inferred}) == 1);
  }
}

RC_GTEST_PROP(ReconcileProperty, TransitionsAreOfThePresentRulesAndMarkedAsWhatTheyAre, ()) {
  bool any_end_told = false;
  for (const ShipmentTransition& transition : follow(draw().reports).told) {
    RC_ASSERT(transition.to != unmapped && transition.to != expired && transition.to != registered);
    RC_ASSERT(transition.correction || !is_terminal(transition.from));
    RC_ASSERT(any_end_told || !transition.correction);
    any_end_told = any_end_told || is_terminal(transition.to);
    RC_ASSERT((transition.attempt > 0) == (transition.to == attempt_failed));
    RC_ASSERT(!transition.inferred || transition.to == in_transit);
  }
}

// ---------------------------------------------------------------- what is told when all goes well

RC_GTEST_PROP(ReconcileProperty, AGrowingHistoryIsToldAsIfItHadBeenSeenAtOnce, ()) {
  const std::vector<TrackingEvent> list = canonical_list(*lines());
  RC_ASSERT(follow(growing_prefixes(list)).told == follow({history_report(list)}).told);
}

RC_GTEST_PROP(ReconcileProperty, AGrowingHistoryIsToldAsAWalkThroughTheTable, ()) {
  const FollowedShipment shipment = follow(growing_prefixes(canonical_list(*lines())));
  Status present = registered;
  int attempts = 0;
  for (const ShipmentTransition& transition : shipment.told) {
    RC_ASSERT(!transition.late);
    RC_ASSERT(transition.from == present);
    RC_ASSERT(transition.correction == is_terminal(present));
    const bool other_exception = present == exception && transition.to == exception;
    RC_ASSERT(other_exception || verdict(present, transition.to) == Verdict::step);
    if (transition.to == attempt_failed) RC_ASSERT(transition.attempt == ++attempts);
    present = transition.to;
  }
  RC_ASSERT(present == shipment.known.status);
  RC_ASSERT(attempts == shipment.known.attempts_failed);
}

RC_GTEST_PROP(ReconcileProperty, AnUnmappedCodeChangesNothingThatIsTold, ()) {
  const std::vector<TrackingEvent> list = canonical_list(*lines());
  std::vector<TrackingEvent> mapped;
  std::ranges::copy_if(list, std::back_inserter(mapped),
                       [](const TrackingEvent& each) { return each.status != unmapped; });
  const FollowedShipment with = follow(growing_prefixes(list));
  const FollowedShipment without = follow(growing_prefixes(mapped));
  RC_ASSERT(with.told == without.told);
  RC_ASSERT(with.known.status == without.known.status);
}

RC_GTEST_PROP(ReconcileProperty, AnImportTellsOnlyWhatFollowsIt, ()) {
  const std::vector<TrackingEvent> list = canonical_list(*lines());
  const auto imported = *rc::gen::inRange<std::size_t>(0, list.size() + 1);
  const std::vector<Report> prefixes = growing_prefixes(list);
  const FollowedShipment from_the_start = follow(prefixes);
  const std::size_t silent = follow({prefixes[imported]}).told.size();

  FollowedShipment shipment;
  shipment.known.baseline = true;
  for (std::size_t i = imported; i < prefixes.size(); ++i) shipment.apply(prefixes[i]);
  RC_ASSERT(shipment.told ==
            std::vector(from_the_start.told.begin() + static_cast<std::ptrdiff_t>(silent), from_the_start.told.end()));
  RC_ASSERT(shipment.known.status == from_the_start.known.status);
  RC_ASSERT(shipment.known.attempts_failed == from_the_start.known.attempts_failed);
}

// ---------------------------------------------------------------- one rich history, 10,000 ways

/// Equal times, dates among times, codes that repeat, a code nobody knows, attempts, a delivery taken back, noise after
/// the end.
std::vector<TrackingEvent> rich_history() {
  return history_report({
                            coded_event(registered, 0, 0, dated(0)),
                            coded_event(picked_up, 0, 0, timed(0, 18)),
                            coded_event(in_transit, 0, 0, timed(1, 6)),
                            coded_event(in_transit, 1, 0, timed(1, 6)),
                            coded_event(unmapped, 0, 0, timed(1, 6)),
                            coded_event(in_transit, 0, 1, dated(1)),
                            coded_event(out_for_delivery, 0, 1, timed(2, 8)),
                            coded_event(attempt_failed, 0, 1, timed(2, 8)),
                            coded_event(exception, 0, 1, dated(2)),
                            coded_event(exception, 1, 1, dated(2)),
                            coded_event(in_transit, 0, 1, timed(3, 7)),
                            coded_event(out_for_delivery, 0, 1, timed(3, 8)),
                            coded_event(attempt_failed, 1, 1, dated(3)),
                            coded_event(out_for_delivery, 1, 1, timed(4, 8)),
                            coded_event(delivered, 0, 1, timed(4, 8)),
                            coded_event(attempt_failed, 0, 1, timed(4, 8)),
                            coded_event(delivered, 1, 1, timed(5, 12)),
                            coded_event(out_for_delivery, 0, 1, timed(5, 12)),
                            coded_event(unmapped, 1, 1, dated(5)),
                        })
      .events;
}

/// The history cut into reports that overlap, each in an order of its own, all of them together complete.
std::vector<Report> cut_and_shuffled(const std::vector<TrackingEvent>& list, std::mt19937& random) {
  std::vector<TrackingEvent> lines = list;
  for (int copies = static_cast<int>(random() % 20); copies > 0; --copies)
    lines.push_back(list[random() % list.size()]);
  std::ranges::shuffle(lines, random);
  std::vector<Report> reports;
  for (auto next = lines.begin(); next != lines.end();) {
    const auto count = std::min<std::ptrdiff_t>(1 + static_cast<std::ptrdiff_t>(random() % 8), lines.end() - next);
    reports.push_back({.remito = "0001", .kind = Report::Kind::events, .events = {next, next + count}});
    next += count;
  }
  return reports;
}

TEST(Reconcile, TenThousandPermutationsAndDuplicationsOfAHistoryGiveOneStoredSetAndStatus) {
  const std::vector<TrackingEvent> list = rich_history();
  const FollowedShipment expected = follow({history_report(list)});
  ASSERT_EQ(expected.stored_events().size(), list.size());
  ASSERT_EQ(expected.known.status, delivered);
  ASSERT_EQ(expected.known.attempts_failed, 3);

  std::mt19937 random(20260501);
  for (int permutation = 0; permutation < 10'000; ++permutation) {
    const FollowedShipment shipment = follow(cut_and_shuffled(list, random));
    ASSERT_EQ(shipment.stored_events(), expected.stored_events()) << "permutation " << permutation;
    ASSERT_EQ(shipment.known.status, delivered) << "permutation " << permutation;
    ASSERT_EQ(shipment.known.reason, expected.known.reason) << "permutation " << permutation;
    ASSERT_EQ(shipment.known.attempts_failed, 3) << "permutation " << permutation;
    ASSERT_EQ(std::ranges::count(shipment.told, attempt_failed, &ShipmentTransition::to), 3)
        << "permutation " << permutation;
  }
}

}  // namespace
}  // namespace remitod::db
