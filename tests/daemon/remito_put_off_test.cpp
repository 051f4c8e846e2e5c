// Requests that a carrier puts off: it promises that it made nothing, and takes them later.
#include "tests/daemon/remito_ways.h"

namespace remitod::test {
namespace {

using carriers::FetchResult;
using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

const std::string without_recourse = head_of_all + R"toml(
[create]
method = "POST"
url = "{{base_url}}/create/{{client_ref}}"
[create.answer]
format = "json"
granted = "/json/number"
remito = "/json/number"
)toml";

FetchResult with_retry_after(int status, std::chrono::seconds retry_after) {
  FetchResult answer = RemitoWays::json("", status);
  answer->retry_after = retry_after;
  return answer;
}
FetchResult busy(std::chrono::seconds retry_after) {
  return with_retry_after(503, retry_after);
}

struct RemitosPutOff : RemitoWays {};

TEST_F(RemitosPutOff, WaitAsLongAsTheCarrierSaysAndNeedNobody) {
  carriers.next("test", busy(std::chrono::minutes{7}));
  carriers.always("test", [](const Asked&, Instant) { return json(R"({"number":"0001"})"); });
  start(without_recourse + "try_again_statuses = [503]\n");
  ask("1");
  clock().run_for(6min);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "pending");
  EXPECT_THAT(of("1", "refusal_text"), HasSubstr("HTTP 503"));
  clock().run_for(2min);
  EXPECT_THAT(carriers.creates(), SizeIs(2));
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(ready_to_ship(), 1);
}

TEST_F(RemitosPutOff, ByUsWhereTheClaimCameTooLateToBeSentAreSentWithTheNextOne) {
  carriers.always("test", [](const Asked&, Instant) { return json(R"({"number":"0001"})"); });
  start(without_recourse);
  clock().run_for(1s);
  daemon->executor.set_latency(40s);
  ask("1");
  clock().run_for(5min);
  EXPECT_THAT(carriers.creates(), IsEmpty());
  EXPECT_THAT(of("1", "refusal_text"), HasSubstr("claimed too long ago"));
  daemon->executor.set_latency(0s);
  clock().run_for(1h);
  EXPECT_EQ(state(), "granted");
  EXPECT_THAT(carriers.creates(), SizeIs(1));
}

TEST_F(RemitosPutOff, AreForAPersonWhereTheCarrierPromisesNothing) {
  carriers.next("test", busy(std::chrono::minutes{7}));
  start(without_recourse);
  ask("1");
  clock().run_for(1h);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "needs_operator");
}

TEST_F(RemitosPutOff, RestTheirCarrierForAllWhoWouldAskIt) {
  carriers.next("test", with_retry_after(429, 1h));
  start(without_recourse);
  ask("1");
  clock().run_for(1min);
  ASSERT_EQ(state(), "needs_operator");
  EXPECT_GT(daemon->poller.lane("test")->orders_resting_until(), clock().now());
  carriers.always("test", [](const Asked&, Instant) { return json(R"({"number":"0001"})"); });
  ask("2");
  const std::size_t works = daemon->executor.works();
  clock().run_for(55min);
  EXPECT_LT(daemon->executor.works() - works, 55 * 60u) << "nobody looks many times a second for what rests";
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state("2"), "pending");
  clock().run_for(10min);
  EXPECT_EQ(state("2"), "granted");
  EXPECT_EQ(daemon->poller.lane("test")->orders_resting_until(), Instant{});
}

TEST_F(RemitosPutOff, RestTheirCarrierLongerEachTimeWhereItDoesNotSayHowLong) {
  carriers.always("test", json("{}", 429));
  start(without_recourse + "try_again_statuses = [429]\n");
  for (int order = 0; order < 50; ++order) ask(std::to_string(order));
  clock().run_for(6h);
  EXPECT_LT(carriers.creates().size(), 100u) << "50 orders on their own would be tried 1800 times";
}

TEST_F(RemitosPutOff, AreTriedByOneAfterTheRestHoweverLongItsAnswerTakes) {
  carriers.next("test", with_retry_after(429, 1h));
  start(without_recourse + "try_again_statuses = [429]\n");
  for (int order = 0; order < 20; ++order) {
    ask(std::to_string(order));
    clock().run_for(1min);
  }
  ASSERT_THAT(carriers.creates(), SizeIs(1));
  carriers.always("test", [made = 0](const Asked&, Instant) mutable {
    return json(R"({"number":")" + std::to_string(++made) + R"("})");
  });
  carriers.set_latency(10s);
  clock().run_until(daemon->poller.lane("test")->orders_resting_until() + 9s);
  EXPECT_THAT(carriers.creates(), SizeIs(2));
  clock().run_for(5min);
  EXPECT_EQ(count("remito_requests where state = 'granted'"), 20);
}

TEST_F(RemitosPutOff, OfWhichAnAcceptanceIsNone) {
  carriers.next("test", with_retry_after(202, 1h));
  start(without_recourse);
  ask("1");
  clock().run_for(1min);
  EXPECT_EQ(daemon->poller.lane("test")->orders_resting_until(), Instant{});
}

TEST_F(RemitosPutOff, WaitWhereOurAccountIsWrongUntilItIsRight) {
  carriers.always("test", json(R"({"error":"the password has expired"})", 401));
  start(without_recourse);
  ask("1");
  clock().run_for(8h);
  EXPECT_EQ(state(), "pending");
  EXPECT_EQ(of("1", "refusal_code"), "auth");
  EXPECT_THAT(of("1", "refusal_text"), HasSubstr("HTTP 401: "));
  carriers.always("test", json(R"({"number":"0001"})"));
  clock().run_for(2h);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(daemon->poller.lane("test")->orders_resting_until(), Instant{});
}

TEST_F(RemitosPutOff, DoNotTryAWrongAccountUntilItIsLocked) {
  carriers.always("test", json("{}", 401));
  start(without_recourse);
  for (int order = 0; order < 50; ++order) ask(std::to_string(order));
  clock().run_for(6h);
  EXPECT_LT(carriers.creates().size(), 100u);
  EXPECT_EQ(count("remito_requests where state = 'pending'"), 50);
}

TEST_F(RemitosPutOff, AreNotThoseThatAreForbidden) {
  carriers.always("test", json("{}", 403));
  start(without_recourse);
  for (int order = 0; order < 5; ++order) ask(std::to_string(order));
  clock().run_for(1min);
  EXPECT_EQ(count("remito_requests where state = 'refused'"), 5);
  EXPECT_EQ(daemon->poller.lane("test")->orders_resting_until(), Instant{});
}

}  // namespace
}  // namespace remitod::test
