// What is remembered of sinks: cursor, letters, lease.
#include "db/sinks.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using std::chrono::minutes;
using test::noon;
using testing::ElementsAre;
using testing::IsEmpty;

class Sinks : public test::RequestStoreTest {
 protected:
  /// So many transitions with their seq, each of an order of its own: "1001", "1002" ...
  void tell(int transitions) {
    std::string rows;
    for (int i = 0; i < transitions; ++i, ++told_)
      rows +=
          "insert into transitions (subject, order_number, parcel_group, carrier, event_key, from_status, "
          "to_status, detected_at, created_at) values ('shipment', '" +
          std::to_string(1001 + told_) + "', 1, 'oca', 'key-" + std::to_string(told_) +
          "', 'registered', 'in_transit', 1, 1);";
    sql(rows);
    dispatch();
  }
  std::optional<SinkLease> claim(std::string owner = "here", Instant now = noon) {
    return run<std::optional<SinkLease>>(
        [=](Session& at) { return claim_sink(at, "shop", owner, now, now + minutes{1}); });
  }
  std::optional<SavedSink> save(const SinkLease& lease, SinkChanges changes, Instant now = noon) {
    changes.cursor_seq = std::max(changes.cursor_seq, lease.cursor_seq);
    return run<std::optional<SavedSink>>(
        [=](Session& at) { return save_sink(at, "shop", lease.fencing_token, changes, now, now + minutes{1}); });
  }
  static SinkChanges::Failed failed(std::int64_t seq, int attempts = 1) {
    return {seq, false, attempts, noon + minutes{5}, noon, "refused: 500"};
  }
  static SinkChanges::Failed dead(std::int64_t seq) { return {seq, true, 10, noon, noon, "refused: 500"}; }
  /// The sink has handled all up to this, but for these.
  SinkLease handled_but_for(std::int64_t cursor, std::vector<SinkChanges::Failed> letters) {
    const SinkLease lease = claim().value();
    return save(lease, {cursor, {}, std::move(letters), {}}).value().lease;
  }
  std::vector<SinkLetter> waiting() {
    return run<std::vector<SinkLetter>>([](Session& at) { return load_waiting_letters(at, "shop"); });
  }
  std::vector<std::int64_t> seqs_waiting() { return seqs(waiting()); }
  /// Those after the cursor that have no row.
  std::vector<std::int64_t> seqs_new(std::int64_t after, std::size_t limit = 100) {
    auto letters =
        run<std::vector<SinkLetter>>([=](Session& at) { return load_letters_after(at, "shop", after, limit); });
    std::erase_if(letters, [](const SinkLetter& letter) { return letter.next_try_at.has_value(); });
    return seqs(letters);
  }
  Replayed replay(const std::string& target, Instant now = noon) {
    return run<Replayed>(
        [=](Session& at) { return replay_letters(at, "shop", ReplayTarget::parse(target).value(), now); });
  }
  SinkView view() {
    return run<std::vector<SinkView>>([](Session& at) { return view_sinks(at); }).at(0);
  }

 private:
  static std::vector<std::int64_t> seqs(const std::vector<SinkLetter>& letters) {
    std::vector<std::int64_t> result;
    for (const SinkLetter& letter : letters) result.push_back(letter.transition.seq);
    return result;
  }
  int told_ = 0;
};
REMITOD_ON_BOTH_ENGINES(Sinks);

TEST_P(Sinks, NewOneBeginsBehindWhatWasToldBeforeIt) {
  tell(3);
  const auto lease = claim();
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->cursor_seq, 3);
  tell(2);
  EXPECT_THAT(seqs_new(lease->cursor_seq), ElementsAre(4, 5));
  EXPECT_THAT(seqs_new(lease->cursor_seq, 1), ElementsAre(4));
}

TEST_P(Sinks, OneThatHasBegunGetsWhatIsToldBeforeItIsFirstClaimed) {
  const std::vector<std::string> names{"shop"};
  const auto begin = [&] { return run<std::size_t>([&](Session& at) { return begin_sinks(at, names); }); };
  tell(1);
  EXPECT_EQ(begin(), 1u);
  tell(2);
  EXPECT_EQ(begin(), 0u);
  EXPECT_EQ(claim()->cursor_seq, 1);
  EXPECT_THAT(seqs_new(1), ElementsAre(2, 3));
}

TEST_P(Sinks, LeaseKeepsOthersOutUntilItRunsOut) {
  ASSERT_TRUE(claim("here"));
  EXPECT_FALSE(claim("there", noon + minutes{1} - std::chrono::microseconds{1}));
  EXPECT_TRUE(claim("there", noon + minutes{1}));
  EXPECT_FALSE(claim("here", noon + minutes{1}));
}

