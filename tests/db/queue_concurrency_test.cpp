// Several programs at one PostgreSQL. (SQLite has one writer at a time, so none of this can happen there.)
#include <future>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;

class QueueConcurrency : public test::RequestStoreTest {
 protected:
  /// Runs `second` on another connection while `first` has run but not committed. `second` is expected to wait for the
  /// commit; the test goes on as soon as the server says that it waits, or when it did not.
  template <class First, class Second>
  auto while_uncommitted(First first, Second second) {
    OwnSession other = another();
    OwnSession observer = another();
    std::future<decltype(second(other.session()))> result;
    run<int>([&](Session& at) -> DbResult<int> {
      first(at);
      result = std::async(std::launch::async, [&] {
        return other.transact<typename decltype(second(other.session()))::value_type>(
            [&](Session& session) { return second(session); });
      });
      const auto waits = [&] {
        int waiting = 0;
        observer.session().query_row("select cast(count(*) as integer) from pg_locks where not granted", {},
                                     {&waiting});
        return waiting != 0;
      };
      while (result.wait_for(1ms) != std::future_status::ready && !waits()) {
      }
      return 0;
    });
    return test::value_of(result.get());
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, QueueConcurrency, testing::Values(test::Engine::postgresql), test::engine_name);

TEST_P(QueueConcurrency, TwoClaimsNeverTakeTheSameRowAndDoNotWaitForEachOther) {
  for (int i = 0; i < 6; ++i) ask({.order = std::to_string(i)});
  accept();
  const std::vector<std::string> carriers{"oca"};
  const auto claim_four = [&](Session& at) { return claim_requests(at, carriers, noon, noon + 1min, 4); };
  run<int>([&](Session& at) -> DbResult<int> {
    const auto first = claim_four(at);
    EXPECT_EQ(first->size(), 4u);
    OwnSession other = another();
    const auto second = test::value_of(other.transact<std::vector<RemitoRequest>>(claim_four));
    EXPECT_EQ(second.size(), 2u);
    for (const RemitoRequest& mine : *first)
      for (const RemitoRequest& theirs : second) EXPECT_NE(mine.request_id, theirs.request_id);
    return 0;
  });
  EXPECT_EQ(number("select count(*) from remito_requests where state = 'sending' and attempts = 1"), 6);
}

TEST_P(QueueConcurrency, ManyClaimersTakeEachRowOnce) {
  for (int i = 0; i < 60; ++i) ask({.order = std::to_string(i)});
  accept();
  std::vector<std::future<std::size_t>> claimers;
  for (int i = 0; i < 4; ++i)
    claimers.push_back(std::async(std::launch::async, [this] {
      OwnSession own = another();
      const std::vector<std::string> carriers{"oca"};
      std::size_t total = 0;
      for (;;) {
        const auto claimed = test::value_of(own.transact<std::vector<RemitoRequest>>(
            [&](Session& at) { return claim_requests(at, carriers, noon, noon + 1min, 3); }));
        if (claimed.empty()) return total;
        total += claimed.size();
      }
    }));
  std::size_t total = 0;
  for (auto& claimer : claimers) total += claimer.get();
  EXPECT_EQ(total, 60u);
  EXPECT_EQ(number("select count(*) from remito_requests where attempts = 1"), 60);
}

TEST_P(QueueConcurrency, RowThatWasCommittedLateIsStillFound) {
  OwnSession slow = another();
  slow.session().begin();
  slow.session().run_script(insert({.order = "1"}));
  ask({.order = "2"});
  EXPECT_EQ(accept(), 1u);
  EXPECT_EQ(claim().at(0).order_number, "2");
  slow.session().commit();
  EXPECT_EQ(accept(), 1u);
  EXPECT_EQ(claim().at(0).order_number, "1");
}

TEST_P(QueueConcurrency, TwoAcceptersDoNotTakeTwoRequestsForTheSameParcels) {
  ask({.key = "first"});
  ask({.key = "second"});
  const auto accept_one = [](Session& at) { return accept_new_requests(at, noon, 1); };
  while_uncommitted([&](Session& at) { EXPECT_EQ(accept_one(at), 1u); }, accept_one);
  EXPECT_EQ(view()[0].state, "pending");
  EXPECT_EQ(view()[1].refusal_text, "order 1001, parcel group 1 already has request first in state pending");
}

TEST_P(QueueConcurrency, SecondDispatcherWaitsAndGoesOnWithTheNextNumber) {
  settle({refused(claimed({.order = "1"}), "no")});
  settle({refused(claimed({.order = "2"}), "no")});
  const auto dispatch_one = [](Session& at) { return dispatch_transitions(at, noon, 1); };
  std::vector<Transition> first;
  const auto second = while_uncommitted([&](Session& at) { first = *dispatch_one(at); }, dispatch_one);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(first[0].seq, 1);
  EXPECT_EQ(second[0].seq, 2);
  EXPECT_NE(first[0].id, second[0].id);
}

TEST_P(QueueConcurrency, TransitionThatWasCommittedLateGetsALaterNumber) {
  const RemitoRequest slow_request = claimed({.order = "1"});
  const RemitoRequest fast_request = claimed({.order = "2"});
  OwnSession slow = another();
  slow.session().begin();
  const std::vector outcomes{refused(slow_request, "no")};
  EXPECT_TRUE(settle_requests(slow.session(), outcomes, noon));
  settle({refused(fast_request, "no")});
  const Transition fast = dispatch().at(0);
  slow.session().commit();
  const Transition late = dispatch().at(0);
  EXPECT_EQ(fast.order_number, "2");
  EXPECT_EQ(late.order_number, "1");
  EXPECT_LT(late.id, fast.id);
  EXPECT_EQ(fast.seq, 1);
  EXPECT_EQ(late.seq, 2);
}

TEST_P(QueueConcurrency, SecondSettlementOfTheSameClaimIsStale) {
  const RemitoRequest request = claimed({});
  const std::vector outcomes{granted(request, "0001")};
  const auto settle_it = [&](Session& at) { return settle_requests(at, outcomes, noon); };
  const auto second = while_uncommitted([&](Session& at) { EXPECT_FALSE(settle_it(at)->at(0).stale); }, settle_it);
  EXPECT_TRUE(second.at(0).stale);
  EXPECT_EQ(number("select count(*) from shipments"), 1);
}

TEST_P(QueueConcurrency, AShipmentThatIsTakenBackMeanwhileDoesNotEnd) {
  settle({granted(claimed({}), "0001")});
  sql("update shipments set status = 'delivered', terminal_at = " + std::to_string(to_micros(noon)));
  ApplyRules rules;
  rules.carrier = "oca";
  const auto ended = while_uncommitted(
      [](Session& at) { at.run_script("update shipments set status = 'returning', terminal_at = null"); },
      [&](Session& at) { return end_finished_shipments(at, rules, noon + 72h, 10); });
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(number("select count(*) from shipments where ended_at is null"), 1);
}

TEST_P(QueueConcurrency, PlatformThatInsertsTheSameRemitoMeanwhileKeepsIt) {
  const RemitoRequest request = claimed({});
  const std::vector outcomes{granted(request, "0001")};
  const auto settled = while_uncommitted(
      [](Session& at) {
        at.run_script("insert into shipments (order_number, carrier, remito) values ('77', 'oca', '0001')");
      },
      [&](Session& at) { return settle_requests(at, outcomes, noon); });
  EXPECT_TRUE(settled.at(0).remito_in_use);
  EXPECT_EQ(view()[0].state, "needs_operator");
}

}  // namespace
}  // namespace remitod::db
