#include "tests/daemon/control_handlers_fixture.h"

#include <gmock/gmock.h>

namespace remitod::test {
namespace {

using daemon::ControlAnswer;
using daemon::ControlRequest;
using db::DbError;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(ControlHandlersTest, StatusTellsOfEveryCarrier) {
  const json report = status();
  EXPECT_EQ(report["ok"], true);
  ASSERT_EQ(report["carriers"].size(), 1u);
  EXPECT_EQ(report["carriers"][0]["carrier"], "chazki");
  EXPECT_EQ(report["carriers"][0]["shipments"], 3);
}

TEST_F(ControlHandlersTest, StatusAnswersWhileTheDatabaseDoesNot) {
  daemon->executor.fail_always(DbError::Kind::connection);
  const json report = status();
  EXPECT_EQ(report["ok"], false);
  EXPECT_THAT(report["degraded"].dump(), HasSubstr("database"));
}

TEST_F(ControlHandlersTest, WhatIsWrongIsToldInWordsAndInParts) {
  database.sql(
      "insert into remito_requests (request_key, order_number, carrier, state, accepted_at, requested_at) values "
      "('K1', '9', 'chazki', 'needs_operator', 1, 1); insert into unmapped_codes (carrier, code, text, seen, "
      "first_seen_at, last_seen_at) values ('chazki', '60', 'Cliente ausente', 1, 1, 1)");
  const json report = status();
  ASSERT_EQ(report["trouble"].size(), 1u);
  EXPECT_EQ(report["trouble"][0]["kind"], "needs_operator");
  EXPECT_EQ(report["trouble"][0]["subject"], "chazki");
  EXPECT_EQ(report["trouble"][0]["count"], 1) << "the request's id";
  EXPECT_EQ(report["trouble"][0]["text"], report["degraded"][0]);
  EXPECT_EQ(report["open_requests"][0]["oldest_requested_at"], "1970-01-01T00:00:00.000001Z");
  EXPECT_THAT(report["unmapped"][0]["rule"].get<std::string>(), HasSubstr("reason = \"recipient_absent\""));
}

TEST_F(ControlHandlersTest, AListenerThatDoesNotListenIsToldLikeAllOtherTrouble) {
  listener_trouble = daemon::Trouble{"listener", "127.0.0.1:9470", "in use", 0, "nobody listens on 127.0.0.1:9470"};
  const json report = status();
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["degraded"], json::array({"nobody listens on 127.0.0.1:9470"}));
  ASSERT_EQ(report["trouble"].size(), 1u);
  EXPECT_EQ(report["trouble"][0]["kind"], "listener");
  EXPECT_EQ(report["trouble"][0]["why"], "in use");
}

TEST_F(ControlHandlersTest, WhoAsksAgainAndAgainWhileTheDatabaseHangsLeavesNoWorkBehind) {
  daemon->executor.set_latency(10min);
  const std::size_t works = daemon->executor.works();
  int answered = 0;
  auto connection = std::make_shared<int>();
  const std::weak_ptr<int> held = connection;
  for (int i = 0; i < 100; ++i)
    (*handlers)({"GET", "/status", {}, ""}, [&answered, connection](const ControlAnswer& answer) {
      ++answered;
      EXPECT_EQ(json::parse(answer.body)["database"]["ok"], false);
    });
  EXPECT_EQ(daemon->executor.works() - works, 1u);
  clock().run_for(5s);
  EXPECT_EQ(answered, 100) << "and each has an answer all the same";
  connection.reset();
  EXPECT_TRUE(held.expired()) << "nor a connection";
  daemon->executor.set_latency(0s);
  clock().run_for(20min);
  EXPECT_EQ(status()["ok"], true);
}

TEST_F(ControlHandlersTest, CancellationsThatHaveNoEndForAQuarterOfAnHourAreTrouble) {
  insert_cancel("K1", "chazki", "unknown", monday - 16min, 1, "HTTP 502");
  insert_cancel("K2", "chazki", "pending", monday - 1min, 2, "connect");
  insert_cancel("K3", "olva", "pending", monday - 14min, 3, "connect");
  insert_cancel("K4", "correios", "pending", monday - 16min, 0, "");
  const json report = status();
  EXPECT_EQ(report["ok"], false);
  ASSERT_EQ(report["trouble"].size(), 1u) << report["trouble"];
  EXPECT_EQ(report["trouble"][0]["kind"], "cancels_open");
  EXPECT_EQ(report["trouble"][0]["subject"], "chazki");
  EXPECT_EQ(report["trouble"][0]["count"], 2);
  EXPECT_EQ(report["degraded"][0],
            "carrier chazki: 2 cancellation(s) without an end since 2026-11-22T23:44:00Z: HTTP 502");
}

TEST_F(ControlHandlersTest, RequestsThatAreTriedInVainForTwoMinutesAreTrouble) {
  insert_tried("K1", "chazki", "pending", monday - 3min, 6, "connect: Connection refused");
  insert_tried("K2", "chazki", "pending", monday - 1min, 1, "timeout");
  insert_tried("K3", "chazki", "sending", monday - 4min, 7, "");
  const json report = status();
  EXPECT_EQ(report["ok"], false);
  ASSERT_EQ(report["trouble"].size(), 1u) << report["trouble"];
  EXPECT_EQ(report["trouble"][0]["kind"], "remitos_unsent");
  EXPECT_EQ(report["trouble"][0]["subject"], "chazki");
  EXPECT_EQ(report["trouble"][0]["count"], 3);
  EXPECT_EQ(
      report["degraded"][0],
      "carrier chazki: 3 request(s) for remitos not sent since 2026-11-22T23:56:00Z: connect: Connection refused");
  EXPECT_TRUE(report["needs_operator"].empty()) << "nobody has to settle them";
}

TEST_F(ControlHandlersTest, RequestsThatOnlyWaitOrHaveJustFailedAreNoTrouble) {
  insert_tried("K1", "chazki", "pending", monday - 5h, 0, "");
  insert_tried("K2", "chazki", "pending", monday - 1min, 1, "connect: Connection refused");
  insert_tried("K3", "chazki", "sending", monday - 5h, 1, "");
  insert_tried("K4", "nobody", "pending", monday - 5h, 1, "connect: Connection refused");
  const json report = status();
  EXPECT_EQ(report["ok"], true) << report["degraded"];
}

TEST_F(ControlHandlersTest, StatusOfAShipmentTellsWhenItIsAskedNext) {
  const ControlAnswer answer = call({"GET", "/status", {{"target", "chazki:C1"}}, ""});
  ASSERT_EQ(answer.status, 200);
  const json shipment = json::parse(answer.body)["shipments"][0];
  EXPECT_EQ(shipment["remito"], "C1");
  EXPECT_TRUE(shipment["last_asked"].is_null());
  EXPECT_TRUE(shipment["next_due"].is_string());
  EXPECT_EQ(json::parse(call({"GET", "/status", {{"target", "order:1001"}}, ""}).body)["shipments"].size(), 3u);
}

TEST_F(ControlHandlersTest, ATargetOfNothingIsNotFoundAndOneThatIsNoneIsRefused) {
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki:C99"}}, ""}).status, 404);
  EXPECT_EQ(call({"GET", "/status", {{"target", "order:99"}}, ""}).status, 404);
  EXPECT_EQ(call({"GET", "/status", {{"target", "all"}}, ""}).status, 400);
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki"}}, ""}).status, 400);
  EXPECT_EQ(call({"GET", "/status", {{"target", ""}}, ""}).status, 400);
}

TEST_F(ControlHandlersTest, ACallThatDoesNotExistIsNotFound) {
  EXPECT_EQ(call({"GET", "/", {}, ""}).status, 404);
  EXPECT_EQ(call({"POST", "/status", {}, ""}).status, 404);
  EXPECT_EQ(call({"DELETE", "/resync", {}, ""}).status, 404);
  EXPECT_THAT(call({"GET", "/\x1B\xFF", {}, ""}).body, HasSubstr("no such call"));
}

TEST_F(ControlHandlersTest, AResyncIsTakenUpAndItsProgressTold) {
  const ControlAnswer answer = resync(R"({"target": "chazki"})");
  ASSERT_EQ(answer.status, 200);
  const json begun = json::parse(answer.body);
  EXPECT_EQ(begun["shipments"], 3);
  EXPECT_EQ(begun["carriers"]["chazki"], 3);
  clock().run_for(5s);
  const json progress =
      json::parse(call({"GET", "/resync", {{"id", std::to_string(begun["resync_id"].get<int>())}}, ""}).body);
  EXPECT_EQ(progress["finished"], true);
  EXPECT_EQ(progress["done"], 3);
}

TEST_F(ControlHandlersTest, ADryRunAsksNobody) {
  const ControlAnswer answer = resync(R"({"target": "all", "dry_run": true})");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body)["shipments"], 3);
  clock().run_for(10s);
  EXPECT_THAT(carriers.sent(), IsEmpty());
  EXPECT_EQ(count("resync_requests"), 0);
}

