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

FetchResult busy(std::chrono::seconds retry_after) {
  FetchResult answer = RemitoWays::json("{}", 503);
  answer->retry_after = retry_after;
  return answer;
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

TEST_F(RemitosPutOff, AreForAPersonWhereTheCarrierPromisesNothing) {
  carriers.next("test", busy(std::chrono::minutes{7}));
  start(without_recourse);
  ask("1");
  clock().run_for(1h);
  EXPECT_THAT(carriers.creates(), SizeIs(1));
  EXPECT_EQ(state(), "needs_operator");
}

}  // namespace
}  // namespace remitod::test
