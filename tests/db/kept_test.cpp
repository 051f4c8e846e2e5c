// Raw answers, checkpoints and the overview: what is kept besides, and for people.
#include "db/packing.h"
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

TEST_P(RawAnswers, OnlyTheNewestOfACarrierStay) {
  keep({answer("olva", "kept")});
  const std::size_t most = raw_answers_max;
  std::vector<RawAnswer> many;
  for (std::size_t i = 0; i < most + 5; ++i) many.push_back(answer("oca", std::to_string(i)));
  keep(many);
  keep({answer("oca", "last")});
  const auto answers = load("oca", 2 * most);
  ASSERT_EQ(answers.size(), most);
  EXPECT_EQ(answers.front().body, "last");
  EXPECT_EQ(answers.back().body, "6");
  EXPECT_EQ(load("olva").size(), 1u);
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
  void save(std::string_view carrier, std::string_view asked) {
    run<void>([=](Session& at) { return save_lane_checkpoint(at, carrier, asked, noon); });
  }
};
REMITOD_ON_BOTH_ENGINES(LaneCheckpoints);

TEST_P(LaneCheckpoints, LastOneOfEachCarrierComesBackAsItWas) {
  const std::string bytes("\0\x01\xff'\n", 5);
  save("oca", "first");
  save("olva", "");
  save("oca", bytes);
  const auto checkpoints = run<std::vector<LaneCheckpoint>>([](Session& at) { return load_lane_checkpoints(at); });
  ASSERT_EQ(checkpoints.size(), 2u);
  EXPECT_EQ(checkpoints[0].carrier, "oca");
  EXPECT_EQ(checkpoints[0].asked, bytes);
  EXPECT_EQ(checkpoints[1].asked, "");
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
