// CSV answers -> the document tree.
#include <gmock/gmock.h>
// After GoogleTest, which it does not include itself.
#include <rapidcheck/gtest.h>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::expected<Document, DecodeError> decode_csv(std::string_view body, CsvOptions csv = {}) {
  return decode(body, "text/csv", {.format = Format::csv, .csv = std::move(csv)});
}

TEST(CsvAnswer, CellsHaveTheNamesOfTheHeader) {
  EXPECT_EQ(written(decode_csv("remito,code\n0012,DL\n0013,\n")),
            "<csv><row><remito>0012</remito><code>DL</code></row><row><remito>0013</remito><code/></row></csv>");
}

TEST(CsvAnswer, NamesThatAreNoneAreMadeOnes) {
  EXPECT_EQ(written(decode_csv(" Nro Gu\xc3\xad"
                               "a ;1st;;N\xc2\xba/Doc;Nota;Nota\na;b;c;d;e;f",
                               {.separator = ";"})),
            "<csv><row><Nro_Gu\xc3\xad"
            "a>a</Nro_Gu\xc3\xad"
            "a><_st>b</_st><c3>c</c3><N\xc2\xba_Doc>d</N\xc2\xba_Doc>"
            "<Nota>e</Nota><Nota>f</Nota></row></csv>");
}

TEST(CsvAnswer, WithoutAHeaderCellsAreNamedByPlace) {
  EXPECT_EQ(written(decode_csv("a|b\nc|d", {.separator = "|", .header = false})),
            "<csv><row><c1>a</c1><c2>b</c2></row><row><c1>c</c1><c2>d</c2></row></csv>");
}

TEST(CsvAnswer, SeparatorsMayBeOfSeveralCharacters) {
  EXPECT_EQ(written(decode_csv("a||b\n1|2||\"3||4\"", {.separator = "||"})),
            "<csv><row><a>1|2</a><b>3||4</b></row></csv>");
}

TEST(CsvAnswer, QuotedCellsHoldSeparatorsQuotesAndLineEnds) {
  EXPECT_EQ(read(decode_csv("a,b\n\"x, \"\"y\"\"\r\nz\",w\n"), "/csv/row/a"), "x, \"y\"\r\nz");
  EXPECT_EQ(read(decode_csv("a,b\n\"\",\"\"\"\"\n"), "concat(/csv/row/a, '|', /csv/row/b)"), "|\"");
}

TEST(CsvAnswer, AQuoteThatWasNotDoubledLosesNothing) {
  EXPECT_EQ(read(decode_csv("a,b\n\"Av. \"Grau\" 120\",x\n"), "concat(/csv/row/a, '|', /csv/row/b)"),
            "Av. Grau\" 120\"|x");
  EXPECT_EQ(read(decode_csv("a,b\nAv. \"Grau\" 120,x\n"), "/csv/row/a"), "Av. \"Grau\" 120");
}

TEST(CsvAnswer, WithoutQuotingQuotesAreText) {
  EXPECT_EQ(read(decode_csv("a,b\n\"x,y\n", {.quote = '\0'}), "concat(/csv/row/a, '|', /csv/row/b)"), "\"x|y");
}

TEST(CsvAnswer, EveryKindOfLineEndIsOne) {
  for (const std::string end : {"\n", "\r\n", "\r"})
    EXPECT_EQ(read(decode_csv("a" + end + "1" + end + end + "2"), "concat(count(/csv/row), /csv/row[2]/a)"), "22");
}

TEST(CsvAnswer, TitlesBeforeTheHeaderAreSkipped) {
  EXPECT_EQ(written(decode_csv("Reporte de \"hoy\n\na;b\n1;2", {.separator = ";", .skip_lines = 2})),
            "<csv><row><a>1</a><b>2</b></row></csv>");
}

TEST(CsvAnswer, BlankLinesBeforeTheHeaderAreLeftOut) {
  const auto document = decode_csv("\r\n \t\na,b\n1,2\n3\n");
  EXPECT_EQ(written(document), "<csv><row><a>1</a><b>2</b></row><row><a>3</a></row></csv>");
  EXPECT_THAT(document->notes(), ElementsAre("line 5: 1 cells, and 2 in the first row"));
}

