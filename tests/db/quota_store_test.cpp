// What was reserved of an hour's and a day's requests.
#include "db/quota_store.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RequestQuotas : public test::StoreTest {
 protected:
  using Slots = std::vector<RequestQuota::Slot>;
  std::vector<RequestQuota> load(std::string_view carrier = "express") {
    return run<std::vector<RequestQuota>>([=](Session& at) { return load_request_quotas(at, carrier); });
  }
  bool save(std::vector<RequestQuota> quotas, std::string_view carrier = "express") {
    return run<bool>([&](Session& at) { return save_request_quotas(at, carrier, quotas, noon); });
  }
};
REMITOD_ON_BOTH_ENGINES(RequestQuotas);

TEST_P(RequestQuotas, ComeBackAsTheyWereSaved) {
  EXPECT_THAT(load(), IsEmpty());
  EXPECT_TRUE(save({{"hour", 0, {{noon, 7}, {noon + 150s, 1 << 30}}}, {"day", 0, {{noon - 24h, 3}}}}));
  const auto quotas = load();
  ASSERT_THAT(quotas, SizeIs(2));
  EXPECT_EQ(quotas[0].period, "day");
  EXPECT_EQ(quotas[0].revision, 1);
  EXPECT_EQ(quotas[0].slots, (Slots{{noon - 24h, 3}}));
  EXPECT_EQ(quotas[1].period, "hour");
  EXPECT_EQ(quotas[1].slots, (Slots{{noon, 7}, {noon + 150s, 1 << 30}}));
  EXPECT_THAT(load("other"), IsEmpty());
}

TEST_P(RequestQuotas, EachIsWrittenOverTheRevisionThatWasRead) {
  ASSERT_TRUE(save({{"hour", 0, {{noon, 5}}}}));
  EXPECT_TRUE(save({{"hour", 1, {{noon, 9}}}}));
  EXPECT_EQ(load().at(0).revision, 2);
  EXPECT_EQ(load().at(0).slots, (Slots{{noon, 9}}));
}

TEST_P(RequestQuotas, WhoHasNotSeenTheLastRevisionWritesNothing) {
  ASSERT_TRUE(save({{"hour", 0, {{noon, 5}}}}));
  ASSERT_TRUE(save({{"hour", 1, {{noon, 9}}}}));
  EXPECT_FALSE(save({{"hour", 0, {{noon, 1}}}}));
  EXPECT_FALSE(save({{"hour", 1, {{noon, 1}}}}));
  EXPECT_FALSE(save({{"hour", 3, {{noon, 1}}}}));
  EXPECT_EQ(load().at(0).slots, (Slots{{noon, 9}}));
}

TEST_P(RequestQuotas, TwoProcessesDoNotReserveTheSame) {
  ASSERT_TRUE(save({{"day", 0, {{noon, 5}}}}));
  OwnSession other = another();
  const std::vector<RequestQuota> theirs{{"day", 1, {{noon, 8}}}};
  EXPECT_TRUE(test::value_of(
      other.transact<bool>([&](Session& at) { return save_request_quotas(at, "express", theirs, noon); })));
  EXPECT_FALSE(save({{"day", 1, {{noon, 6}}}}));
  EXPECT_EQ(load().at(0).slots, (Slots{{noon, 8}}));
}

TEST_P(RequestQuotas, ARowThatCannotBeReadCountsAsMoreThanAnyQuota) {
  for (const std::string damaged : {"", "{}", "[7]", "[{}]", "[{\"from\": 1}]", "[{\"from\": 1, \"requests\": -1}]",
                                    "[{\"from\": 1, \"requests\": 18446744073709551615}]",
                                    "[{\"from\": 1.5, \"requests\": 1}]", "[{\"from\": 1, \"requests\": \"1\"}]"}) {
    sql("delete from request_quotas; insert into request_quotas values ('express', 'hour', 4, '" + damaged + "', 99)");
    ASSERT_THAT(load(), SizeIs(1)) << damaged;
    EXPECT_EQ(load().at(0).revision, 4);
    ASSERT_THAT(load().at(0).slots, SizeIs(1)) << damaged;
    EXPECT_EQ(to_micros(load().at(0).slots.at(0).from), 99);
    EXPECT_GT(load().at(0).slots.at(0).requests, 1'000'000'000) << damaged;
  }
}

}  // namespace
}  // namespace remitod::db
