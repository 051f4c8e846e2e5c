// Raw answers, checkpoints and the overview: what is kept besides, and for people.
#include <gmock/gmock.h>

#include "db/packing.h"
#include "db/raw_answers.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;

class RawAnswers : public test::StoreTest {
 protected:
  void keep(std::vector<RawAnswer> answers) {
    run<void>([&](Session& at) { return keep_raw_answers(at, answers, noon); });
  }
  std::vector<RawAnswer> load(std::string_view carrier, std::size_t limit = 10) {
    return run<std::vector<RawAnswer>>([=](Session& at) { return load_raw_answers(at, carrier, limit); });
  }
  std::size_t trim(const std::vector<std::string>& carriers, std::uint64_t bytes_max) {
    return run<std::size_t>([&](Session& at) { return trim_raw_answers(at, carriers, bytes_max); });
  }
  KeptAnswers count(std::string_view carrier, std::optional<Instant> since = std::nullopt) {
    return run<KeptAnswers>([=](Session& at) { return count_kept_answers(at, carrier, since); });
  }
  KeptPage load_page(std::string_view carrier, std::int64_t after_id, std::int64_t last_id, std::size_t limit,
                     std::optional<Instant> since = std::nullopt) {
    return run<KeptPage>([=](Session& at) { return load_kept_answers(at, carrier, since, after_id, last_id, limit); });
  }
  static RawAnswer answer(const std::string& carrier, const std::string& body) {
    return {.carrier = carrier,
            .operation = "track",
            .remito = "0001",
            .why = "truncated XML",
            .http_status = 200,
            .content_type = "text/xml; charset=windows-1252",
            .body = body};
  }
};
REMITOD_ON_BOTH_ENGINES(RawAnswers);

TEST_P(RawAnswers, AnyBytesComeBackNewestFirst) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  keep({answer("oca", bytes), answer("olva", "x"), answer("oca", "")});
  const auto answers = load("oca");
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].body, "");
  EXPECT_EQ(answers[1].body, bytes);
  EXPECT_EQ(answers[1].carrier, "oca");
  EXPECT_EQ(answers[1].operation, "track");
  EXPECT_EQ(answers[1].remito, "0001");
  EXPECT_EQ(answers[1].why, "truncated XML");
  EXPECT_EQ(answers[1].http_status, 200);
  EXPECT_EQ(answers[1].content_type, "text/xml; charset=windows-1252");
  EXPECT_EQ(load("oca", 1).size(), 1u);
  EXPECT_TRUE(load("chazki").empty());
}

TEST_P(RawAnswers, LongBodyIsCut) {
  keep({answer("oca", std::string(raw_body_bytes_max + 1, 'a'))});
  EXPECT_EQ(load("oca").at(0).body, std::string(raw_body_bytes_max, 'a'));
  EXPECT_LT(number("select length(body) from raw_answers"), 2000);
}

TEST_P(RawAnswers, HeadersThatAreNoTextDoNotStopTheBatch) {
  RawAnswer broken = answer("oca", "x");
  broken.content_type = "text/\xff";
  broken.why = std::string("a\0b", 3);
  keep({broken});
  EXPECT_EQ(load("oca").at(0).content_type, "text/\xef\xbf\xbd");
  EXPECT_EQ(load("oca").at(0).why, "ab");
}

TEST_P(RawAnswers, OnlyTheNewestOfACarrierThatHaveRoomStay) {
  keep({answer("olva", "kept")});
  for (int i = 0; i < 20; ++i) keep({answer("oca", std::to_string(i))});
  const auto bytes = static_cast<std::uint64_t>(number("select max(packed_bytes) from raw_answers"));
  EXPECT_EQ(trim({"oca"}, 3 * bytes), 17u);
  const auto answers = load("oca", 100);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers.front().body, "19");
  EXPECT_EQ(answers.back().body, "17");
  EXPECT_EQ(load("olva").size(), 1u);
  EXPECT_EQ(trim({"oca"}, 3 * bytes), 0u);
}

