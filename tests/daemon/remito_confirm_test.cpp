// Remitos of carriers that accept a request now and grant it later.
#include "tests/daemon/remito_ways.h"

namespace remitod::test {
namespace {

using carriers::FetchError;
using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

const std::string granted_later = head_of_all + R"toml(
[create]
method = "POST"
url = "{{base_url}}/create/{{client_ref}}"
[create.answer]
format = "json"
accepted_statuses = [201, 202]
refused = "/json/ok = 'false'"
remito = "/json/number"
[confirm]
url = "{{base_url}}/confirm/{{client_ref}}/{{remito}}"
interval = "2 min"
give_up_after = "1 h"
[confirm.answer]
format = "json"
pending_statuses = [404]
granted = "/json/state = 'made'"
refused = "/json/state = 'rejected'"
pending = "/json/state = 'asked'"
remito = "/json/barcode"
refusal_text = "/json/why"
)toml";

TEST_F(RemitoWays, AnAcceptedRequestIsGrantedByALaterLook) {
  start(granted_later);
  carriers.next("test", http_answer(201, "", ""));
  carriers.next("test", json("", 404));
  carriers.next("test", json(R"({"state":"asked"})"));
  carriers.next("test", json(R"({"state":"made","barcode":"0077"})"));
  ask("1");
  clock().run_for(5s);
  EXPECT_EQ(state(), "accepted");
  EXPECT_EQ(ready_to_ship(), 0);
  clock().run_for(5min);
  EXPECT_EQ(state(), "accepted");
  EXPECT_EQ(count("transitions"), 0);
  clock().run_for(2min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(remito(), "0077");
  EXPECT_EQ(ready_to_ship(), 1);
  clock().run_for(2h);
  EXPECT_EQ(sent_to("/confirm/"), 3u);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
}

TEST_F(RemitoWays, ANumberThatCameWithTheAcceptanceHoldsFromTheGrantOn) {
  start(granted_later);
  carriers.next("test", json(R"({"number":"0088"})", 202));
  carriers.next("test", json(R"({"state":"made"})"));
  ask("1");
  clock().run_for(1min);
  EXPECT_EQ(remito(), "");
  EXPECT_EQ(count("shipments"), 0);
  clock().run_for(5min);
  EXPECT_EQ(remito(), "0088");
  EXPECT_EQ(sent_to("/0088"), 1u) << "the look names it";
}

TEST_F(RemitoWays, ALaterRefusalCarriesTheCarriersWords) {
  start(granted_later);
  carriers.next("test", json(R"({"number":"0088"})", 202));
  carriers.next("test", json(R"({"state":"rejected","why":"sin cobertura"})"));
  ask("1");
  clock().run_for(5min);
  EXPECT_EQ(state(), "refused");
  EXPECT_EQ(count("transitions where to_status = 'remito_refused' and text = 'sin cobertura'"), 1);
}

TEST_F(RemitoWays, AConfirmationThatNeverComesWaitsForAPersonInTheEnd) {
  start(granted_later);
  carriers.always("test", [](const Asked& asked, Instant) {
    return asked.create ? http_answer(202, "", "") : json(R"({"state":"asked"})");
  });
  ask("1");
  clock().run_for(58min);
  EXPECT_EQ(state(), "accepted");
  clock().run_for(5min);
  EXPECT_EQ(state(), "needs_operator");
  EXPECT_EQ(of("1", "refusal_code"), "not_confirmed");
  const std::size_t looks = sent_to("/confirm/");
  clock().run_for(24h);
  EXPECT_EQ(sent_to("/confirm/"), looks);
  EXPECT_EQ(count("transitions"), 0);
}

TEST_F(RemitoWays, TroubleOfALookIsNoRefusal) {
  start(granted_later);
  carriers.next("test", http_answer(202, "", ""));
  carriers.next("test", fetch_error(FetchError::Kind::timeout));
  carriers.next("test", json("<html>busy</html>", 503));
  carriers.next("test", json(R"({"message":"who are you"})", 401));
  carriers.next("test", json(R"({"state":"made"})"));
  carriers.next("test", json(R"({"state":"made","barcode":"0077"})"));
  ask("1");
  clock().run_for(9min);
  EXPECT_EQ(state(), "accepted");
  EXPECT_THAT(of("1", "refusal_text"), HasSubstr("granted without a number"));
  clock().run_for(3min);
  EXPECT_EQ(state(), "granted");
}

TEST_F(RemitoWays, ACrashLosesNoAcceptedRequestAndADeadlineThatPassedMeanwhileHasItsLastLook) {
  start(granted_later);
  carriers.next("test", http_answer(202, "", ""));
  ask("1");
  clock().run_for(5s);
  ASSERT_EQ(state(), "accepted");
  EXPECT_TRUE(daemon->stop());
  clock().run_for(3h);
  EXPECT_EQ(sent_to("/confirm/"), 0u);
  carriers.always("test", json(R"({"state":"made","barcode":"0077"})"));
  crash();
  clock().run_for(1min);
  EXPECT_EQ(state(), "granted");
}

TEST_F(RemitoWays, ACrashInALookRepeatsTheLookAndNeverTheCall) {
  start(granted_later);
  carriers.always("test", [](const Asked& asked, Instant) {
    return asked.create ? http_answer(202, "", "") : json(R"({"state":"made","barcode":"0077"})");
  });
  ask("1");
  clock().run_for(5s);
  carriers.set_latency(10s);
  ASSERT_TRUE(clock().run_until_true([&] { return sent_to("/confirm/") == 1; }, monday + 10min));
  crash();
  EXPECT_EQ(state(), "accepted");
  clock().run_for(5min);
  EXPECT_EQ(state(), "granted");
  EXPECT_EQ(sent_to("/confirm/"), 2u);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(ready_to_ship(), 1);
}

}  // namespace
}  // namespace remitod::test
