// What is shown of requests and answers holds no secret.
#include "carriers/redactor.h"

#include <gmock/gmock.h>

#include "carriers/digest.h"
#include "carriers/escape.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using carriers::Escape;
using carriers::HttpRequest;
using carriers::Redactor;
using testing::HasSubstr;
using testing::Not;

class RedactorTest : public ProfileTest {
 protected:
  Redactor redactor(std::string secret, std::string_view toml = good_profile) {
    settings_.secrets["password"] = std::move(secret);
    return Redactor(*loaded(toml));
  }
};

std::string escaped(std::string_view text, Escape escape) {
  std::string result;
  carriers::append_escaped(result, text, escape);
  return result;
}

TEST_F(RedactorTest, ASecretIsReplacedInEveryFormInWhichItIsSent) {
  const std::string secret = "can<&\"'/ ary~é";
  const Redactor redact = redactor(secret);
  EXPECT_EQ(redact.redact("a " + secret + " b " + secret), "a [secret] b [secret]");
  for (const Escape escape : {Escape::xml, Escape::json, Escape::url})
    EXPECT_EQ(redact.redact("<" + escaped(secret, escape) + ">"), "<[secret]>");
  for (const std::string& form : {carriers::to_base64(secret), carriers::to_base64_url(secret),
                                  carriers::to_hex(secret), carriers::to_base64("77&1:" + secret)})
    EXPECT_EQ(redact.redact("<" + form + ">"), "<[secret]>");
}

TEST_F(RedactorTest, ATextThatWasCutInsideASecretShowsNoPartOfIt) {
  const Redactor redact = redactor("canary-0123456789");
  EXPECT_EQ(redact.redact("HTTP 500: password canary-01234"), "HTTP 500: password [secret]");
}

TEST_F(RedactorTest, APieceOfATextShowsNoPartOfASecretAtEitherEnd) {
  const Redactor redact = redactor("canary-0123456789");
  EXPECT_EQ(redact.redact("byte 9: no list: '...ry-0123456789 and canary-012345...'"),
            "byte 9: no list: '...[secret] and [secret]...'");
  EXPECT_EQ(redact.redact("canary..."), "[secret]...");
  EXPECT_EQ(redact.redact("......canary......canary"), "......[secret]......[secret]");
  EXPECT_EQ(redact.redact("canar..."), "canar...") << "so little may be anything";
}

TEST_F(RedactorTest, ARequestThatIsRepeatedInsideOfADocumentShowsNoneEither) {
  const std::string secret = "can<&\"'/ ary~";
  const Redactor redact = redactor(secret);
  for (const Escape inner : {Escape::xml, Escape::json, Escape::url})
    for (const Escape outer : {Escape::xml, Escape::json, Escape::url})
      EXPECT_EQ(redact.redact("<" + escaped(escaped(secret, inner), outer) + ">"), "<[secret]>");
  EXPECT_EQ(redactor("canary/1/2").redact(R"({"error":"no canary\/1\/2"})"), R"({"error":"no [secret]"})");
}

TEST_F(RedactorTest, ASecretIsReplacedHoweverTheCarrierEscapesIt) {
  const Redactor redact = redactor("cañ&r'y+/%<\"1");
  for (const std::string spelt :
       {"cañ&amp;r'y+/%&lt;\"1", "ca&#241;&amp;r&#39;y+/%&lt;&quot;1", "ca&#xF1;&#38;r&#x27;y+/%&#60;&#034;1",
        R"(ca\u00f1\u0026r\u0027y\u002b\/%\u003C\"1)", "ca%c3%b1%26r%27y%2b%2f%25%3c%221",
        "ca%25C3%25B1%2526r%2527y%252B%252F%2525%253C%25221", R"(ca\\u00f1&amp;r'y+\/%&amp;lt;\\\&quot;1)"})
    EXPECT_EQ(redact.redact("<" + spelt + "&>"), "<[secret]&>") << spelt;
  EXPECT_EQ(redact.redact("cañ&amp;r'y+/%&lt;&quot;2"), "cañ&amp;r'y+/%&lt;&quot;2") << "another one";
}