TEST_F(ControlHandlersTest, WhatIsNoResyncIsRefusedAndNothingIsWritten) {
  for (const char* body :
       {"", "[]", "{", "\xFF", "{}", R"({"target": 7})", R"({"target": "order:"})", R"({"target": "nobody"})",
        R"({"target": "all", "since": "yesterday"})", R"({"target": "all", "since": 7})",
        R"({"target": "all", "dry_run": "yes"})", R"({"target": "all", "dry-run": true})"})
    EXPECT_EQ(resync(body).status, 400) << body;
  EXPECT_EQ(resync(R"({"target": "chazki:C99"})").status, 404);
  EXPECT_EQ(resync(R"({"target": "order:99"})").status, 404);
  EXPECT_THAT(resync(R"({"target": "order:99", "since": "2026-11-23"})").body,
              HasSubstr("no open shipment of order:99"));
  EXPECT_EQ(count("resync_requests"), 0);
}

TEST_F(ControlHandlersTest, AResyncOfWhatHasChangedSinceIsOfNothingAndNoMistake) {
  database.sql("update shipments set detected_at = " + std::to_string(to_micros(monday + 1h)));
  for (const char* target : {"chazki:C1", "order:1001", "chazki"}) {
    const ControlAnswer answer = resync(json{{"target", target}, {"since", "2026-11-23"}}.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(json::parse(answer.body)["shipments"], 0) << target;
  }
}

TEST_F(ControlHandlersTest, WithoutTheDatabaseAResyncIsNotAccepted) {
  daemon->executor.fail_always(DbError::Kind::connection);
  EXPECT_EQ(resync(R"({"target": "all"})").status, 503);
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki:C1"}}, ""}).status, 503);
}

TEST_F(ControlHandlersTest, EveryStatusHasItsSpanishLabel) {
  carriers.show("chazki", "C1", {{monday + 1min, "", "Recogido"}});
  clock().run_for(2h);
  const json shipment = json::parse(call({"GET", "/status", {{"target", "chazki:C1"}}, ""}).body)["shipments"][0];
  EXPECT_EQ(shipment["label"], "Recogido");
  EXPECT_EQ(shipment["events"][0]["label"], "Recogido");
  EXPECT_EQ(shipment["transitions"][0]["from_label"], "Registrado");
  EXPECT_EQ(shipment["transitions"][0]["label"], "Recogido");
  EXPECT_EQ(status()["open_shipments"][0]["label"], "Recogido");
}

TEST_F(ControlHandlersTest, AShipmentThatIsForgottenLeavesItsLane) {
  const ControlAnswer answer = call({"POST", "/forget", {}, R"({"target": "chazki:C1"})"});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body)["label"], "Registrado");
  EXPECT_EQ(daemon->poller.lane("chazki")->size(), 2u);
  EXPECT_EQ(count("shipments where ended_at is not null and status = 'registered'"), 1);
  EXPECT_EQ(call({"POST", "/forget", {}, R"({"target": "chazki:C1"})"}).status, 404);
  for (const char* body : {"", "{}", R"({"target": "chazki"})", R"({"target": "order:1001"})", R"({"target": ""})"})
    EXPECT_EQ(call({"POST", "/forget", {}, body}).status, 400) << body;
}

