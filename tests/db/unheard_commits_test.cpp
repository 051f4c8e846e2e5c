#include "db/unheard_commits.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using db::OpenShipment;
using db::Session;
using testing::ElementsAre;
using testing::IsEmpty;

class UnheardCommits : public RequestStoreTest {
 protected:
  void follow(const std::string& remito) {
    sql("insert into shipments (order_number, carrier, remito) values ('1', 'oca', '" + remito + "')");
  }
  void accept_shipments(Instant now) {
    run<std::vector<OpenShipment>>([=](Session& at) { return db::accept_new_shipments(at, now, 100); });
  }
  std::vector<std::string> accepted_since(Instant since) {
    std::vector<std::string> remitos;
    for (const OpenShipment& one :
         run<std::vector<OpenShipment>>([=](Session& at) { return db::shipments_accepted_since(at, since); }))
      remitos.push_back(one.carrier + ":" + one.remito);
    return remitos;
  }
  std::size_t give_up(std::vector<std::int64_t> working_on, Instant now) {
    return run<std::vector<std::int64_t>>([=](Session& at) { return db::give_up_unheard_claims(at, working_on, now); })
        .size();
  }
};
REMITOD_ON_BOTH_ENGINES(UnheardCommits);

TEST_P(UnheardCommits, ShipmentsAreFoundByWhenTheyWereTakenInAndEnded) {
  follow("100");
  accept_shipments(noon);
  follow("101");
  accept_shipments(noon + 1h);
  follow("102");
  EXPECT_THAT(accepted_since(noon), ElementsAre("oca:100", "oca:101"));
  EXPECT_THAT(accepted_since(noon + 1s), ElementsAre("oca:101"));
  sql("update shipments set ended_at = " + std::to_string(to_micros(noon + 2h)) + " where remito = '101'");
  EXPECT_THAT(accepted_since(noon + 1s), IsEmpty());
  const auto ended = [&](const std::string& carrier, Instant since) {
    return run<std::vector<std::int64_t>>([=](Session& at) { return db::shipments_ended_since(at, carrier, since); })
        .size();
  };
  EXPECT_EQ(ended("oca", noon + 2h), 1u);
  EXPECT_EQ(ended("oca", noon + 3h), 0u);
  EXPECT_EQ(ended("olva", noon), 0u);
}

TEST_P(UnheardCommits, ClaimsAreGivenUpAfterTheirLeaseUnlessSomebodyWorksOnThem) {
  const auto first = claimed({.order = "1"}), second = claimed({.order = "2"});
  EXPECT_EQ(give_up({}, noon + 1min), 0u) << "the lease holds";
  EXPECT_EQ(give_up({second.request_id}, noon + 1h), 1u);
  EXPECT_EQ(text("select state || ' ' || refusal_code from remito_requests where order_number = '1'"),
            "unknown interrupted");
  EXPECT_EQ(text("select state from remito_requests where order_number = '2'"), "sending");
}

}  // namespace
}  // namespace remitod::test
