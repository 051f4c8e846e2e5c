#include "tests/acceptance/judge.h"

#include <algorithm>
#include <tuple>

#include "tests/acceptance/judge_rules.h"

namespace remitod::acceptance {

namespace {

constexpr std::string_view field_names[field_count]{"number", "events", "time",    "code",  "text",
                                                    "place",  "status", "failure", "cancel"};

class Tally {
 public:
  void right(Field field) { ++count(field).right; }
  void wrong(Field field, std::string expected, std::string read) {
    const bool unread = read.empty();
    ++(unread ? count(field).unread : count(field).wrong);
    verdict_.findings.push_back({field, unread, std::move(expected), std::move(read)});
  }
  void check(Field field, bool is_right, const std::string& expected, const std::string& read) {
    is_right ? right(field) : wrong(field, expected, read);
  }
  Verdict take() { return std::move(verdict_); }

 private:
  Count& count(Field field) { return verdict_.counts[static_cast<std::size_t>(field)]; }
  Verdict verdict_;
};

/// An expected event with the one read that fits best; either may be absent.
struct Pair {
  const ExpectedEvent* expected = nullptr;
  const TrackingEvent* read = nullptr;
};

class TrackJudge {
 public:
  TrackJudge(const Case& asked, const StatusTable& statuses, std::string_view zone,
             std::span<const TrackReading> readings)
      : asked_(asked), statuses_(statuses), zone_(zone), readings_(readings) {}

  Verdict judge() {
    if (asked_.kind == Case::Kind::failure)
      judge_failure();
    else
      judge_shipments();
    return tally_.take();
  }

 private:
  /// Trouble, a number not known, a line that could not be read; or words about another number than the one asked
  /// for, where the corpus does not say which that was.
  static bool tells_a_failure(const TrackReading& reading) {
    if (!reading) return true;
    return !reading->errors.empty() || reading->extra > 0 ||
           !std::ranges::all_of(reading->reports, tells_events, &Report::kind);
  }

  void judge_failure() {
    std::string reported;
    for (const TrackReading& reading : readings_) {
      if (!reading) continue;
      for (const Report& report : reading->reports) {
        if (!report.events.empty()) reported = "a report with an event: " + report.events.front().code;
      }
    }
    const bool told = std::ranges::any_of(readings_, tells_a_failure);
    tally_.check(Field::failure, told && reported.empty(), "an error, or a number not known", reported);
  }

  void judge_shipments() {
    std::vector<const Report*> reports;
    for (const TrackReading& reading : readings_) {
      if (!reading) continue;
      for (const Report& report : reading->reports)
        if (tells_events(report.kind)) reports.push_back(&report);
    }
    for (const ExpectedShipment& shipment : asked_.expected) {
      const auto found = std::ranges::find_if(
          reports, [&](const Report* report) { return shipment.numbers.contains(report->remito); });
      const bool is_found = found != reports.end();
      const std::string number = shipment.numbers.empty() ? "(no number)" : *shipment.numbers.rbegin();
      tally_.check(Field::number, is_found, number, "");
      judge_events(shipment, is_found ? (*found)->events : std::vector<TrackingEvent>{});
      if (is_found) reports.erase(found);
    }
    for (const Report* report : reports) tally_.wrong(Field::number, "", report->remito);
  }

  int likeness(const ExpectedEvent& expected, const TrackingEvent& read) const {
    return 4 * same_time(expected, read.occurred_at, zone_, asked_.answers) + 2 * same_text(expected.text, read) +
           2 * (expected.code == read.code) + same_place(expected.place, read.place);
  }

  /// Each expected event with the most alike of those still free, the best pairs first.
  std::vector<Pair> pairs_of(const std::vector<ExpectedEvent>& expected, const std::vector<TrackingEvent>& read) const {
    std::vector<std::pair<int, Pair>> candidates;
    for (const ExpectedEvent& one : expected)
      for (const TrackingEvent& other : read) candidates.push_back({likeness(one, other), {&one, &other}});
    std::ranges::stable_sort(candidates, std::ranges::greater{}, &std::pair<int, Pair>::first);
    std::vector<Pair> pairs;
    const auto taken = [&](const auto* event, auto member) {
      return std::ranges::find(pairs, event, member) != pairs.end();
    };
    for (const auto& [score, pair] : candidates) {
      if (!taken(pair.expected, &Pair::expected) && !taken(pair.read, &Pair::read)) pairs.push_back(pair);
    }
    std::ranges::sort(pairs, {}, [](const Pair& pair) { return pair.read->position; });
    for (const ExpectedEvent& event : expected)
      if (!taken(&event, &Pair::expected)) pairs.push_back({&event, nullptr});
    for (const TrackingEvent& event : read)
      if (!taken(&event, &Pair::read)) pairs.push_back({nullptr, &event});
    return pairs;
  }

