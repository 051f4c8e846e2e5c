// Which charset an answer is read in.
#include "carriers/charset.h"

#include <gmock/gmock.h>
#include <iconv.h>
#include <rapidcheck/gtest.h>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

/// `text`, which is ASCII, in units of two bytes.
std::string wide(std::string_view text, bool big_endian) {
  std::string bytes;
  for (const char c : text) big_endian ? (bytes += '\0') += c : (bytes += c) += '\0';
  return bytes;
}

TEST(Charset, TheXmlDeclarationIsBelieved) {
  EXPECT_EQ(read(decode_xml("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Cami\xf3n</a>"), "string(/a)"),
            "Cami\xc3\xb3n");
  EXPECT_EQ(read(decode_xml("<?xml version='1.0' encoding='windows-1252' ?><a>\x80 \x93x\x94</a>"), "string(/a)"),
            "\xe2\x82\xac \xe2\x80\x9cx\xe2\x80\x9d");
}

// https://encoding.spec.whatwg.org/#names-and-labels
TEST(Charset, WhatCallsItselfLatin1IsReadAsWindows1252) {
  for (const std::string_view name : {"ISO-8859-1", "iso_8859-1", "latin1", "L1", "cp819"})
    EXPECT_EQ(to_utf8("Arequipa \x96 Cayma \x80 \x9f \xff", name), "Arequipa \u2013 Cayma \u20ac \u0178 \u00ff")
        << name;
  EXPECT_EQ(read(decode_xml("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>Lima \x96 Bre\xf1"
                            "a</a>"),
                 "string(/a)"),
            "Lima \u2013 Bre\u00f1a");
}

TEST(Charset, BytesThatWindows1252LeavesOpenStayWhatTheyAreInLatin1) {
  EXPECT_EQ(to_utf8("\x81\x8d\x8f\x90\x9d", "ISO-8859-1"), "\xc2\x81\xc2\x8d\xc2\x8f\xc2\x90\xc2\x9d");
}

TEST(Charset, Utf8ThatCallsItselfLatin1IsReadAsUtf8) {
  for (const std::string_view name : {"ISO-8859-1", "latin1", "windows-1252", "CP1252"}) {
    const std::string header = "application/json; charset=" + std::string(name);
    EXPECT_EQ(read(decode_json("{\"a\": \"En tr\xc3\xa1nsito\"}", header), "string(/json/a)"), "En tránsito") << name;
    EXPECT_EQ(read(decode_json("{\"a\": \"En tr\xe1nsito\"}", header), "string(/json/a)"), "En tránsito") << name;
    EXPECT_EQ(read(decode_json("{\"a\": \"En tr\xc3\xa1nsito, Bre\xf1"
                               "a\"}",
                               header),
                   "string(/json/a)"),
              "En trÃ¡nsito, Breña")
        << name << ": one letter that is no UTF-8, and all of it is none";
  }
}

TEST(Charset, TheHeaderGoesBeforeTheDeclaration) {
  const std::string_view body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><a>Cami\xf3n</a>";
  for (const std::string_view header :
       {"text/xml; charset=iso-8859-1", "text/xml;Charset=\"ISO-8859-1\"; x=y", "text/xml; charset='latin1'"})
    EXPECT_EQ(read(decode_xml(body, header), "string(/a)"), "Cami\xc3\xb3n") << header;
}

TEST(Charset, TheMarkGoesBeforeAll) {
  EXPECT_EQ(read(decode_xml("\xef\xbb\xbf<a>Cami\xc3\xb3n</a>", "text/xml; charset=iso-8859-1"), "string(/a)"),
            "Cami\xc3\xb3n");
}

TEST(Charset, TheProfileSpeaksWhereNothingElseDoes) {
  const DecodeOptions options{.charset = "windows-1252"};
  EXPECT_EQ(read(decode_json("{\"a\": \"\x80\"}", "application/json", options), "string(/json/a)"), "\xe2\x82\xac");
  EXPECT_EQ(read(decode_xml("<a>\xf3</a>", "text/xml", options), "string(/a)"), "\xc3\xb3");
  EXPECT_EQ(read(decode_xml("<a>\xc3\xb3</a>", "text/xml; charset=utf-8", options), "string(/a)"), "\xc3\xb3");
}

TEST(Charset, Utf16IsReadWithAndWithoutAMark) {
  const std::string_view xml = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>b</a>";
  EXPECT_EQ(written(decode_xml("\xff\xfe" + wide(xml, false))), "<a>b</a>");
  EXPECT_EQ(written(decode_xml("\xfe\xff" + wide(xml, true))), "<a>b</a>");
  EXPECT_EQ(written(decode_xml(wide(xml, false))), "<a>b</a>");
  EXPECT_EQ(written(decode_json(wide("{\"a\": \"b\"}", true))), "<json><a>b</a></json>");
  EXPECT_EQ(kind_of(decode_json("[\0\"\0\x3d\xd8\"\0]\0"sv)), "charset");
}

