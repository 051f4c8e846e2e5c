// XPaths that begin at the root of another format find nothing, and are told; no others are.
#include "carriers/check_roots.h"

#include "carriers/invented_account.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/carriers/checked_profile.h"

namespace remitod::carriers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(ForeignRoot, IsTheBeginningOfAnAbsolutePath) {
  for (const char* xpath : {"/json", "/json/code", "string( / json/code )", "a | /json/b", "x[/json/y = '1']",
                            "a = 1 or /json/b", "not(/json/a)", "concat('/', /json/a)", "../x = /json/a"})
    EXPECT_THAT(foreign_root(xpath, Format::xml), Optional(std::string("/json"))) << xpath;
  EXPECT_THAT(foreign_root("/Respuesta/error", Format::json), Optional(std::string("/Respuesta")));
  EXPECT_THAT(foreign_root("/json/a", Format::csv), Optional(std::string("/json")));
}

TEST(ForeignRoot, IsNoneWhereAPathMayFindSomething) {
  for (const char* xpath :
       {"/Respuesta/json", "//json/code", "a/json", "a /json", "../json", "/*/json", "/", "/@json", "/descendant::json",
        "/jsonp/a", "'/json/a'", "a[. = \"/json\"]", ".//json", "/node()/json", "x/or /json"})
    EXPECT_EQ(foreign_root(xpath, Format::xml), std::nullopt) << xpath;
  for (const auto& [xpath, format] : {std::pair{"/json/a", Format::json},
                                      {"/csv/row[1]/date", Format::csv},
                                      {"/fixed_width/row", Format::fixed_width},
                                      {"/edifact/x", Format::edifact},
                                      {"/x12/interchange", Format::x12},
                                      {"/json-answer/a", Format::xml}})
    EXPECT_EQ(foreign_root(xpath, format), std::nullopt) << xpath;
}

TEST_F(CheckedProfile, RemarksOnXPathsThatBeginAtTheRootOfAnotherFormat) {
  change("carrier.toml", "error = \"/json/error/message\"", "error = [\"/respuesta/error\", \"/json/error/message\"]");
  EXPECT_THAT(remarks(), ElementsAre(std::to_string(line_of("error = [")) +
                                     " track.answer.error: '/respuesta/error' finds nothing: this answer is JSON, and "
                                     "begins with /json"));
}

TEST_F(CheckedAnswers, OfEveryOperationAreLookedAtForTheirRoot) {
  std::string toml(asking_profile);
  for (std::size_t at = 0; (at = toml.find("format = \"json\"", at)) != toml.npos;)
    toml.replace(at, 15, "format = \"xml\"");
  write("carrier.toml", toml);
  std::vector<std::string> keys;
  for (const Remark& remark : check_profile(dir()).remarks)
    if (remark.text.ends_with(" finds nothing: this answer is XML, and /json is the root of JSON"))
      keys.push_back(remark.where.key);
  EXPECT_THAT(keys, testing::IsSupersetOf({"create.answer.accepted", "create.answer.remito", "confirm.answer.granted",
                                           "find.answer.not_found", "cancel.answer.accepted", "quote.answer.days",
                                           "feed.answer.shipments", "feed.paging.more"}));
}

TEST(BuiltInProfiles, BeginTheirPathsAtTheRootOfTheirFormat) {
  for (const std::string& carrier : test::built_in_carriers()) {
    const std::string text = test::read_file(test::source_dir() / "carriers" / "profiles" / carrier / "carrier.toml");
    std::vector<std::string> texts;
    for (const Remark& remark : remarks_on_roots(test::built_in_profile(carrier)->compiled(), ProfileLines(text)))
      texts.push_back(remark.where.key + ": " + remark.text);
    EXPECT_THAT(texts, IsEmpty()) << carrier;
  }
}

}  // namespace
}  // namespace remitod::carriers
