// What reading an answer costs is judged by every XPath that a profile asks of one.
#include "carriers/report_expressions.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

constexpr std::string_view profile_text = R"toml(title = "C"
zone = "America/Lima"
base_url = "https://c.example"
settings = ["account"]
secrets = ["password"]
[track]
url = "{{base_url}}/{{remito}}"
[track.answer]
format = "xml"
success = "/a/ok"
not_found = "/a/none"
shipments = "/a/s"
remito = "n"
events = "e"
[track.event]
code = ["c", { join = ["c1", "c2"] }]
time = "t"
formats = ["iso"]
[[track.status]]
code = "1"
status = "delivered"
[[track.status]]
when = "d = '1'"
status = "in_transit"
[[track.reason]]
text = "x"
of = "o"
reason = "other"
)toml";

class ReportExpressions : public ProfileTest {
 protected:
  /// Of every expression of the profile: is it asked of each shipment or event?
  static std::map<std::string, bool> found(const carriers::Profile& profile) {
    std::map<std::string, bool> result;
    carriers::visit_expressions(profile.compiled().track->reports,
                                [&](const std::string& key, const carriers::Query& query, bool per_node) {
                                  result[key + " " + query.text] = per_node;
                                });
    return result;
  }
};

TEST_F(ReportExpressions, EveryOneIsVisitedWithItsKeyAndWhetherItIsAskedOfEachNode) {
  EXPECT_EQ(found(*loaded(profile_text)), (std::map<std::string, bool>{{"answer.success /a/ok", false},
                                                                       {"answer.not_found /a/none", false},
                                                                       {"answer.shipments /a/s", false},
                                                                       {"answer.remito n", true},
                                                                       {"answer.events e", true},
                                                                       {"event.code c", true},
                                                                       {"event.code c1", true},
                                                                       {"event.code c2", true},
                                                                       {"event.time t", true},
                                                                       {"status.2.when d = '1'", true},
                                                                       {"reason.1.of o", true}}));
}

TEST_F(ReportExpressions, OneThatLooksThroughTheDocumentForEachEventMakesReadingCostly) {
  EXPECT_FALSE(loaded(profile_text)->track_is_costly());
  EXPECT_FALSE(loaded(with(profile_text, "/a/s", "//s"))->track_is_costly()) << "once";
  EXPECT_TRUE(loaded(with(profile_text, "d = '1'", "d = //header/last"))->track_is_costly());
  EXPECT_TRUE(loaded(with(profile_text, "\"c1\"", "\"count(preceding-sibling::e)\""))->track_is_costly());
}

}  // namespace
}  // namespace remitod::test