  void judge_events(const ExpectedShipment& shipment, const std::vector<TrackingEvent>& read) {
    const std::vector<Pair> pairs = pairs_of(shipment.events, read);
    const Pair* latest = nullptr;
    for (const Pair& pair : pairs) {
      if (!pair.read) {
        tally_.wrong(Field::events, pair.expected->code + " " + pair.expected->text, "");
      } else if (!pair.expected) {
        tally_.wrong(Field::events, "", pair.read->code + " " + pair.read->text);
      } else {
        judge_event(*pair.expected, *pair.read);
        if (!latest || is_more_current(pair, *latest)) latest = &pair;
      }
    }
    if (latest) judge_current(shipment, *latest);
  }

  /// The later of two. A code that neither the profile nor the carrier's table knows changes no status.
  bool is_more_current(const Pair& one, const Pair& other) const {
    const auto key = [this](const Pair& pair) {
      const TrackingEvent& event = *pair.read;
      const bool tells = event.status != Status::unmapped || is_in_table(*pair.expected, statuses_, event);
      return std::tuple{tells, event.occurred_at ? event.occurred_at->at : Instant::max(), event.position};
    };
    return key(one) > key(other);
  }

  void judge_event(const ExpectedEvent& expected, const TrackingEvent& read) {
    tally_.right(Field::events);
    if (expected.at)
      tally_.check(Field::time, same_time(expected, read.occurred_at, zone_, asked_.answers), local_text(expected),
                   local_text(read.occurred_at, zone_));
    if (!expected.code.empty()) tally_.check(Field::code, expected.code == read.code, expected.code, read.code);
    if (!expected.text.empty()) tally_.check(Field::text, same_text(expected.text, read), expected.text, read.text);
    if (!expected.place.empty())
      tally_.check(Field::place, same_place(expected.place, read.place), expected.place, read.place);
  }

  void judge_current(const ExpectedShipment& shipment, const Pair& latest) {
    const Judgement judgement = judge_status(shipment, *latest.expected, statuses_, *latest.read);
    if (judgement == Judgement::right) return tally_.right(Field::status);
    const std::string_view read = judgement == Judgement::unread ? "" : remitod::name(latest.read->status);
    tally_.wrong(Field::status, shipment.status.empty() ? latest.expected->code : shipment.status, std::string{read});
  }

  const Case& asked_;
  const StatusTable& statuses_;
  std::string_view zone_;
  std::span<const TrackReading> readings_;
  Tally tally_;
};

}  // namespace

std::string_view name(Field field) {
  return field_names[static_cast<std::size_t>(field)];
}

std::optional<Field> field_from(std::string_view name) {
  const auto found = std::ranges::find(field_names, name);
  if (found == std::end(field_names)) return std::nullopt;
  return static_cast<Field>(found - std::begin(field_names));
}

std::string describe(const Finding& finding) {
  const std::string field{name(finding.field)};
  if (finding.read.empty()) return field + ": expected '" + finding.expected + "', unread";
  if (finding.expected.empty()) return field + ": '" + finding.read + "' is not expected";
  return field + ": expected '" + finding.expected + "', read '" + finding.read + "'";
}

Count& Count::operator+=(const Count& other) {
  right += other.right;
  wrong += other.wrong;
  unread += other.unread;
  return *this;
}

Verdict judge_track(const Case& asked, const StatusTable& statuses, std::string_view zone,
                    std::span<const TrackReading> readings) {
  return TrackJudge{asked, statuses, zone, readings}.judge();
}

Verdict judge_create(const Case& asked, std::span<const carriers::CreateAnswer> readings) {
  using enum carriers::CreateAnswer::Kind;
  Tally tally;
  const auto granting = std::ranges::find(readings, granted, &carriers::CreateAnswer::kind);
  const std::string remito = granting == readings.end() ? "" : granting->remito;
  if (asked.kind == Case::Kind::failure) {
    tally.check(Field::failure, !readings.empty() && remito.empty(), "no remito", remito);
  } else {
    const std::set<std::string>& numbers = asked.expected.front().numbers;
    tally.check(Field::number, numbers.contains(remito), numbers.empty() ? "" : *numbers.rbegin(), remito);
  }
  return tally.take();
}

Verdict judge_cancel(std::span<const carriers::CancelAnswer> readings) {
  using enum carriers::CancelAnswer::Kind;
  Tally tally;
  const bool is_accepted = std::ranges::find(readings, accepted, &carriers::CancelAnswer::kind) != readings.end();
  tally.check(Field::cancel, is_accepted, "accepted", "");
  return tally.take();
}

}  // namespace remitod::acceptance