TEST_P(Sinks, OwnerThatComesBackNeedNotWaitForItsOwnLease) {
  const auto before = claim();
  const auto after = claim();
  ASSERT_TRUE(after);
  EXPECT_GT(after->fencing_token, before->fencing_token);
}

TEST_P(Sinks, StaleOwnerWritesNothing) {
  tell(2);
  const SinkLease stale = claim("here").value();
  tell(2);
  ASSERT_TRUE(claim("there", noon + minutes{2}));
  EXPECT_FALSE(save(stale, {4, {}, {failed(3)}, "gone"}));
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_EQ(view().cursor_seq, 2);
  EXPECT_FALSE(view().disabled_at);
}

TEST_P(Sinks, ReleasedLeaseIsFreeAtOnceUnlessItPassedOn) {
  const SinkLease stale = claim("here").value();
  const SinkLease lease = claim("here").value();
  const auto release = [&](const SinkLease& which) {
    run<void>([&](Session& at) { return release_sink(at, "shop", which.fencing_token); });
  };
  release(stale);
  EXPECT_FALSE(claim("there"));
  release(lease);
  EXPECT_TRUE(claim("there"));
}

TEST_P(Sinks, FailedLettersWaitAndAreNoNewOnes) {
  const SinkLease lease = claim().value();
  tell(4);
  ASSERT_TRUE(save(lease, {1, {}, {failed(2), failed(4, 3)}, {}}));
  EXPECT_THAT(seqs_waiting(), ElementsAre(2, 4));
  EXPECT_EQ(waiting().at(1).attempts, 3);
  EXPECT_EQ(waiting().at(1).next_try_at, noon + minutes{5});
  EXPECT_THAT(seqs_new(1), ElementsAre(3));
  ASSERT_TRUE(save(lease, {4, {2}, {failed(4, 4)}, {}}));
  EXPECT_THAT(seqs_waiting(), ElementsAre(4));
  EXPECT_EQ(waiting().at(0).attempts, 4);
}

TEST_P(Sinks, CursorNeverGoesBack) {
  tell(4);
  const SinkLease lease = claim().value();
  const auto saved = save(SinkLease{lease.fencing_token, 0, 0, {}, ""}, {2, {}, {}, {}});
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->lease.cursor_seq, 4);
}

TEST_P(Sinks, LetterBringsAllThatTheTableTells) {
  const SinkLease lease = claim().value();
  sql("insert into transitions (subject, order_number, parcel_group, carrier, remito, cycle, event_key, from_status, "
      "to_status, reason, attempt, code, text, place, occurred_at, zone_source, date_only, detected_at, inferred, "
      "late, correction, created_at) values ('shipment', '1001', 3, 'oca', '0001', 2, 'k', 'in_transit', "
      "'attempt_failed', 'recipient_absent', 2, '17', 'no estaba', 'Lima', 5, 'profile', '1', 6, '0', '1', '0', 6)");
  dispatch();
  const auto letters =
      run<std::vector<SinkLetter>>([&](Session& at) { return load_letters_after(at, "shop", lease.cursor_seq, 9); });
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_FALSE(letters[0].next_try_at);
  const ToldTransition& told = letters[0].transition;
  EXPECT_EQ(told.seq, 1);
  EXPECT_EQ(told.parcel_group, 3);
  EXPECT_EQ(told.cycle, 2);
  EXPECT_EQ(told.from + ">" + told.to + "/" + told.reason, "in_transit>attempt_failed/recipient_absent");
  EXPECT_EQ(told.attempt, 2);
  EXPECT_EQ(told.code + told.text + told.place + told.zone_source, "17no estabaLimaprofile");
  EXPECT_EQ(told.occurred_at, from_micros(5));
  EXPECT_EQ(told.detected_at, from_micros(6));
  EXPECT_TRUE(told.date_only && told.late);
  EXPECT_FALSE(told.inferred || told.correction);
}

TEST_P(Sinks, DeadLettersWaitNoMore) {
  const SinkLease lease = claim().value();
  tell(2);
  ASSERT_TRUE(save(lease, {2, {}, {failed(1), dead(2)}, {}}));
  EXPECT_THAT(seqs_waiting(), ElementsAre(1));
  EXPECT_THAT(seqs_new(0), IsEmpty());
  EXPECT_EQ(view().dead, 1);
  EXPECT_EQ(view().waiting, 1);
  EXPECT_EQ(view().oldest_waiting_since, noon);
}

