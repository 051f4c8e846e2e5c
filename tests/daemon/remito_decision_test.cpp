// What is to be done next: every row of the table.
#include "daemon/remito_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remitod::daemon {
namespace {

using namespace std::chrono_literals;
using db::RequestOutcome;
using News = RemitoNews::Kind;
using Kind = RequestOutcome::Kind;
using Step = RequestOutcome::NextStep;
using testing::HasSubstr;

constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 12h;

// What carriers promise.
const carriers::Promises nothing{};
const carriers::Promises finds{.can_find = true, .visible_after = 2min};
const carriers::Promises finds_some_day{.can_find = true};
const carriers::Promises one_for_a_key{.key_window = 24h};
const carriers::Promises both{.can_find = true, .visible_after = 2min, .key_window = 24h};
const carriers::Promises finds_some_day_and_key{.can_find = true, .key_window = 24h};

/// What is known of the request besides the news. It was first sent at noon.
struct Known {
  int unclear_calls = 0;  ///< before the news; the last of them ended at noon
  int looks = 0;
  bool was_accepted = false;
  int attempts = 1;
  int numbers_refused = 0;
};

struct Row {
  std::string name;
  Known known;
  News news;
  carriers::Promises promises;
  Instant now;
  Kind kind;
  Step step = Step::undecided;
  std::optional<Instant> at{};
  std::string words{};  ///< a part of what the person is told
  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};

const std::vector<Row> table{
    // What is clear.
    {"granted", {}, News::granted, nothing, noon, Kind::granted},
    {"refused", {}, News::refused, nothing, noon, Kind::refused},
    {"accepted", {}, News::accepted, nothing, noon, Kind::accepted},
    {"impossible", {}, News::impossible, nothing, noon, Kind::refused},
    {"number_refused", {}, News::number_refused, nothing, noon, Kind::renumber},
    {"number_refused_when_put_off_often", {.attempts = 50}, News::number_refused, nothing, noon, Kind::renumber},
    {"number_refused_too_often", {.numbers_refused = 4}, News::number_refused, nothing, noon, Kind::refused},
    // What was not sent.
    {"unsent", {}, News::unsent, nothing, noon, Kind::unsent, {}, noon + 5s},
    {"put_off", {}, News::put_off, nothing, noon, Kind::unsent, {}, noon + 5s},
    {"put_off_for_three_days",
     {.attempts = 400},
     News::put_off,
     nothing,
     noon + 72h,
     Kind::needs_operator,
     {},
     {},
     "nothing was made: as the carrier says"},
    {"put_off_when_sent_again", {1}, News::put_off, one_for_a_key, noon, Kind::unknown, Step::resend},
    {"put_off_when_sent_again_where_it_can_be_found", {1}, News::put_off, finds, noon, Kind::unknown, Step::find, noon},
    {"unsent_for_the_third_time", {.attempts = 3}, News::unsent, nothing, noon, Kind::unsent, {}, noon + 20s},
    {"unsent_for_three_days",
     {.attempts = 400},
     News::unsent,
     both,
     noon + 72h,
     Kind::needs_operator,
     {},
     {},
     "nothing was sent"},
    // A call without a clear answer.
    {"unclear_and_nothing_promised", {}, News::unclear, nothing, noon, Kind::needs_operator, {}, {}, "second shipment"},
    {"unclear_where_it_can_be_found", {}, News::unclear, finds, noon, Kind::unknown, Step::find, noon + 5s},
    {"unclear_where_a_key_makes_one", {}, News::unclear, one_for_a_key, noon, Kind::unknown, Step::resend, noon + 5s},
    {"unclear_again", {2}, News::unclear, one_for_a_key, noon, Kind::unknown, Step::resend, noon + 20s},
    {"finding_comes_first", {}, News::unclear, both, noon, Kind::unknown, Step::find, noon + 5s},
    {"unclear_for_the_last_time",
     {4},
     News::unclear,
     one_for_a_key,
     noon,
     Kind::needs_operator,
     {},
     {},
     "no call of 5"},
    {"unclear_after_the_key_is_forgotten",
     {1},
     News::unclear,
     one_for_a_key,
     noon + 24h,
     Kind::needs_operator,
     {},
     {},
     "no longer remembers"},
    // Cut off.
    {"cut_off_and_nothing_promised",
     {1},
     News::interrupted,
     nothing,
     noon,
     Kind::needs_operator,
     {},
     {},
     "second shipment"},
    {"cut_off_where_it_can_be_found", {1}, News::interrupted, finds, noon + 1h, Kind::unknown, Step::find, noon + 1h},
    {"cut_off_where_a_key_makes_one",
     {1},
     News::interrupted,
     one_for_a_key,
     noon + 1h,
     Kind::unknown,
     Step::resend,
     noon + 1h},
    {"cut_off_too_long",
     {1},
     News::interrupted,
     one_for_a_key,
     noon + 23h,
     Kind::needs_operator,
     {},
     {},
     "no longer remembers"},
    {"cut_off_too_often", {5}, News::interrupted, one_for_a_key, noon, Kind::needs_operator, {}, {}, "no call of 5"},
    {"cut_off_after_its_acceptance", {1, 0, true}, News::interrupted, one_for_a_key, noon, Kind::needs_operator},
    // Sent again, after a call that may have made a shipment.
    {"granted_when_sent_again", {1}, News::granted, one_for_a_key, noon, Kind::granted},
    {"refused_when_sent_again",
     {1},
     News::refused,
     one_for_a_key,
     noon,
     Kind::needs_operator,
     {},
     {},
     "refused when it was sent again"},
    {"refused_when_sent_again_and_findable", {1}, News::refused, both, noon, Kind::unknown, Step::find, noon},
    {"number_refused_when_sent_again", {1}, News::number_refused, one_for_a_key, noon, Kind::needs_operator},
    {"not_to_be_sent_again",
     {1},
     News::impossible,
     one_for_a_key,
     noon,
     Kind::needs_operator,
     {},
     {},
     "cannot be sent again"},
    {"unsent_again", {1}, News::unsent, one_for_a_key, noon, Kind::unknown, Step::resend, noon + 5s},
    {"unsent_until_the_key_is_forgotten", {1}, News::unsent, one_for_a_key, noon + 22h, Kind::needs_operator},
    // Asked for by our reference.
    {"found", {1, 1}, News::found, finds, noon + 10s, Kind::granted},
    {"found_several", {1, 1}, News::several, finds, noon + 10s, Kind::needs_operator, {}, {}, "more than once"},
    {"a_miss_too_early", {1, 1}, News::not_found, finds, noon + 10s, Kind::unknown, Step::find, noon + 20s},
    {"a_miss_just_before", {1, 6}, News::not_found, finds, noon + 119s, Kind::unknown, Step::find, noon + 2min},
    {"a_miss_that_counts", {1, 7}, News::not_found, finds, noon + 2min, Kind::not_made, {}, noon + 2min},
    {"a_miss_that_counts_for_the_last_time",
     {5, 7},
     News::not_found,
     finds,
     noon + 2min,
     Kind::needs_operator,
     {},
     {},
     "5 calls"},
    {"a_miss_that_proves_nothing",
     {1, 1},
     News::not_found,
     finds_some_day,
     noon + 1h,
     Kind::unknown,
     Step::find,
     noon + 1h + 10s},
    {"a_miss_that_proves_nothing_for_a_day",
     {1, 99},
     News::not_found,
     finds_some_day,
     noon + 24h,
     Kind::needs_operator,
     {},
     {},
     "does not promise"},
    {"a_miss_that_proves_nothing_and_a_key",
     {1, 1},
     News::not_found,
     finds_some_day_and_key,
     noon + 10s,
     Kind::unknown,
     Step::resend,
     noon + 10s},
    {"a_miss_though_accepted", {1, 9, true}, News::not_found, both, noon + 1h, Kind::unknown, Step::find},
    {"a_miss_though_accepted_for_a_day", {1, 9, true}, News::not_found, both, noon + 24h, Kind::needs_operator},
    {"nobody_answers", {1, 2}, News::find_failed, finds, noon + 1h, Kind::unknown, Step::find, noon + 1h + 20s},
    {"nobody_answers_with_a_key",
     {1, 2},
     News::find_failed,
     both,
     noon + 1h,
     Kind::unknown,
     Step::find,
     noon + 1h + 20s},
    {"nobody_answers_until_the_key_is_nearly_forgotten",
     {1, 20},
     News::find_failed,
     both,
     noon + 21h + 35min,
     Kind::unknown,
     Step::resend,
     noon + 21h + 35min},
    {"nobody_answers_for_a_day",
     {1, 99},
     News::find_failed,
     finds,
     noon + 24h,
     Kind::needs_operator,
     {},
     {},
     "could not be asked"},
    // Accepted, and then nothing.
    {"not_confirmed", {0, 0, true}, News::not_confirmed, one_for_a_key, noon, Kind::needs_operator},
    {"not_confirmed_where_it_can_be_found",
     {0, 0, true},
     News::not_confirmed,
     finds,
     noon,
     Kind::unknown,
     Step::find,
     noon},
};

db::RemitoRequest request_of(const Known& known) {
  db::RemitoRequest request;
  request.request_id = 7;
  request.fencing_token = 3;
  request.attempts = known.attempts;
  request.numbers_refused = known.numbers_refused;
  request.accepted_at = noon;
  request.first_sent_at = noon;
  request.unclear_calls = known.unclear_calls;
  request.looks = known.looks;
  if (known.unclear_calls != 0) request.unclear_at = noon;
  if (known.was_accepted) request.confirm_until = noon;
  request.payload = R"({"parcels": [{"quantity": 2}, {}]})";
  request.seen = "timeout: as before";
  return request;
}

class RemitoDecision : public testing::TestWithParam<Row> {};
INSTANTIATE_TEST_SUITE_P(Table, RemitoDecision, testing::ValuesIn(table), [](const auto& of) { return of.param.name; });

TEST_P(RemitoDecision, IsAsTheTableSays) {
  const Row& row = GetParam();
  const RemitoNews news{
      .kind = row.news, .remito = "0001", .code = "code", .text = "as the carrier says", .asked_after = row.now - noon};
  const RequestOutcome outcome = decide(request_of(row.known), news, row.promises, row.now);
  EXPECT_EQ(outcome.request_id, 7);
  EXPECT_EQ(outcome.fencing_token, 3);
  EXPECT_EQ(static_cast<int>(outcome.kind), static_cast<int>(row.kind));
  EXPECT_EQ(static_cast<int>(outcome.next_step), static_cast<int>(row.step));
  EXPECT_EQ(outcome.retry_at, row.at.value_or(outcome.retry_at)) << to_iso8601(outcome.retry_at);
  EXPECT_FALSE(row.kind == Kind::needs_operator && outcome.text.empty()) << "a person is told why";
  EXPECT_THAT(outcome.text, HasSubstr(row.words));
  EXPECT_EQ(outcome.found, row.news == News::found);
}

TEST(RemitoDecisionRules, WhateverIsPromisedNothingMakesASecondShipmentWithoutAProof) {
  // Sent anew, as if nothing had been before: only what provably was not sent, or what the carrier promises to show and
  // does not.
  for (const carriers::Promises& promises :
       {nothing, finds, finds_some_day, one_for_a_key, both, finds_some_day_and_key})
    for (const News kind :
         {News::refused, News::number_refused, News::impossible, News::unsent, News::put_off, News::unclear,
          News::interrupted, News::not_confirmed, News::several, News::not_found, News::find_failed})
      for (const auto after : {0s, 1min + 59s, 119s})
        for (int calls = 1; calls <= unclear_calls_max; ++calls) {
          const RequestOutcome outcome =
              decide(request_of({calls}), {.kind = kind, .asked_after = after}, promises, noon + after);
          EXPECT_NE(outcome.kind, Kind::unsent);
          EXPECT_NE(outcome.kind, Kind::renumber);
          EXPECT_NE(outcome.kind, Kind::not_made);
          EXPECT_TRUE(outcome.next_step != Step::resend || promises.key_window);
          EXPECT_NE(outcome.kind, Kind::refused) << "a merchant would ask again";
        }
}

TEST(RemitoDecisionRules, AnotherNumberOfParcelsIsForAPerson) {
  const RemitoNews news{.kind = News::found, .remito = "0001", .parcels = 2};
  const RequestOutcome outcome = decide(request_of({1, 1}), news, finds, noon);
  EXPECT_EQ(outcome.kind, Kind::needs_operator);
  EXPECT_THAT(outcome.text, HasSubstr("remito 0001 and 2 parcel(s) instead of 3"));
  const RemitoNews as_asked{.kind = News::found, .remito = "0001", .parcels = 3};
  EXPECT_EQ(decide(request_of({1, 1}), as_asked, finds, noon).kind, Kind::granted);
}

TEST(RemitoDecisionRules, AMissCountsByWhenTheCarrierWasAskedAndNotByAClockThatWasSet) {
  const auto told = [](std::chrono::seconds asked_after, Instant now) {
    return decide(request_of({1, 1}), {.kind = News::not_found, .asked_after = asked_after}, finds, now);
  };
  const RequestOutcome forward = told(110s, noon + 1h);
  EXPECT_EQ(forward.next_step, Step::find);
  EXPECT_EQ(forward.retry_at, noon + 1h + 10s) << "the rest of the two minutes";
  EXPECT_EQ(told(2min, noon + 1h).kind, Kind::not_made);
  EXPECT_EQ(told(2min, noon - 1h).kind, Kind::not_made) << "nobody waits for a clock that was set back";
}

TEST(RemitoDecisionRules, AKeyIsForgottenByTheTimeThatWasMeasuredThoughTheClockWasSetBack) {
  RemitoNews news{.kind = News::unsent, .known_for = 21h};
  EXPECT_EQ(decide(request_of({1}), news, one_for_a_key, noon + 1min).next_step, Step::resend);
  news.known_for = 22h;
  EXPECT_EQ(decide(request_of({1}), news, one_for_a_key, noon + 1min).kind, Kind::needs_operator);
}

TEST(RemitoDecisionRules, APersonIsToldWhatWasSeenBefore) {
  const RequestOutcome outcome = decide(request_of({1}), {.kind = News::interrupted}, nothing, noon);
  EXPECT_THAT(outcome.text, HasSubstr("timeout: as before"));
}

TEST(RemitoDecisionRules, LookingGoesOnWithGrowingPausesAndEnds) {
  Instant now = noon;
  int looks = 0;
  for (; looks < 1000; ++looks) {
    const RequestOutcome outcome = decide(request_of({1, looks}), {.kind = News::find_failed}, finds, now);
    if (outcome.kind == Kind::needs_operator) break;
    ASSERT_GT(outcome.retry_at, now);
    ASSERT_LE(outcome.retry_at, now + 10min);
    now = outcome.retry_at;
  }
  EXPECT_GT(looks, 24 * 6);
  EXPECT_LT(looks, 24 * 6 + 20);
}

}  // namespace
}  // namespace remitod::daemon