TEST_P(RawAnswers, WhatTheyWereAskedAboutComesBackWithThem) {
  RawAnswer asked = answer("oca", "page onepage two");
  asked.page_ends = {8};
  asked.asked = {{7, "0001", noon}, {8, "ñ\"", noon - 24h}};
  asked.received_at = noon - 1h;
  keep({asked, answer("oca", "nothing is known")});
  const auto answers = load("oca");
  EXPECT_EQ(answers.at(1).asked, asked.asked);
  EXPECT_THAT(answers.at(1).page_ends, testing::ElementsAre(8u));
  EXPECT_EQ(answers.at(1).received_at, noon - 1h);
  EXPECT_TRUE(answers.at(1).whole);
  EXPECT_EQ(answers.at(0).received_at, noon) << "when it was kept, for want of better";
}

TEST_P(RawAnswers, AreReadAgainOldestFirstByPagesWithoutThoseThatSayNothingOfShipments) {
  std::vector<RawAnswer> many;
  for (int i = 0; i < 5; ++i) many.push_back(answer("oca", std::to_string(i)));
  many.push_back(answer("oca", std::string(raw_body_bytes_max + 1, 'x')));
  many.push_back(answer("oca", "created"));
  many.back().operation = "create";
  many.push_back(answer("olva", "another's"));
  keep(many);
  const KeptAnswers kept = count("oca");
  EXPECT_EQ(kept.answers, 5);
  EXPECT_EQ(kept.not_whole, 1);
  KeptPage page = load_page("oca", 0, kept.last_id, 3);
  ASSERT_EQ(page.answers.size(), 3u);
  EXPECT_EQ(page.answers[0].body, "0");
  keep({answer("oca", "came meanwhile")});
  page = load_page("oca", page.last_id, kept.last_id, 3);
  ASSERT_EQ(page.answers.size(), 2u);
  EXPECT_EQ(page.answers[1].body, "4");
  EXPECT_EQ(load_page("oca", page.last_id, kept.last_id, 3).last_id, page.last_id);
}

TEST_P(RawAnswers, SinceAMomentAreThoseThatCameThen) {
  RawAnswer old = answer("oca", "old");
  old.received_at = noon - 1us;
  keep({old, answer("oca", "new")});
  EXPECT_EQ(count("oca", noon).answers, 1);
  EXPECT_EQ(load_page("oca", 0, 100, 10, noon).answers.at(0).body, "new");
}

TEST_P(RawAnswers, ADamagedOneIsPassedOverAndCounted) {
  keep({answer("oca", "one"), answer("oca", "two"), answer("oca", "three"), answer("oca", "four")});
  sql("update raw_answers set body = 'x' where id = 1;"
      "update raw_answers set asked = '[{\"remito\": 7}]' where id = 2;"
      "update raw_answers set page_ends = '[99]' where id = 3");
  const KeptPage page = load_page("oca", 0, 100, 10);
  EXPECT_EQ(page.damaged, 3u);
  EXPECT_EQ(page.answers.at(0).body, "four");
  EXPECT_EQ(page.last_id, 4);
}

TEST_P(RawAnswers, FindTheShipmentThatHadTheNumberThen) {
  sql("insert into shipments (order_number, carrier, remito, accepted_at, ended_at, cycle) values "
      "('1', 'oca', '0001', 100, 200, 1), ('2', 'oca', '0001', 300, null, 2), ('3', 'olva', '0001', 100, null, 1)");
  const auto found = [&](std::int64_t micros) {
    std::vector<std::int64_t> ids;
    const std::vector<std::string> remitos{"0001", "0002"};
    for (const AskedShipment& one : run<std::vector<AskedShipment>>(
             [&](Session& at) { return find_shipments_at(at, "oca", remitos, from_micros(micros)); }))
      ids.push_back(one.shipment_id);
    return ids;
  };
  EXPECT_THAT(found(150), testing::ElementsAre(1));
  EXPECT_THAT(found(250), testing::IsEmpty());
  EXPECT_THAT(found(350), testing::ElementsAre(2));
}

