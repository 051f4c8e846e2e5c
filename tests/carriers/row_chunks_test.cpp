// Parts of a long file of rows say together what the file says.
#include "carriers/row_chunks.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <pugixml.hpp>
#include <sstream>
#include <vector>

namespace remitod::carriers {
namespace {

using testing::ElementsAre;

std::vector<std::string> parts(std::string_view bytes, const DecodeOptions& options, std::size_t rows_max) {
  RowChunks chunks(bytes, options, rows_max);
  std::vector<std::string> all;
  while (auto part = chunks.next()) all.push_back(*std::move(part));
  return all;
}

/// The rows as they are read, one behind the other; nothing where they cannot be.
std::optional<std::string> read_rows(std::string_view bytes, const DecodeOptions& options) {
  const auto document = decode(bytes, "", options);
  if (!document) return std::nullopt;
  std::ostringstream text;
  for (const pugi::xml_node& row : document->tree().first_child().children()) row.print(text, "", pugi::format_raw);
  return text.str();
}

DecodeOptions csv() {
  DecodeOptions options;
  options.format = Format::csv;
  return options;
}

TEST(RowChunksOf, EachPartBeginsWithTheHeader) {
  EXPECT_THAT(parts("a,b\n1,2\n3,4\n5,6\n", csv(), 2), ElementsAre("a,b\n1,2\n3,4\n", "a,b\n5,6\n"));
  EXPECT_THAT(parts("a,b\r\n1,2\r\n3,4", csv(), 1), ElementsAre("a,b\r\n1,2\r\n", "a,b\r\n3,4"));
  EXPECT_THAT(parts("a,b\n1,2\n3,4\n", csv(), 2), ElementsAre("a,b\n1,2\n3,4\n"));
}

TEST(RowChunksOf, LinesBeforeTheHeaderAndTheByteOrderMarkGoWithEachPart) {
  DecodeOptions options = csv();
  options.csv.skip_lines = 1;
  EXPECT_THAT(parts("\xef\xbb\xbfIt's \"quoted\na\n1\n2\n", options, 1),
              ElementsAre("\xef\xbb\xbfIt's \"quoted\na\n1\n", "\xef\xbb\xbfIt's \"quoted\na\n2\n"));
  options.csv = {.header = false};
  EXPECT_THAT(parts("\xef\xbb\xbf"
                    "1\n2\n",
                    options, 1),
              ElementsAre("\xef\xbb\xbf"
                          "1\n",
                          "\xef\xbb\xbf"
                          "2\n"));
}

TEST(RowChunksOf, LineBreakInQuotesEndsNoRow) {
  EXPECT_THAT(parts("a,b\n1,\"x\ny \"\"z\"\"\n\"\n2,3\n", csv(), 1),
              ElementsAre("a,b\n1,\"x\ny \"\"z\"\"\n\"\n", "a,b\n2,3\n"));
  DecodeOptions unquoted = csv();
  unquoted.csv.quote = '\0';
  EXPECT_THAT(parts("a\n\"1\n2\n", unquoted, 1), ElementsAre("a\n\"1\n", "a\n2\n"));
}

TEST(RowChunksOf, AQuoteInsideOfACellOpensNone) {
  EXPECT_THAT(parts("a,b\nTubo 12\" PVC,x\n1,2\n", csv(), 1), ElementsAre("a,b\nTubo 12\" PVC,x\n", "a,b\n1,2\n"));
  EXPECT_THAT(parts("a,b\nTubo 12\" PVC,\"y\nz\"\n1,2\n", csv(), 1),
              ElementsAre("a,b\nTubo 12\" PVC,\"y\nz\"\n", "a,b\n1,2\n"));
  EXPECT_THAT(parts("a,b\n\"Av. \"Grau 120,x\n1,2\n", csv(), 1),
              ElementsAre("a,b\n\"Av. \"Grau 120,x\n", "a,b\n1,2\n"));
}

TEST(RowChunksOf, BlankLinesAreNoPartOfTheirOwn) {
  DecodeOptions options = csv();
  options.csv.header = false;
  EXPECT_THAT(parts("1,2\n3,4\n\r\n \n", options, 2), ElementsAre("1,2\n3,4\n\r\n \n"));
  options.format = Format::fixed_width;
  EXPECT_THAT(parts("0012DL\n0013DL\n\n", options, 1), ElementsAre("0012DL\n", "0013DL\n\n"));
}

TEST(RowChunksOf, BlankLinesBeforeTheHeaderStayBeforeIt) {
  EXPECT_THAT(parts("\r\n\na,b\n1,2\n3,4\n", csv(), 1), ElementsAre("\r\n\na,b\n1,2\n", "\r\n\na,b\n3,4\n"));
}

TEST(RowChunksOf, SeparatorThatIsOtherBytesInTheFileLeavesItWhole) {
  DecodeOptions options = csv();
  options.csv.separator = "\u00a7";
  options.charset = "windows-1252";
  EXPECT_THAT(parts("a\xa7\"b\nc\"\n1\xa7"
                    "2\n",
                    options, 1),
              ElementsAre("a\xa7\"b\nc\"\n1\xa7"
                          "2\n"));
}

TEST(RowChunksOf, FileWithoutRowsIsOnePart) {
  EXPECT_THAT(parts("", csv(), 1), ElementsAre(""));
  EXPECT_THAT(parts("a,b\n", csv(), 1), ElementsAre("a,b\n"));
  DecodeOptions xml;
  EXPECT_THAT(parts("<a>\n</a>\n", xml, 1), ElementsAre("<a>\n</a>\n"));
}

TEST(RowChunksOf, WideCharactersAreNotCut) {
  const std::string utf16(
      "\xff\xfe"
      "a\0\n\0"
      "1\0\n\0",
      10);
  EXPECT_THAT(parts(utf16, csv(), 1), ElementsAre(utf16));
}

TEST(RowChunksOf, RowsOfEarlierPartsAreCounted) {
  RowChunks chunks("a\n1\n2\n3\n", csv(), 2);
  chunks.next();
  EXPECT_EQ(chunks.rows_before(), 0u);
  chunks.next();
  EXPECT_EQ(chunks.rows_before(), 2u);
  EXPECT_EQ(chunks.next(), std::nullopt);
}

RC_GTEST_PROP(RowChunksOfAnything, LoseNoByteAndRepeatOnlyTheHead, ()) {
  const auto bytes = *rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r'));
  const auto rows_max = *rc::gen::inRange<std::size_t>(1, 4);
  DecodeOptions options = csv();
  options.csv.header = false;
  std::string joined;
  for (const std::string& part : parts(bytes, options, rows_max)) joined += part;
  RC_ASSERT(joined == bytes);
}

RC_GTEST_PROP(RowChunksOfAnything, SayTogetherWhatTheWholeSays, ()) {
  const auto bytes = "x,y\n" + *rc::gen::container<std::string>(rc::gen::element('a', ',', '"', ' ', '\n', '\r'));
  const auto rows_max = *rc::gen::inRange<std::size_t>(1, 4);
  const auto whole = read_rows(bytes, csv());
  RC_PRE(whole.has_value());  // a quote that never ends is trouble either way
  std::string joined;
  for (const std::string& part : parts(bytes, csv(), rows_max)) {
    const auto rows = read_rows(part, csv());
    RC_ASSERT(rows.has_value());
    joined += *rows;
  }
  RC_ASSERT(joined == *whole);
}

}  // namespace
}  // namespace remitod::carriers
