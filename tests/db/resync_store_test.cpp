#include "db/resync_record.h"
#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;

class ResyncRequests : public test::StoreTest {
 protected:
  std::int64_t insert(std::string_view target, std::optional<Instant> since = {}) {
    return run<std::int64_t>(
        [=](Session& at) { return insert_resync_request(at, ResyncTarget::parse(target).value(), since, noon); });
  }
  std::vector<ResyncRequest> accept(bool also_unfinished = false, Instant now = noon) {
    return run<std::vector<ResyncRequest>>(
        [=](Session& at) { return accept_resync_requests(at, now, also_unfinished); });
  }
  void finish(std::int64_t id, std::int64_t shipments, std::string_view error = {}, Instant now = noon) {
    run<void>([=](Session& at) { return finish_resync_request(at, id, shipments, error, now); });
  }
};
REMITOD_ON_BOTH_ENGINES(ResyncRequests);

TEST_P(ResyncRequests, NewOnesAreTakenOnceInOrder) {
  const std::int64_t first = insert("oca:0001", noon - 24h);
  const std::int64_t second = insert("all");
  const auto requests = accept();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].resync_id, first);
  EXPECT_EQ(requests[0].target.to_string(), "oca:0001");
  EXPECT_EQ(requests[0].since, noon - 24h);
  EXPECT_EQ(requests[1].resync_id, second);
  EXPECT_EQ(requests[1].since, std::nullopt);
  EXPECT_TRUE(accept().empty());
}

TEST_P(ResyncRequests, RowOfThePlatformNeedsOnlyItsTarget) {
  sql("insert into resync_requests (target) values ('order:1001')");
  const auto requests = accept();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].target.kind, ResyncTarget::Kind::order);
  EXPECT_EQ(requests[0].target.value, "1001");
}

TEST_P(ResyncRequests, UnfinishedOnesAreTakenUpAfterARestart) {
  const std::int64_t unfinished = insert("oca");
  const std::int64_t finished = insert("olva");
  accept();
  finish(finished, 12, "", noon + 1min);
  const auto again = accept(true, noon + 1h);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].resync_id, unfinished);
  EXPECT_EQ(number("select accepted_at from resync_requests where target = 'oca'"), to_micros(noon));
  EXPECT_EQ(number("select shipments from resync_requests where target = 'olva'"), 12);
  EXPECT_EQ(number("select finished_at from resync_requests where target = 'olva'"), to_micros(noon + 1min));
}

TEST_P(ResyncRequests, WhatIsRecordedOfOneIsFound) {
  const std::int64_t open = insert("oca");
  const std::int64_t finished = insert("olva");
  finish(finished, 12, "no carrier", noon + 1min);
  const auto record = [this](std::int64_t id) {
    return run<std::optional<ResyncRecord>>([id](Session& at) { return find_resync_record(at, id); });
  };
  ASSERT_TRUE(record(open));
  EXPECT_FALSE(record(open)->finished);
  ASSERT_TRUE(record(finished));
  EXPECT_TRUE(record(finished)->finished);
  EXPECT_EQ(record(finished)->target, "olva");
  EXPECT_EQ(record(finished)->shipments, 12);
  EXPECT_EQ(record(finished)->error, "no carrier");
  EXPECT_FALSE(record(finished + 1));
}

TEST_P(ResyncRequests, UnreadableTargetIsFinishedWithAnError) {
  sql("insert into resync_requests (target) values ('oca:'), (''), ('oca')");
  EXPECT_EQ(accept().size(), 1u);
  EXPECT_EQ(number("select count(*) from resync_requests where finished_at is not null and error = 'target is none of: "
                   "all, CARRIER, CARRIER:REMITO, order:NUMBER'"),
            2);
  EXPECT_EQ(accept(true).size(), 1u);
}

TEST_P(ResyncRequests, FirstFinishHolds) {
  const std::int64_t id = insert("oca");
  finish(id, 0, "carrier oca is not configured");
  finish(id, 5);
  EXPECT_EQ(text("select error from resync_requests"), "carrier oca is not configured");
  EXPECT_EQ(number("select shipments from resync_requests"), 0);
}

}  // namespace
}  // namespace remitod::db
