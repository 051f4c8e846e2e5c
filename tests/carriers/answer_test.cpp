// What holds for answers of every format: how they begin, which page they are, what they say when they cannot be read.
#include "carriers/answer.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/carriers/answer_support.h"
#include "tests/support/paths.h"

namespace remitod::carriers::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Answer, BlankBodyIsEmpty) {
  for (const std::string_view body : {"", " \r\n\t", "\xef\xbb\xbf", "\xff\xfe"}) {
    EXPECT_EQ(kind_of(decode_xml(body)), "empty");
    EXPECT_EQ(kind_of(decode_json(body)), "empty");
  }
}

TEST(Answer, MarksBlanksAndJunkBeforeTheDocumentAreSkipped) {
  for (const std::string_view before :
       {"\xef\xbb\xbf", "\r\n  ", "\xef\xbb\xbf\xef\xbb\xbf\n", "Notice: date() ", ")]}',\n"}) {
    EXPECT_EQ(written(decode_xml(std::string(before) + "<?xml version=\"1.0\"?><a>b</a>")), "<a>b</a>");
    EXPECT_EQ(written(decode_json(std::string(before) + "{\"a\":\"b\"}")), "<json><a>b</a></json>");
  }
}

TEST(Answer, HtmlPagesAreRecognised) {
  for (const std::string_view page :
       {"<!DOCTYPE html><html><body><p>Runtime Error<br></body></html>", "\n<HTML>\n<head>", "<html lang=\"es\">",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\"><html></html>",
        "<!-- cache miss --><html><body>503</body></html>", "<body>Mantenimiento</body>"}) {
    EXPECT_EQ(kind_of(decode_xml(page, "text/xml")), "html") << page;
    EXPECT_EQ(kind_of(decode_json(page, "application/json")), "html") << page;
  }
}

TEST(Answer, HtmlPageInAWrongCharsetIsStillAnHtmlPage) {
  EXPECT_EQ(kind_of(decode_xml("<html><body>No se encontr\xf3</body></html>", "text/html; charset=utf-8")), "html");
}

TEST(Answer, XmlServedAsHtmlIsXml) {
  EXPECT_EQ(written(decode_xml("<a>b</a>", "text/html")), "<a>b</a>");
  EXPECT_EQ(written(decode_xml("<html:a>b</html:a>", "text/html")), "<a>b</a>");
}

TEST(Answer, TheOtherFormatIsMalformed) {
  EXPECT_EQ(kind_of(decode_xml("{\"error\": \"<b>no</b>\"}")), "malformed");
  EXPECT_EQ(kind_of(decode_json("<error>[no]</error>")), "malformed");
  EXPECT_EQ(kind_of(decode_xml("Servicio no disponible")), "malformed");
  EXPECT_EQ(kind_of(decode_json("Servicio no disponible")), "malformed");
}

TEST(Answer, MessageQuotesAShortPieceWithoutControlCharacters) {
  const std::string page = "<html>\r\n\x1b[31mError\x7f \xc2\x9b " + repeated("x", 10'000);
  const auto html = decode_xml(page);
  ASSERT_EQ(kind_of(html), "html");
  EXPECT_THAT(html.error().message, AllOf(HasSubstr("<html> [31mError"), Not(HasSubstr("\x1b")), Not(HasSubstr("\x7f")),
                                          Not(HasSubstr("\xc2\x9b"))));
  EXPECT_LE(html.error().message.size(), 300U);
  for (const auto& document :
       {decode_json("{\"a\": \"" + repeated("\xc3\xb3", 10'000)), decode_json("{\"a\": " + repeated("x", 10'000)),
        decode_xml(repeated("<\x01", 10'000)), decode_xml("<a>" + repeated("\xf3", 10'000) + "</a>"),
        decode_xml("<a/>", "text/xml; charset=" + repeated("x\n", 1'000))}) {
    ASSERT_FALSE(document.has_value());
    EXPECT_LE(document.error().message.size(), 300U) << document.error().message;
    EXPECT_THAT(document.error().message, Not(testing::ContainsRegex("[\x01-\x1f]")));
  }
}

TEST(Answer, MessageSaysWhere) {
  EXPECT_THAT(decode_xml("<a><b>x</c></a>").error().message, AllOf(HasSubstr("byte "), HasSubstr("<a><b>x</c></a>")));
  EXPECT_THAT(decode_json("{\"a\": nil}").error().message, HasSubstr("byte 8"));
}

TEST(Answer, GenuineCarrierAnswersDecode) {
  const auto shared = remitod::test::shared_dir();
  if (!shared) GTEST_SKIP() << "no folder of genuine answers beside the checkout";
  std::size_t decoded = 0;
  for (const char* const carrier : {"oca", "correios", "olva", "chazki"}) {
    for (const auto& file : std::filesystem::directory_iterator(*shared / "corpus" / "latam" / carrier)) {
      const std::string name = file.path().filename().string();
      if (!name.starts_with("response.")) continue;
      const std::string body = remitod::test::read_file(file.path());
      EXPECT_EQ(kind_of(name.ends_with(".json") ? decode_json(body) : decode_xml(body)), "decoded") << file.path();
      ++decoded;
    }
  }
  EXPECT_GT(decoded, 20U);
}

}  // namespace
}  // namespace remitod::carriers::test