TEST_F(ControlHandlersTest, AnOrderIsErasedOrOnlyLookedAt) {
  const auto erase = [&](const std::string& body) { return call({"POST", "/erase", {}, body}); };
  const json looked = json::parse(erase(R"({"order_number": "1001", "dry_run": true})").body);
  EXPECT_EQ(looked["open_shipments"], 3);
  EXPECT_EQ(looked["dry_run"], true);
  EXPECT_EQ(count("erasures"), 0);
  EXPECT_EQ(erase(R"({"order_number": "1001"})").status, 200);
  EXPECT_EQ(count("erasures where erased_at is null"), 1);
  EXPECT_EQ(erase(R"({"order_number": "7"})").status, 404);
  for (const char* body : {"", "[]", R"({"order_number": ""})", R"({"order_number": 1001})",
                           R"({"order_number": "1001", "dry-run": true})"})
    EXPECT_EQ(erase(body).status, 400) << body;
}

TEST_F(ControlHandlersTest, ARereadTellsHowFarItIs) {
  carriers.show("chazki", "C1", {{monday + 1min, "", "Recogido"}});
  clock().run_for(2h);
  const ControlAnswer begun = call({"POST", "/reread", {}, R"({"carrier": "chazki", "dry_run": true})"});
  ASSERT_EQ(begun.status, 200) << begun.body;
  const std::string id = std::to_string(json::parse(begun.body)["reread_id"].get<int>());
  const json progress = json::parse(call({"GET", "/reread", {{"id", id}}, ""}).body);
  EXPECT_EQ(progress["finished"], true);
  EXPECT_EQ(progress["answers"], 1);
  EXPECT_EQ(progress["done"], 1);
  EXPECT_EQ(progress["would_tell"], json::array());
  EXPECT_EQ(call({"GET", "/reread", {{"id", "77"}}, ""}).status, 404);
  EXPECT_EQ(call({"POST", "/reread", {}, R"({"carrier": "nobody"})"}).status, 400);
  EXPECT_EQ(call({"POST", "/reread", {}, R"({"carrier": "chazki", "since": "once"})"}).status, 400);
}

