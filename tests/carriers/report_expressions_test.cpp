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

TEST_F(ReportExpressions, OneThatLooksBeyondItsRowKeepsAFileWhole) {
  const std::string rows = with(profile_text, "success = \"/a/ok\"\n", "");
  const auto looks_beyond = [&](std::string_view from, std::string_view to) {
    return carriers::looks_beyond_rows(loaded(with(rows, from, to))->compiled().track->reports);
  };
  EXPECT_FALSE(looks_beyond("/a/s", "//s[c = '1' and not(starts-with(n, '#'))]"));
  EXPECT_FALSE(looks_beyond("d = '1'", "translate(d, '/', '-') = '1-2'")) << "a text is no path";
  for (const char* of_some :
       {"/a/s[2]", "/a/s[ position() > 1 ]", "/a/s[last()]", "/a/s[1]/following-sibling::s", "/a/s[d = /a/s[1]/d]"})
    EXPECT_TRUE(looks_beyond("/a/s", of_some)) << of_some;
  for (const char* elsewhere : {"../h = '1'", "/a/s[1]/d = '1'", "preceding-sibling::h[1]/d = '1'",
                                "not(following-sibling::s)", "parent::a/h = '1'"})
    EXPECT_TRUE(looks_beyond("d = '1'", elsewhere)) << elsewhere;
  EXPECT_TRUE(carriers::looks_beyond_rows(loaded(profile_text)->compiled().track->reports)) << "success";
}

}  // namespace
}  // namespace remitod::test
