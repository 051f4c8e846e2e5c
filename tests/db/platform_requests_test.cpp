// Requests that come through the command line.
#include "db/platform_requests.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using test::noon;
using testing::ElementsAre, testing::SizeIs;

class PlatformRequests : public test::RequestStoreTest {
 protected:
  std::vector<bool> insert(const std::vector<PlatformRequest>& requests) {
    return run<std::vector<bool>>([&](Session& at) { return insert_remito_requests(at, requests, noon); });
  }
};
REMITOD_ON_BOTH_ENGINES(PlatformRequests);

TEST_P(PlatformRequests, AreRowsAsAPlatformInsertsThem) {
  EXPECT_THAT(insert({{.request_key = "K",
                       .order_number = "00417",
                       .parcel_group = 2,
                       .carrier = "oca",
                       .service = "express",
                       .payload = R"({"notes": "it's"})",
                       .requested_at = noon}}),
              ElementsAre(true));
  EXPECT_EQ(accept(), 1u);
  const RemitoRequest request = claim().at(0);
  EXPECT_EQ(request.order_number, "00417");
  EXPECT_EQ(request.parcel_group, 2);
  EXPECT_EQ(request.service, "express");
  EXPECT_EQ(request.payload, R"({"notes": "it's"})");
  EXPECT_EQ(view("00417")[0].requested_at, noon);
}

TEST_P(PlatformRequests, AKeyThatIsThereIsTheSameRequest) {
  const PlatformRequest one{.request_key = "K", .order_number = "1", .carrier = "oca"};
  EXPECT_THAT(insert({one}), ElementsAre(true));
  PlatformRequest other = one;
  other.order_number = "2";
  EXPECT_THAT(insert({other, {.request_key = "L", .order_number = "3", .carrier = "oca"}, other}),
              ElementsAre(false, true, false));
  EXPECT_EQ(number("select count(*) from remito_requests"), 2);
  const std::vector<std::string> keys{"L", "K", "nobody"};
  const auto views = run<std::vector<RequestView>>([&](Session& at) { return view_requests_by_key(at, keys); });
  ASSERT_THAT(views, SizeIs(2));
  EXPECT_EQ(views[0].order_number, "1");
  EXPECT_EQ(views[1].order_number, "3");
}

TEST_P(PlatformRequests, OfTwoWithOneKeyTheFirstIsTaken) {
  EXPECT_THAT(insert({{.request_key = "K", .order_number = "1", .carrier = "oca"},
                      {.request_key = "K", .order_number = "2", .carrier = "oca"}}),
              ElementsAre(true, false));
  EXPECT_EQ(text("select order_number from remito_requests"), "1");
}

}  // namespace
}  // namespace remitod::db