TEST_F(ControlHandlersTest, WhatBothSystemsSawIsTold) {
  carriers.show("chazki", "C1", {{monday + 1min, "", "Recogido"}});
  clock().run_for(2h);
  database.sql("insert into legacy_statuses (carrier, remito, status, noted_at) values ('chazki', 'C1', 'Recogido', " +
               std::to_string(to_micros(monday + 3h)) + ")");
  const json rows = json::parse(call({"GET", "/shadow", {{"carrier", "chazki"}}, ""}).body);
  ASSERT_EQ(rows["ours"].size(), 1u);
  EXPECT_EQ(rows["ours"][0]["status"], "picked_up");
  ASSERT_EQ(rows["theirs"].size(), 1u);
  EXPECT_EQ(rows["theirs"][0]["seen_at"], "2026-11-23T03:00:00Z");
  EXPECT_EQ(call({"GET", "/shadow", {}, ""}).status, 400);
  for (const char* nobody : {"rapid", "chazki:C1", "order:1001"})
    EXPECT_THAT(call({"GET", "/shadow", {{"carrier", nobody}}, ""}).body,
                HasSubstr("no carrier \\\"" + std::string(nobody) + "\\\" is configured"));
  EXPECT_EQ(call({"GET", "/shadow", {{"carrier", "chazki"}, {"since", "once"}}, ""}).status, 400);
}

TEST_F(ControlHandlersTest, ThereIsNoProgressOfNothing) {
  for (const char* id : {"7", "", "x", "99999999999999999999"})
    EXPECT_EQ(call({"GET", "/resync", {{"id", id}}, ""}).status, 404) << id;
}

TEST_F(ControlHandlersTest, AResyncThatADaemonBeforeEndedIsToldOfAsItsRowHasIt) {
  database.sql(
      "insert into resync_requests (id, target, requested_at, accepted_at, finished_at, shipments, error) values "
      "(70, 'chazki', 1, 1, 2, 3, ''), (71, 'rapid', 1, 1, 2, 0, 'no carrier'), (72, 'chazki', 1, 1, null, 0, '')");
  const auto progress = [this](const char* id) { return json::parse(call({"GET", "/resync", {{"id", id}}, ""}).body); };
  const json ended = progress("70");
  EXPECT_EQ(ended["finished"], true);
  EXPECT_EQ(ended["shipments"], 3);
  EXPECT_EQ(ended["done"], 3);
  EXPECT_EQ(ended["target"], "chazki");
  EXPECT_EQ(progress("71")["error"], "no carrier");
  EXPECT_EQ(progress("72")["finished"], false);
  EXPECT_TRUE(progress("72")["shipments"].is_null());
  daemon->executor.fail_always(DbError::Kind::connection);
  EXPECT_EQ(call({"GET", "/resync", {{"id", "70"}}, ""}).status, 503);
}

// ------------------------------------------------------------------ remito requests