TEST_F(RedactorTest, ASecretBeyondTheBasicPlaneIsReplacedInItsTwoHalves) {
  const Redactor redact = redactor("canary😀");
  EXPECT_EQ(redact.redact(R"("canary\uD83D\ude00" "canary\\ud83d\\uDE00")"), R"("[secret]" "[secret]")");
  EXPECT_EQ(redact.redact(R"("canary\uD83D\uDE01")"), R"("canary\uD83D\uDE01")") << "another one";
}

TEST_F(RedactorTest, ASecretIsReplacedInTheCharsetsOfOldCarriers) {
  const Redactor redact = redactor("contraseña1");
  EXPECT_EQ(redact.redact("<contrase\xF1\x61\x31>"), "<[secret]>");
  for (const bool little : {true, false}) {
    std::string text;
    for (const char c : std::string_view("contrase\xF1\x61\x31"))
      text += little ? std::string{c, '\0'} : std::string{'\0', c};
    EXPECT_EQ(redact.redact(text), "[secret]");
  }
}

TEST_F(RedactorTest, ASecretIsReplacedInsideOfALongerTextInBase64) {
  const Redactor redact = redactor("canary-012345");
  for (const std::string before : {"", "u", "us", "usr:"})
    for (const std::string after : {"", ":", ":x", ":xy"}) {
      const std::string shown = redact.redact(carriers::to_base64(before + "canary-012345" + after));
      EXPECT_THAT(shown, HasSubstr("[secret]"));
      EXPECT_LE(shown.size(), before.size() * 2 + 8 + after.size() * 2 + 6) << shown;
    }
  EXPECT_EQ(redact.redact("63616E6172792D303132333435"), "[secret]") << "in hex as others write it";
}

TEST_F(RedactorTest, EveryLineOfAKeyIsASecret) {
  const std::string no_auth =
      with(with(good_profile, "kind = \"basic\"\nuser = \"{{settings.account}}\"", "kind = \"none\""),
           "\npassword = \"{{secrets.password}}\"", "");
  const Redactor redact =
      redactor("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n", no_auth);
  EXPECT_THAT(redact.redact("got MIIEvQIBADANBgkqhkiG9w0 BAQEFAASCBKcwggSjAgEAAoIB"), Not(HasSubstr("MIIE")));
}

TEST_F(RedactorTest, AShortSecretIsLeftSinceItStandsInEveryText) {
  EXPECT_EQ(redactor("abc").redact("abc"), "abc");
}

TEST_F(RedactorTest, TheTokensOfTheLastSessionsAreSecretsToo) {
  Redactor redact = redactor("hush-hush");
  for (int session = 10; session < 23; ++session) redact.add_session({"token-" + std::to_string(session), "", "x"});
  EXPECT_EQ(redact.redact("token-22 token-11 hush-hush."), "[secret] [secret] [secret].");
  EXPECT_EQ(redact.redact("token-10."), "token-10.") << "long out of use";
}

TEST_F(RedactorTest, ARequestIsShownWithoutWhatOnlyHoldsCredentials) {
  HttpRequest request;
  request.method = "POST";
  request.url = "https://c.example/t?key=canary%2F1&n=1";
  request.headers = {"Authorization: Signature whatever", "X-Key: canary/1", "Accept: text/xml", "COOKIE: a=b"};
  request.body = "<p>canary/1</p>";
  EXPECT_EQ(redactor("canary/1").redact(request),
            "POST https://c.example/t?key=[secret]&n=1\nAuthorization: [secret]\nX-Key: [secret]\nAccept: text/xml\n"
            "COOKIE: [secret]\n\n<p>[secret]</p>");
}

}  // namespace
}  // namespace remitod::test
