// The keys that say how answers are written.
#include <gmock/gmock.h>
#include <toml++/toml.h>

#include "carriers/profile_decode.h"
#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Loaded {
  DecodeOptions options;
  std::vector<std::string> errors;
};

/// Loads the keys of one [track.answer].
Loaded load(std::string_view text) {
  const toml::table file = toml::parse(text);
  ErrorLog log("carrier.toml");
  TableReader reader(file, "track.answer", log);
  Loaded loaded{read_decode_options(reader), {}};
  reader.refuse_other_keys();
  for (const ProfileError& error : log.take()) loaded.errors.push_back(error.to_string());
  return loaded;
}

TEST(DecodeKeys, CsvIsWithCommasQuotesAndAHeaderUnlessSaidOtherwise) {
  const Loaded plain = load("format = 'csv'");
  EXPECT_THAT(plain.errors, IsEmpty());
  EXPECT_EQ(written(decode("a,b\n\"1\",2", "", plain.options)), "<csv><row><a>1</a><b>2</b></row></csv>");
  const Loaded other = load("format = 'csv'\n[csv]\nseparator = \"\\t\"\nquote = ''\nheader = false\nskip_lines = 1");
  EXPECT_THAT(other.errors, IsEmpty());
  EXPECT_EQ(written(decode("x\n'1'\t\"2", "", other.options)), "<csv><row><c1>'1'</c1><c2>\"2</c2></row></csv>");
}

TEST(DecodeKeys, CsvKeysAreChecked) {
  EXPECT_THAT(load("format = 'csv'\n[csv]\nseparator = ''\nquote = '\"\"'\nskip_lines = -1\nheaders = true").errors,
              UnorderedElementsAre(AllOf(HasSubstr("carrier.toml:3"), HasSubstr("track.answer.csv.separator")),
                                   HasSubstr("csv.quote"), HasSubstr("csv.skip_lines"), HasSubstr("header")));
  EXPECT_THAT(load("format = 'csv'\n[csv]\nseparator = '\"'").errors, ElementsAre(HasSubstr("separator")));
}

TEST(DecodeKeys, FixedWidthColumnsAreRead) {
  const Loaded loaded = load(R"(format = 'fixed_width'
[fixed_width]
columns = [{name = 'remito', start = 1, width = 3}, {name = 'code', start = 4, width = 2}])");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(written(decode("012DL", "", loaded.options)),
            "<fixed_width><row><remito>012</remito><code>DL</code></row></fixed_width>");
}

TEST(DecodeKeys, FixedWidthRecordsAreRead) {
  const Loaded loaded = load(R"(format = 'fixed_width'
[[fixed_width.records]]
name = 'shipment'
prefix = '01'
columns = [{name = 'remito', start = 3, width = 3}]
[[fixed_width.records]]
name = 'event'
prefix = '02'
columns = [{name = 'code', start = 3, width = 2}])");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(written(decode("01012\n02DL", "", loaded.options)),
            "<fixed_width><shipment><remito>012</remito></shipment><event><code>DL</code></event></fixed_width>");
}

TEST(DecodeKeys, FixedWidthKeysAreChecked) {
  EXPECT_THAT(load("format = 'fixed_width'").errors, ElementsAre(HasSubstr("fixed_width: is missing")));
  EXPECT_THAT(load("format = 'fixed_width'\n[fixed_width]").errors,
              ElementsAre(HasSubstr("either columns, or records")));
  EXPECT_THAT(
      load("format = 'fixed_width'\n[fixed_width]\ncolumns = [{name = 'a b', start = 0}]").errors,
      UnorderedElementsAre(HasSubstr("columns.1.name"), HasSubstr("columns.1.start"), HasSubstr("columns.1.width")));
  EXPECT_THAT(load("format = 'fixed_width'\n[[fixed_width.records]]\nname = 'x'\ncolumns = []").errors,
              UnorderedElementsAre(HasSubstr("prefix"), HasSubstr("columns")));
}

TEST(DecodeKeys, SegmentGroupsAreRead) {
  const Loaded loaded = load("format = 'edifact'\n[edifact]\ngroups = ['CNI', 'CNI/STS']");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.options.segment_groups, ElementsAre("CNI", "CNI/STS"));
  EXPECT_THAT(load("format = 'x12'\n[x12]\ngroups = ['LX/AT7']").errors,
              ElementsAre(HasSubstr("LX/AT7 stands in LX, which is not listed")));
}

TEST(DecodeKeys, TheTableOfAnotherFormatIsAMistake) {
  EXPECT_THAT(load("format = 'xml'\n[csv]\nseparator = ';'").errors, ElementsAre(HasSubstr("the format is \"xml\"")));
}

TEST(DecodeKeys, EmbeddedPathsAreCompiled) {
  const Loaded loaded = load("format = 'xml'\nembedded = ['//a']\npart = 'text/xml'");
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.options.part, "text/xml");
  EXPECT_EQ(written(decode("<r><a>{\"b\":\"c\"}</a></r>", "", loaded.options)), "<r><a><b>c</b></a></r>");
  EXPECT_THAT(load("format = 'xml'\nembedded = ['//a[', 'count(//a)']").errors,
              ElementsAre(HasSubstr("XPath 1.0"), HasSubstr("gives elements")));
}

TEST(DecodeKeys, FormatAndCharsetAreChecked) {
  EXPECT_THAT(load("charset = 'klingon'").errors,
              UnorderedElementsAre(HasSubstr("format: is missing"), HasSubstr("iconv")));
  EXPECT_THAT(load("format = 'fixed'").errors, ElementsAre(HasSubstr("\"fixed_width\"")));
}

}  // namespace
}  // namespace remitod::carriers::test