struct SettleRequestTest : ControlHandlersTest {
  void ask_one() {
    ask_remito("chazki", "2001", R"({"sender": {"name": "T", "email": "t@example.com", "address": {"street": "A",
        "number": "1", "postcode": "1", "district": "L", "province": "L"}}, "recipient": {"first_name": "A",
        "last_name": "P", "phone": "9", "document_number": "0", "address": {"street": "C", "number": "1",
        "postcode": "1", "district": "L", "province": "L", "department": "L"}}, "parcels": [{"weight_kg": 1,
        "length_cm": 1, "width_cm": 1, "height_cm": 1, "description": "x"}]})",
               "K");
    daemon->intake.wake();
  }
  /// Of which nobody knows what became: chazki promises nothing.
  void leave_one_unclear() {
    carriers.next("chazki", fetch_error(carriers::FetchError::Kind::timeout));
    ask_one();
    clock().run_for(5s);
    ASSERT_EQ(database.text("select state from remito_requests"), "needs_operator")
        << database.text("select refusal_text from remito_requests");
  }
  ControlAnswer settle(const json& body) { return call({"POST", "/settle", {}, body.dump()}); }
};

TEST_F(SettleRequestTest, StatusNamesWhatNeedsAPersonFirstWithWhatToType) {
  leave_one_unclear();
  const json report = status();
  EXPECT_EQ(report["ok"], false);
  EXPECT_THAT(report["degraded"][0].get<std::string>(), HasSubstr("remitod --settle K --adopt REMITO"));
  EXPECT_EQ(report["needs_operator"][0]["request_key"], "K");
}

TEST_F(SettleRequestTest, WhatToTypeNamesTheRequestByItsKeyForAShell) {
  leave_one_unclear();
  const auto typed = [&](const std::string& key) {
    database.sql("update remito_requests set request_key = '" + key + "'");
    return status()["degraded"][0].get<std::string>();
  };
  EXPECT_THAT(typed("order-1102/try_1"), HasSubstr("--settle order-1102/try_1 --adopt"));
  EXPECT_THAT(typed("order 1102; ls"), HasSubstr("--settle 'order 1102; ls' --adopt"));
  EXPECT_THAT(typed("9"), HasSubstr("--settle key:9 --adopt")) << "another one may have that id";
  EXPECT_THAT(typed("it''s"), HasSubstr("--settle id:1 --adopt")) << "quotes would not be shown as they are";
  EXPECT_THAT(typed(std::string(101, 'x')), HasSubstr("--settle id:1 --adopt")) << "it would be cut off";
}

TEST_F(SettleRequestTest, ANumberThatNamesTwoRequestsSettlesNeither) {
  leave_one_unclear();
  ask_remito("chazki", "2002", "{}", "1");
  EXPECT_EQ(settle({{"request", "1"}, {"adopt", "2001"}, {"by", "ana"}}).status, 409);
  EXPECT_EQ(settle({{"request", "id:1"}, {"adopt", "2001"}, {"by", "ana"}}).status, 200);
}

TEST_F(SettleRequestTest, BlanksAroundARemitoAreCutOffAndBlanksInItRefused) {
  leave_one_unclear();
  for (const char* remito : {" 12 3 ", "12\t3", "12\n3", "12\x7F", "\x01"}) {
    const ControlAnswer answer = settle({{"request", "K"}, {"adopt", remito}, {"by", "ana"}});
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("a remito has no blanks or control characters in it"));
  }
  EXPECT_EQ(settle({{"request", "K"}, {"adopt", " 2001\r\n"}, {"by", "ana"}}).status, 200);
  EXPECT_EQ(database.text("select remito from shipments where order_number = '2001'"), "2001");
  EXPECT_EQ(call({"GET", "/status", {{"target", "chazki:2001"}}, ""}).status, 200);
}

TEST_F(SettleRequestTest, ACarrierThatTakesNoRemitosIsToldUntilItTakesThem) {
  const auto unsent = [this] {
    const json report = status();
    json found = json::array();
    for (const json& trouble : report["trouble"])
      if (trouble["kind"] == "remitos_unsent") found.push_back(trouble);
    return found;
  };
  carriers.always("chazki", fetch_error(carriers::FetchError::Kind::connect, true));
  ask_one();
  clock().run_for(1min);
  EXPECT_EQ(unsent().size(), 0u);
  for (int minute = 0; minute < 10; ++minute) {
    clock().run_for(1min + 7s);
    ASSERT_EQ(unsent().size(), 1u) << "also while it is being tried, " << minute;
    EXPECT_EQ(unsent()[0]["count"], 1);
    EXPECT_NE(unsent()[0]["why"], "");
  }
  carriers.ordinary("chazki");
  clock().run_for(2h);
  EXPECT_EQ(database.text("select state from remito_requests"), "granted");
  EXPECT_EQ(unsent().size(), 0u);
}