TEST_P(Sinks, ReceiverThatIsSlowButNeverFailsIsSeenToBeBehind) {
  const SinkLease lease = claim().value();
  EXPECT_FALSE(view().oldest_waiting_since);
  tell(2);
  ASSERT_TRUE(save(lease, {1, {}, {}, {}}));
  EXPECT_EQ(view().waiting, 0);
  EXPECT_EQ(view().oldest_waiting_since, noon);
  ASSERT_TRUE(save(lease, {2, {}, {}, {}}));
  EXPECT_FALSE(view().oldest_waiting_since);
}

TEST_P(Sinks, ReplayOfDeadPutsTheDeadBackWithAllTheirAttempts) {
  claim();
  tell(3);
  const SinkLease lease = handled_but_for(3, {failed(1), dead(2), dead(3)});
  const Replayed replayed = replay("dead");
  EXPECT_EQ(replayed.letters, 2);
  EXPECT_EQ(replayed.left, 0);
  const auto letters = waiting();
  ASSERT_EQ(letters.size(), 3u);
  EXPECT_EQ(letters[0].next_try_at, noon + minutes{5}) << "what waited waits on";
  EXPECT_EQ(letters[1].attempts, 0);
  EXPECT_EQ(letters[1].next_try_at, noon);
  EXPECT_NE(save(lease, {})->lease.revision, lease.revision) << "the owner hears of it";
}

TEST_P(Sinks, ReplayOfASinkAlsoTriesNowWhatWaits) {
  claim();
  tell(2);
  handled_but_for(2, {failed(1, 4), dead(2)});
  EXPECT_EQ(replay("shop").letters, 2);
  for (const SinkLetter& letter : waiting()) {
    EXPECT_EQ(letter.attempts, 0);
    EXPECT_EQ(letter.next_try_at, noon);
  }
}

TEST_P(Sinks, ReplayOfARangeSendsAgainWhatWasDeliveredButNothingAheadOfTheCursor) {
  claim();
  tell(5);
  handled_but_for(4, {dead(2), failed(4)});
  EXPECT_EQ(replay("shop:2..9").letters, 3);
  EXPECT_THAT(seqs_waiting(), ElementsAre(2, 3, 4));
  EXPECT_THAT(seqs_new(4), ElementsAre(5));
}

TEST_P(Sinks, ReplayOfMoreThanThereIsRoomForSaysWhatIsLeft) {
  claim();
  sql(GetParam() == test::Engine::sqlite
          ? "insert into transitions (subject, order_number, parcel_group, carrier, event_key, from_status, to_status, "
            "detected_at, created_at) with recursive n(i) as (select 1 union all select i + 1 from n where i < 10003) "
            "select 'shipment', '1', 1, 'oca', i, 'registered', 'in_transit', 1, 1 from n"
          : "insert into transitions (subject, order_number, parcel_group, carrier, event_key, from_status, to_status, "
            "detected_at, created_at) select 'shipment', '1', 1, 'oca', i, 'registered', 'in_transit', 1, 1 "
            "from generate_series(1, 10003) as i");
  dispatch(20'000);
  handled_but_for(10'003, {failed(1)});
  const Replayed replayed = replay("shop:1..10003");
  EXPECT_EQ(replayed.letters, 10'000);
  EXPECT_EQ(replayed.left, 3);
  EXPECT_EQ(seqs_waiting().size(), sink_letters_max);
}

TEST_P(Sinks, ReplayOfASinkThatNobodySendsToFindsNothing) {
  EXPECT_EQ(replay("shop").letters, 0);
}

TEST_P(Sinks, DisabledSinkSaysWhyUntilItIsEnabled) {
  const SinkLease lease = claim().value();
  const auto disabled = save(lease, {0, {}, {}, "the receiver says that it is gone (410)"});
  ASSERT_TRUE(disabled);
  EXPECT_EQ(disabled->lease.disabled_at, noon);
  EXPECT_EQ(view().disabled_why, "the receiver says that it is gone (410)");
  EXPECT_EQ(save(lease, {})->lease.disabled_at, noon) << "what is saved later changes nothing about it";
  const auto enable = [&] { return run<bool>([](Session& at) { return enable_sink(at, "shop"); }); };
  EXPECT_TRUE(enable());
  EXPECT_FALSE(enable());
  EXPECT_FALSE(view().disabled_at);
  EXPECT_NE(claim()->revision, lease.revision);
}

}  // namespace
}  // namespace remitod::db
