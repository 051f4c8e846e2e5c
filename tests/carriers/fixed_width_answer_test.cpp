// Answers with fields at fixed places -> the document tree.
#include <gmock/gmock.h>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Column = FixedWidthOptions::Column;

std::expected<Document, DecodeError> decode_fixed(std::string_view body, std::vector<FixedWidthOptions::Record> records,
                                                  std::string charset = {}) {
  return decode(
      body, "text/plain",
      {.format = Format::fixed_width, .charset = std::move(charset), .fixed_width = {.records = std::move(records)}});
}

const std::vector<FixedWidthOptions::Record> rows{
    {.columns = {Column{"remito", 1, 6}, Column{"code", 7, 2}, Column{"place", 9, 8}}}};

TEST(FixedWidthAnswer, FieldsStandAtTheirPlaces) {
  EXPECT_EQ(written(decode_fixed("000123DLLIMA    extra\r\n000124  CUSCO   \r\n", rows)),
            "<fixed_width><row><remito>000123</remito><code>DL</code><place>LIMA</place></row>"
            "<row><remito>000124</remito><code/><place>CUSCO</place></row></fixed_width>");
}

TEST(FixedWidthAnswer, BlanksAtTheBeginningOfTheFileCount) {
  EXPECT_EQ(read(decode_fixed("   123DL\n", rows), "concat(//remito, //code)"), "123DL");
}

TEST(FixedWidthAnswer, PlacesAreCountedInCharacters) {
  EXPECT_EQ(read(decode_fixed("\xd1"
                              "0012\xe9"
                              "DLCa\xf1"
                              "ete  ",
                              rows, "ISO-8859-1"),
                 "concat(//remito, //code, //place)"),
            "\xc3\x91"
            "0012\xc3\xa9"
            "DLCa\xc3\xb1"
            "ete");
}

TEST(FixedWidthAnswer, ALineThatEndsBeforeAColumnLacksIt) {
  EXPECT_EQ(written(decode_fixed("000123D\n000124", rows)),
            "<fixed_width><row><remito>000123</remito><code>D</code></row><row><remito>000124</remito></row>"
            "</fixed_width>");
}

TEST(FixedWidthAnswer, LinesOfSeveralKindsAreToldApartByTheirPrefix) {
  const auto document =
      decode_fixed("H20261101\n01000123\n02DL\n99x\n\n02ENT\n\x1a",
                   {{"shipment", "01", {Column{"remito", 3, 6}}}, {"event", "02", {Column{"code", 3, 3}}}});
  EXPECT_EQ(written(document),
            "<fixed_width><shipment><remito>000123</remito></shipment><event><code>DL</code></event>"
            "<event><code>ENT</code></event></fixed_width>");
  EXPECT_THAT(document->notes(),
              ElementsAre("line 1: no record begins with 'H20261101'", "line 4: no record begins with '99x'"));
  EXPECT_EQ(read(document, "//event[2]/preceding-sibling::shipment[1]/remito"), "000123");
}

TEST(FixedWidthAnswer, EmptyAndHtmlAnswersAreNone) {
  EXPECT_EQ(kind_of(decode_fixed("\r\n", rows)), "empty");
  EXPECT_EQ(kind_of(decode_fixed("<html><body>503</body></html>", rows)), "html");
}

TEST(FixedWidthAnswer, TooManyFieldsAreRefused) {
  EXPECT_EQ(kind_of(decode(repeated("000123DL\n", 1000), "",
                           {.format = Format::fixed_width, .fixed_width = {.records = rows}, .nodes_max = 500})),
            "too_many_nodes");
}

TEST(FixedWidthAnswer, PlacesFarBeyondTheLineAreAbsent) {
  const auto document =
      decode_fixed("\xc3\xb1\n", {{.columns = {Column{"far", 100'000, 100'000}, Column{"near", 1, 9}}}});
  EXPECT_EQ(written(document), "<fixed_width><row><near>\xc3\xb1</near></row></fixed_width>");
  EXPECT_THAT(document->notes(), IsEmpty());
}

}  // namespace
}  // namespace remitod::carriers::test
