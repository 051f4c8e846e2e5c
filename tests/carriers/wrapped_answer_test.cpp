// Answers inside of something: a part of a MIME message, a callback, the text of an element.
#include <gmock/gmock.h>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

using testing::HasSubstr;

DecodeOptions with_embedded(Format format, std::initializer_list<const char*> paths) {
  DecodeOptions options{.format = format};
  for (const char* const path : paths) options.embedded.push_back(std::make_shared<pugi::xpath_query>(path));
  return options;
}

TEST(JsonpAnswer, IsReadAsWhatTheParenthesesHold) {
  for (const std::string_view body : {R"(cb({"a": "b"});)", R"(jQuery.cb_1( {"a": "b"} ) ; )", R"(/**/ $f({"a": "b"}))",
                                      "\xef\xbb\xbf\r\ncb({\"a\": \"b\"})\n"})
    EXPECT_EQ(written(decode_json(body)), "<json><a>b</a></json>") << body;
  EXPECT_EQ(written(decode_json(R"x(cb(["a)", "b(;"]))x")), "<json><item>a)</item><item>b(;</item></json>");
  EXPECT_EQ(written(decode_json(R"x(cb("a"))x")), "<json>a</json>");
}

TEST(JsonpAnswer, WithoutItsEndIsTruncated) {
  EXPECT_EQ(kind_of(decode_json(R"(cb({"a": "b")")), "truncated");
  EXPECT_EQ(kind_of(decode_json("/**/")), "malformed");
}

TEST(JsonpAnswer, JunkThatLooksLikeACallIsSkippedAsJunk) {
  EXPECT_EQ(written(decode_json(R"(while(1);{"a": "b"})")), "<json><a>b</a></json>");
}

TEST(EmbeddedDocument, XmlInTheTextOfAnElementStandsInItsPlace) {
  const DecodeOptions options = with_embedded(Format::xml, {"//Result"});
  for (
      const std::string_view body :
      {R"(<r><Result>&lt;?xml version="1.0" encoding="utf-16"?&gt;&lt;x:a y:z="1"&gt;Ca&#241;ete &amp;amp; b&lt;/x:a&gt;</Result></r>)",
       "<r><Result> <![CDATA[<x:a y:z=\"1\">Ca\xc3\xb1"
       "ete &amp; b</x:a>]]>\n</Result></r>"})
    EXPECT_EQ(written(decode_xml(body, "text/xml", options)),
              "<r><Result><a z=\"1\">Ca\xc3\xb1"
              "ete &amp; b</a></Result></r>");
}

