// Parts of a long file of rows say together what the file says.
#include "carriers/row_chunks.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

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

}  // namespace
}  // namespace remitod::carriers