TEST_P(RawAnswers, ACodeIsListedAsLongAsAnEventOfItIsNotUnderstood) {
  sql("insert into shipments (order_number, carrier, remito, accepted_at, cycle) values ('1', 'oca', '1', 1, 1), "
      "('2', 'olva', '1', 1, 1);"
      "insert into tracking_events (shipment_id, event_key, code, text, status, reason, zone_source, date_only, "
      "resolved_by_rule, place, position, baseline, detected_at) values "
      "(1, 'a', '07', '', 'unmapped', '', 'offset', false, false, '', 0, false, 1), "
      "(1, 'b', '08', '', 'in_transit', '', 'offset', false, false, '', 0, false, 1), "
      "(2, 'a', '08', '', 'unmapped', '', 'offset', false, false, '', 0, false, 1);"
      "insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at) values "
      "('oca', '07', '', 1, 1, 1), ('oca', '08', '', 1, 1, 1), ('olva', '08', '', 1, 1, 1)");
  EXPECT_EQ(run<std::size_t>([](Session& at) { return forget_explained_codes(at, "oca"); }), 1u);
  EXPECT_EQ(number("select count(*) from unmapped_codes where carrier || code in ('oca07', 'olva08')"), 2);
}

TEST_P(RawAnswers, BodyThatWasNeverPackedIsAnError) {
  keep({answer("oca", "x")});
  sql("update raw_answers set body = 'x'");
  const auto result =
      another().transact<std::vector<RawAnswer>>([](Session& at) { return load_raw_answers(at, "oca", 10); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, DbError::Kind::bug);
}

class LaneCheckpoints : public test::StoreTest {
 protected:
  void save(const LaneCheckpoint& checkpoint) {
    run<void>([=](Session& at) { return save_lane_checkpoint(at, checkpoint); });
  }
};
REMITOD_ON_BOTH_ENGINES(LaneCheckpoints);

TEST_P(LaneCheckpoints, LastOneOfEachCarrierComesBackAsItWas) {
  const std::string bytes("\0\x01\xff'\n", 5);
  save({"oca", "first", noon, noon + 1s, noon});
  save({"olva", "", {}, noon + 1h, noon});
  save({"oca", bytes, noon + 2h, {}, noon + 1min});
  const auto checkpoints = run<std::vector<LaneCheckpoint>>([](Session& at) { return load_lane_checkpoints(at); });
  ASSERT_EQ(checkpoints.size(), 2u);
  EXPECT_EQ(checkpoints[0].carrier, "oca");
  EXPECT_EQ(checkpoints[0].asked, bytes);
  EXPECT_EQ(checkpoints[0].polls_wished_until, noon + 2h);
  EXPECT_EQ(checkpoints[0].orders_wished_until, std::nullopt);
  EXPECT_EQ(checkpoints[0].saved_at, noon + 1min);
  EXPECT_EQ(checkpoints[1].asked, "");
  EXPECT_EQ(checkpoints[1].polls_wished_until, std::nullopt);
  EXPECT_EQ(checkpoints[1].orders_wished_until, noon + 1h);
}

class OverviewOfAll : public test::RequestStoreTest {
 protected:
  Overview look() {
    return run<Overview>([](Session& at) { return overview(at); });
  }
};
REMITOD_ON_BOTH_ENGINES(OverviewOfAll);

TEST_P(OverviewOfAll, EmptyDatabaseHasNothingToTell) {
  const Overview nothing = look();
  EXPECT_TRUE(nothing.open_shipments.empty());
  EXPECT_TRUE(nothing.requests.empty());
  EXPECT_TRUE(nothing.unmapped.empty());
  EXPECT_EQ(nothing.last_seq, 0);
  EXPECT_EQ(nothing.transitions_without_seq, 0);
  EXPECT_EQ(nothing.oldest_pending_request, std::nullopt);
}

TEST_P(OverviewOfAll, CountsWhatThereIs) {
  settle({granted(claimed({.order = "1"}), "0001")});
  settle({granted(claimed({.order = "2"}), "0002")});
  settle({granted(claimed({.order = "3"}), "0003")});
  settle({refused(claimed({.order = "4", .carrier = "olva"}), "no")});
  sql("update shipments set status = 'delivered' where remito = '0002'; "
      "update shipments set ended_at = 1 where remito = '0003';"
      "insert into shipments (order_number, carrier, remito) values ('9', 'oca', 'not accepted yet');");
  dispatch(3);
  ask({.order = "5"});
  sql("update remito_requests set requested_at = 7 where order_number = '5'");
  const Overview seen = look();

  ASSERT_EQ(seen.open_shipments.size(), 2u);
  EXPECT_EQ(seen.open_shipments[0].status, "delivered");
  EXPECT_EQ(seen.open_shipments[1].status, "registered");
  EXPECT_EQ(seen.open_shipments[1].carrier, "oca");
  EXPECT_EQ(seen.open_shipments[1].shipments, 1);
  ASSERT_EQ(seen.requests.size(), 3u);
  EXPECT_EQ(seen.requests[0].status, "granted");
  EXPECT_EQ(seen.requests[0].shipments, 3);
  EXPECT_EQ(seen.requests[1].status, "pending");
  EXPECT_EQ(seen.requests[2].carrier, "olva");
  EXPECT_EQ(seen.requests[2].status, "refused");
  EXPECT_EQ(seen.last_seq, 3);
  EXPECT_EQ(seen.transitions_without_seq, 1);
  EXPECT_EQ(seen.oldest_pending_request, from_micros(7));
}

TEST_P(OverviewOfAll, RequestsThatCannotBeSentToOneCarrierDoNotHideThoseToAnother) {
  const std::string numbers =
      engine() == test::Engine::sqlite
          ? "(with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i from n) as n"
          : "generate_series(1, 1200) as n(i)";
  sql("insert into remito_requests (request_key, order_number, carrier, accepted_at, attempts, refusal_text) "
      "select 'key ' || i, 'order ' || i, 'oca', 1, 1, 'connect' from " +
      numbers +
      ";"
      "insert into remito_requests (request_key, order_number, carrier, accepted_at, attempts, refusal_text) "
      "values ('small', 'small', 'olva', 2, 1, 'login')");
  const Overview seen = look();
  ASSERT_EQ(seen.unsent.size(), 1001u);
  EXPECT_EQ(seen.unsent.front().carrier, "oca");
  EXPECT_EQ(seen.unsent.back().carrier, "olva");
  EXPECT_EQ(seen.unsent.back().refusal_text, "login");
}

TEST_P(OverviewOfAll, UnmappedCodesAreTheHundredSeenLast) {
  std::string rows;
  for (int i = 1; i <= 101; ++i)
    rows += "insert into unmapped_codes (carrier, code, text, seen, first_seen_at, last_seen_at) values ('oca', '" +
            std::to_string(i) + "', 'En Planta', 3, 1, " + std::to_string(i) + ");";
  sql(rows);
  const Overview seen = look();
  ASSERT_EQ(seen.unmapped.size(), 100u);
  EXPECT_EQ(seen.unmapped[0].code, "101");
  EXPECT_EQ(seen.unmapped[0].text, "En Planta");
  EXPECT_EQ(seen.unmapped[0].seen, 3);
  EXPECT_EQ(seen.unmapped[0].last_seen, from_micros(101));
  EXPECT_EQ(seen.unmapped.back().code, "2");
}

}  // namespace
}  // namespace remitod::db