TEST_F(SettleRequestTest, AnAdoptedShipmentIsFollowedAtOnce) {
  leave_one_unclear();
  const ControlAnswer answer = settle({{"request", "K"}, {"adopt", "2001"}, {"by", "ana"}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body)["state"], "granted");
  EXPECT_EQ(json::parse(answer.body)["operator_action"], "adopted remito 2001");
  EXPECT_EQ(database.text("select operator from remito_requests"), "ana");
  EXPECT_EQ(status()["ok"], true);
  clock().run_for(2h);
  EXPECT_FALSE(carriers.asked_at("chazki", "2001").empty());
  EXPECT_EQ(count("transitions where to_status = 'ready_to_ship' and seq is not null"), 1);
}

TEST_F(SettleRequestTest, WhatIsToBeSentAnewIsSent) {
  leave_one_unclear();
  EXPECT_EQ(settle({{"request", "K"}, {"resend", true}, {"by", "ana"}}).status, 200);
  clock().run_for(5s);
  EXPECT_EQ(database.text("select state from remito_requests"), "granted");
}

TEST_F(SettleRequestTest, WhatIsWrongIsSaid) {
  leave_one_unclear();
  EXPECT_EQ(settle({{"request", "nobody"}, {"resend", true}, {"by", "ana"}}).status, 404);
  EXPECT_EQ(settle({{"request", "K"}, {"adopt", "C1"}, {"by", "ana"}}).status, 409) << "order 1001 has it";
  for (const json& body :
       {json{{"request", "K"}, {"resend", true}}, json{{"request", "K"}, {"resend", false}, {"by", "a"}},
        json{{"request", "K"}, {"adopt", " "}, {"by", "a"}}, json{{"request", "K"}, {"by", "a"}},
        json{{"request", "K"}, {"adoptt", "1"}, {"by", "a"}},
        json{{"request", "K"}, {"adopt", "1"}, {"refuse", "2"}, {"by", "a"}}, json::array()})
    EXPECT_EQ(settle(body).status, 400) << body;
  EXPECT_EQ(database.text("select state from remito_requests"), "needs_operator");
}

TEST_F(SettleRequestTest, BodiesThatAreNestedWithoutEndAreRefusedAndHarmNothing) {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  const std::string key = R"({"request_key": "k", "payload": {"a": )" + deep + "}}";
  for (const char* path : {"/resync", "/forget", "/erase", "/reread", "/try", "/settle", "/replay", "/sinks/enable"})
    for (const char* name : {"target", "carrier", "resend", "sink"})
      EXPECT_EQ(call({"POST", path, {}, "{\"" + std::string(name) + "\": " + deep + "}"}).status, 400) << path << name;
  EXPECT_EQ(call({"POST", "/requests", {}, R"({"requests": [)" + key + "]}"}).status, 400);
  EXPECT_EQ(call({"POST", "/requests/view", {}, R"({"keys": )" + deep + "}"}).status, 400);
}

TEST_F(SettleRequestTest, RequestsAreInsertedAndLookedAt) {
  const ControlAnswer inserted = call({"POST", "/requests", {}, R"({"requests": [
      {"request_key": "A", "order_number": "7", "carrier": "nobody"}]})"});
  EXPECT_EQ(inserted.status, 200) << inserted.body;
  EXPECT_EQ(json::parse(inserted.body)["requests"][0]["is_new"], true);
  clock().run_for(1s);
  const ControlAnswer seen = call({"POST", "/requests/view", {}, R"({"keys": ["A", "B"]})"});
  ASSERT_EQ(json::parse(seen.body)["requests"].size(), 1u) << seen.body;
  EXPECT_EQ(json::parse(seen.body)["requests"][0]["refusal_code"], "unknown_carrier");
  EXPECT_EQ(call({"POST", "/requests", {}, R"({"requests": [{"request_key": "A"}]})"}).status, 400);
  EXPECT_EQ(call({"POST", "/requests/view", {}, "{}"}).status, 400);
}

}  // namespace
}  // namespace remitod::test