TEST(Charset, Utf16ThatIsDeclaredInPlainBytesIsNot) {
  EXPECT_EQ(read(decode_xml("<?xml version=\"1.0\" encoding=\"utf-16\"?><a>Cami\xc3\xb3n</a>"), "string(/a)"),
            "Cami\xc3\xb3n");
  EXPECT_EQ(written(decode_xml("<a>b</a>", "text/xml; charset=utf-16")), "<a>b</a>");
}

TEST(Charset, AWrongDeclarationIsAClearError) {
  const auto document = decode_xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>Cami\xf3n</a>");
  EXPECT_EQ(kind_of(document), "charset");
  EXPECT_THAT(document.error().message, HasSubstr("byte 45: not valid in the charset UTF-8"));
  EXPECT_THAT(document.error().message, HasSubstr("Cami\\xF3n"));
  EXPECT_EQ(kind_of(decode_json("{\"a\": \"Cami\xf3n\"}")), "charset");
  EXPECT_EQ(kind_of(decode_xml("<a>\x81</a>", "text/xml; charset=windows-1252")), "charset");
}

TEST(Charset, AnUnknownCharsetIsAnError) {
  for (const std::string_view name : {"klingon", "../../tmp/x", "UTF-8//IGNORE", "a,b", "ISO-8859-1//TRANSLIT"}) {
    const auto text = to_utf8("x", name);
    ASSERT_FALSE(text.has_value()) << name;
    EXPECT_EQ(text.error().kind, DecodeError::Kind::charset);
    EXPECT_THAT(text.error().message, HasSubstr(name));
  }
}

TEST(Charset, TextThatEndsInsideACharacterIsTruncated) {
  const auto kind = [](std::string_view bytes, std::string_view charset) {
    const auto text = to_utf8(bytes, charset);
    return text ? std::string("decoded") : kind_of(std::unexpected(text.error()));
  };
  EXPECT_EQ(kind("ab\xe2\x82", "UTF-8"), "truncated");
  EXPECT_EQ(kind("ab\xc3", "utf8"), "truncated");
  EXPECT_EQ(kind("ab\xf0\x9f\x98", "utf8"), "truncated");
  EXPECT_EQ(kind("a\0b"sv, "UTF-16LE"), "truncated");
  EXPECT_EQ(kind("ab\xe2(", "UTF-8"), "charset");
  EXPECT_EQ(kind("ab\xc0", "UTF-8"), "charset");
  EXPECT_EQ(kind("ab\xf3", "ISO-8859-1"), "decoded");
}

TEST(Charset, TextThatGrowsIsConvertedWhole) {
  EXPECT_EQ(to_utf8(repeated("\x80", 100'000), "windows-1252"), repeated("\xe2\x82\xac", 100'000));
  EXPECT_EQ(to_utf8(repeated("\xa4\xa4", 1'000), "BIG5"), repeated("\xe4\xb8\xad", 1'000));
  EXPECT_EQ(to_utf8("", "ISO-8859-1"), "");
}

TEST(Charset, NulBytesAreConvertedAsOthers) {
  EXPECT_EQ(to_utf8("a\0\xf3"sv, "ISO-8859-1"), "a\0\xc3\xb3"sv);
}

/// Does iconv take `text` for UTF-8?
bool is_utf8_to_iconv(std::string text) {
  const iconv_t handle = iconv_open("UTF-32LE", "UTF-8");
  std::string out(text.size() * 4 + 4, '\0');
  char* from = text.data();
  char* to = out.data();
  std::size_t from_left = text.size();
  std::size_t to_left = out.size();
  const bool converted = iconv(handle, &from, &from_left, &to, &to_left) != static_cast<std::size_t>(-1);
  iconv_close(handle);
  return converted;
}

RC_GTEST_PROP(Charset, Utf8IsWhatIconvTakesForIt, ()) {
  // Mostly bytes at the borders of what a lead or a continuation may be, among ASCII that is checked eight at a time.
  const auto border = rc::gen::elementOf(
      std::string("\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff"));
  const auto valid =
      rc::gen::elementOf(std::vector<std::string>{"a", "12345678", "\xc3\xb3", "\xe2\x82\xac", "\xef\xbf\xbd",
                                                  "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"});
  const auto piece = rc::gen::weightedOneOf<std::string>(
      {{4, valid}, {1, rc::gen::map(border, [](char c) { return std::string(1, c); })}});
  std::string text;
  for (const std::string& each : *rc::gen::container<std::vector<std::string>>(piece)) text += each;
  const std::size_t invalid = find_invalid_utf8(text);
  RC_ASSERT((invalid == std::string_view::npos) == is_utf8_to_iconv(text));
  if (invalid != std::string_view::npos) RC_ASSERT(is_utf8_to_iconv(text.substr(0, invalid)));
}

}  // namespace
}  // namespace remitod::carriers::test