TEST(CsvAnswer, ARowOfSeparatorsAloneIsNone) {
  const auto document = decode_csv("a;b;c\n1;2;3\n;;\n;\n;;;;\n4;;\n", {.separator = ";"});
  EXPECT_EQ(written(document), "<csv><row><a>1</a><b>2</b><c>3</c></row><row><a>4</a><b/><c/></row></csv>");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(CsvAnswer, RaggedRowsAreReadAndTold) {
  const auto document = decode_csv("a,b,c\n1,2\n1,2,3,4,5\n1,2,3\n");
  EXPECT_EQ(written(document),
            "<csv><row><a>1</a><b>2</b></row><row><a>1</a><b>2</b><c>3</c><c4>4</c4><c5>5</c5></row>"
            "<row><a>1</a><b>2</b><c>3</c></row></csv>");
  EXPECT_THAT(document->notes(),
              ElementsAre("line 2: 2 cells, and 3 in the first row", "line 3: 5 cells, and 3 in the first row"));
}

TEST(CsvAnswer, ASeparatorAtTheEndOfALineIsNoCell) {
  const auto document = decode_csv("a;b\n1;2;\n3;4;;\n", {.separator = ";"});
  EXPECT_EQ(written(document), "<csv><row><a>1</a><b>2</b></row><row><a>3</a><b>4</b></row></csv>");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(CsvAnswer, NotesNameTheLineOfTheFile) {
  EXPECT_THAT(decode_csv("a,b\n\"x\ny\",2\n3\n")->notes(), ElementsAre(HasSubstr("line 4:")));
}

TEST(CsvAnswer, NotesAreBounded) {
  const auto document = decode_csv("a,b\n" + repeated("1\n", 1000));
  ASSERT_EQ(document->notes().size(), 21U);
  EXPECT_EQ(document->notes().back(), "and 980 more of such notes");
}

TEST(CsvAnswer, AQuoteThatNeverEndsIsTruncated) {
  const auto document = decode_csv("a,b\n1,2\n3,\"4\n5,6\n");
  EXPECT_EQ(kind_of(document), "truncated");
  EXPECT_THAT(document.error().message, HasSubstr("line 3"));
}

TEST(CsvAnswer, AQuoteThatNeverEndsInTheHeaderIsTruncated) {
  // The cells are longer than what a string keeps within itself, and the second needs another place than the first.
  const auto document = decode_csv("\"" + repeated("a", 20) + "\"\"\",\"\"\"" + repeated("b", 200) + "\"\"\n1,2\n");
  EXPECT_EQ(kind_of(document), "truncated");
  EXPECT_THAT(document.error().message, HasSubstr("line 1"));
}

TEST(CsvAnswer, OtherFormatsAreMalformed) {
  EXPECT_EQ(kind_of(decode_csv("{\"error\": \"no access\"}")), "malformed");
  EXPECT_EQ(kind_of(decode_csv("<error/>")), "malformed");
  EXPECT_EQ(kind_of(decode_csv("<html><body>Mantenimiento</body></html>")), "html");
  EXPECT_EQ(kind_of(decode_csv(" \r\n")), "empty");
}

TEST(CsvAnswer, HeaderAloneHasNoRows) {
  EXPECT_EQ(written(decode_csv("a,b\n")), "<csv/>");
}

TEST(CsvAnswer, IsReadInTheCharsetOfTheProfileWithoutDosEndMark) {
  const auto document =
      decode("direcci\xf3n\nJr. Uni\xf3n\x02\r\n\x1a", "", {.format = Format::csv, .charset = "windows-1252"});
  EXPECT_EQ(written(document), "<csv><row><direcci\xc3\xb3n>Jr. Uni\xc3\xb3n</direcci\xc3\xb3n></row></csv>");
}

TEST(CsvAnswer, TooManyCellsAreRefused) {
  EXPECT_EQ(kind_of(decode(repeated(",", 1000), "", {.format = Format::csv, .nodes_max = 500})), "decoded");
  EXPECT_EQ(kind_of(decode("a\n" + repeated("1,", 1000), "", {.format = Format::csv, .nodes_max = 500})),
            "too_many_nodes");
}

/// A cell as RFC 4180 wants it.
std::string in_quotes(std::string_view cell) {
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + "\"";
}

RC_GTEST_PROP(CsvAnswer, WhatIsQuotedComesBackAsItWas, ()) {
  const auto cell = rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\",;\r\n "))));
  const auto rows =
      *rc::gen::container<std::vector<std::vector<std::string>>>(rc::gen::container<std::vector<std::string>>(2, cell));
  std::string body = "x,y\n";
  for (const auto& row : rows) body += in_quotes(row[0]) + "," + in_quotes(row[1]) + "\n";
  const auto document = decode_csv(body);
  RC_ASSERT(document.has_value());
  RC_ASSERT(document->notes().empty());
  std::vector<std::vector<std::string>> read;
  for (const pugi::xml_node& row : document->tree().first_child().children())
    read.push_back({row.child_value("x"), row.child_value("y")});
  RC_ASSERT(read == rows);
}

}  // namespace
}  // namespace remitod::carriers::test