TEST(EmbeddedDocument, JsonInAStringIsReachedByTheSamePathsAsWithoutTheString) {
  const DecodeOptions options = with_embedded(Format::json, {"/json/d"});
  const std::string_view tree = "<json><d><a type=\"number\">1</a><b><c>x</c></b><b><c>y</c></b></d></json>";
  EXPECT_EQ(written(decode_json(R"({"d": {"a": 1, "b": [{"c": "x"}, {"c": "y"}]}})", "", options)), tree);
  EXPECT_EQ(written(decode_json(R"({"d": "{\"a\": 1, \"b\": [{\"c\": \"x\"}, {\"c\": \"y\"}]}"})", "", options)), tree);
}

TEST(EmbeddedDocument, ALaterPathMayPointIntoAnEarlierDocument) {
  EXPECT_EQ(read(decode_json(R"({"d": "{\"xml\": \"<a><b>[1, 2]</b></a>\"}"})", "",
                             with_embedded(Format::json, {"/json/d", "/json/d/xml", "//b"})),
                 "sum(/json/d/xml/a/b/item)"),
            "3");
}

TEST(EmbeddedDocument, AByteOrderMarkBeforeItIsSkipped) {
  EXPECT_EQ(written(decode_json(R"({"d": "\ufeff{\"a\": \"b\"}"})", "", with_embedded(Format::json, {"/json/d"}))),
            "<json><d><a>b</a></d></json>");
  EXPECT_EQ(written(decode_xml("<r><Result>&#xFEFF;&lt;?xml version=\"1.0\"?&gt;&lt;a/&gt;</Result></r>", "text/xml",
                               with_embedded(Format::xml, {"//Result"}))),
            "<r><Result><a/></Result></r>");
}

TEST(EmbeddedDocument, WhatHoldsNoneStaysAsItIs) {
  for (const std::string_view body : {"<r><Result>sin datos</Result></r>", "<r><Result><a/>{}</Result></r>",
                                      "<r><Result/></r>", "<r Result=\"{}\"/>"})
    EXPECT_EQ(written(decode_xml(body, "", with_embedded(Format::xml, {"//Result", "//@Result", "//text()"}))), body);
}

TEST(EmbeddedDocument, ElementsAndTheirTextsMayBeNamedTogether) {
  EXPECT_EQ(written(decode_xml("<r><a>{\"b\":\"1\"}</a><a>{\"b\":\"2\"}</a></r>", "",
                               with_embedded(Format::xml, {"//a | //a/text() | //r"}))),
            "<r><a><b>1</b></a><a><b>2</b></a></r>");
}

TEST(EmbeddedDocument, ThatCannotBeReadFailsTheAnswer) {
  const DecodeOptions options = with_embedded(Format::json, {"//d"});
  EXPECT_EQ(kind_of(decode_json(R"({"d": "<a><b></a>"})", "", options)), "malformed");
  EXPECT_EQ(kind_of(decode_json(R"({"d": "<a><b>"})", "", options)), "truncated");
  EXPECT_EQ(kind_of(decode_json(R"({"d": "{\"a\": "})", "", options)), "truncated");
  EXPECT_EQ(kind_of(decode_json(R"({"d": "<html><body>503</body></html>"})", "", options)), "html");
}

TEST(EmbeddedDocument, CountsTowardsTheLimitsOfTheWhole) {
  const auto limited = [](std::size_t depth_max, std::size_t nodes_max) {
    DecodeOptions options = with_embedded(Format::xml, {"//a"});
    options.depth_max = depth_max;
    options.nodes_max = nodes_max;
    return options;
  };
  const std::string_view xml = "<r><a>&lt;b&gt;&lt;c/&gt;&lt;/b&gt;</a></r>";
  EXPECT_EQ(kind_of(decode_xml(xml, "", limited(4, 5))), "decoded");
  EXPECT_EQ(kind_of(decode_xml(xml, "", limited(3, 5))), "too_deep");
  EXPECT_EQ(kind_of(decode_xml(xml, "", limited(4, 4))), "too_many_nodes");
  const std::string_view json = "<r><a>{\"b\":[{}]}</a></r>";
  EXPECT_EQ(kind_of(decode_xml(json, "", limited(5, 5))), "decoded");
  EXPECT_EQ(kind_of(decode_xml(json, "", limited(4, 5))), "too_deep");
}

constexpr std::string_view label_and_data =
    "preamble\r\n"
    "--limit+1\r\n"
    "Content-Type: application/json; charset=ISO-8859-1\r\n"
    "Content-Disposition: form-data;\r\n name=\"meta data\"\r\n\r\n"
    "{\"a\": \"ma\xf1"
    "ana --limit+1\"}\r\n"
    "--limit+1\r\n"
    "content-type: application/pdf\r\n"
    "Content-ID: <label@x>\r\n\r\n"
    "%PDF\r\n"
    "--limit+1\r\n"
    "Content-Type: text/xml\r\n"
    "Content-Transfer-Encoding: Quoted-Printable\r\n\r\n"
    "<r a=3D\"1\">Ca=C3=B1=\r\nete</r>\r\n"
    "--limit+1--\r\n"
    "epilogue";

TEST(MultipartAnswer, TheFirstPartIsReadUnlessAnotherIsNamed) {
  constexpr std::string_view type = "multipart/form-data; boundary=\"limit+1\"";
  EXPECT_EQ(written(decode_json(label_and_data, type)),
            "<json><a>ma\xc3\xb1"
            "ana --limit+1</a></json>");
  for (const char* const part : {"application/json", "meta data"})
    EXPECT_EQ(kind_of(decode_json(label_and_data, type, {.part = part})), "decoded") << part;
  EXPECT_EQ(written(decode_xml(label_and_data, type, {.part = "TEXT/XML"})),
            "<r a=\"1\">Ca\xc3\xb1"
            "ete</r>");
  EXPECT_THAT(decode_json(label_and_data, type, {.part = "label@x"}).error().message, HasSubstr("last read: '%'"));
}

TEST(MultipartAnswer, APartThatIsNotThereIsToldWithThoseThatAre) {
  const auto document = decode_json(label_and_data, "multipart/mixed; boundary=limit+1", {.part = "application/zip"});
  EXPECT_EQ(kind_of(document), "malformed");
  EXPECT_THAT(document.error().message, HasSubstr("application/json, application/pdf, text/xml"));
}

TEST(MultipartAnswer, IsRecognisedByItsFirstLineWithBareLineFeeds) {
  constexpr std::string_view body =
      "\n--uuid:1234\nContent-Type: application/json\n\n{\"a\": 1}\n--uuid:1234\nContent-Type: "
      "x/y\n\nz\n--uuid:1234--\n";
  EXPECT_EQ(read(decode_json(body, "application/json"), "/json/a"), "1");
  EXPECT_EQ(read(decode_json(body, "multipart/mixed; boundary=other"), "/json/a"), "1");
}

TEST(MultipartAnswer, OneThatIsSaidToBeAndIsNotIsReadAsItStands) {
  EXPECT_EQ(written(decode_json("{\"a\": \"b\"}", "multipart/mixed; boundary=limit")), "<json><a>b</a></json>");
  EXPECT_EQ(kind_of(decode_xml("-- a comment of SQL\n<a/>")), "decoded");
}

TEST(MultipartAnswer, APartInBase64IsDecoded) {
  EXPECT_EQ(written(decode_json("--x\nContent-Transfer-Encoding: base64\n\neyJhIjog\r\nIjEifQ==\n--x--",
                                "multipart/mixed; boundary=x")),
            "<json><a>1</a></json>");
  EXPECT_EQ(kind_of(decode_json("--x\nContent-Transfer-Encoding: base64\n\n?{}\n--x--", "multipart/mixed; boundary=x")),
            "malformed");
}

TEST(MultipartAnswer, CutOffInThePartThatIsReadIsTruncated) {
  for (const std::size_t size : {label_and_data.find("ana"), label_and_data.find("\"}") + 4})
    EXPECT_EQ(kind_of(decode_json(label_and_data.substr(0, size), "multipart/mixed; boundary=limit+1")), "truncated");
}

TEST(MultipartAnswer, EmptyOnesAreMalformed) {
  EXPECT_EQ(kind_of(decode_json("--x--\n", "multipart/mixed; boundary=x")), "malformed");
  EXPECT_EQ(kind_of(decode_json("--x\n\n\n--x--\n", "multipart/mixed; boundary=x")), "empty");
}

}  // namespace
}  // namespace remitod::carriers::test
