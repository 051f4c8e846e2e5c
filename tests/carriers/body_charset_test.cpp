// Bodies that leave in another charset than UTF-8: what is sent, what is refused, what people see of it.
#include "carriers/body_charset.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "carriers/answer.h"
#include "carriers/charset.h"
#include "carriers/digest.h"
#include "carriers/redactor.h"
#include "carriers/request.h"
#include "carriers/session.h"
#include "carriers/trial.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using carriers::CreateOrder;
using carriers::Escape;
using carriers::HttpRequest;
using carriers::ProfileError;
using carriers::RequestError;
using carriers::TrackItem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

const Instant now = *from_iso8601("2026-11-23T12:00:00Z");

class BodyCharset : public ProfileTest {
 protected:
  /// Creates with this in [create] besides its URL; the order's recipient and notes may be named.
  static std::string creating(std::string_view create, std::string_view auth = "") {
    return "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example\"\nsettings = [\"account\"]\n"
           "secrets = [\"password\"]\n" +
           std::string(auth) +
           "[create]\nmethod = \"POST\"\nurl = \"{{base_url}}\"\nrequired = [\"recipient.name\"]\n"
           "optional = [\"notes\", \"parcels.0.description\"]\n" +
           std::string(create) +
           "\n[create.answer]\nformat = \"xml\"\ngranted = \"//r\"\nremito_is = \"order_number\"\n";
  }
  static std::string written(std::string_view format, std::string_view charset, std::string_view body) {
    return creating("headers = { Content-Type = \"text/any; charset=" + std::string(charset) +
                    "\" }\nbody_format = \"" + std::string(format) + "\"\nbody = '''" + std::string(body) + "'''");
  }

  std::expected<HttpRequest, RequestError> try_create(std::string_view toml, const std::string& name,
                                                      const std::string& notes = "") {
    const auto profile = loaded(toml);
    if (!profile) return std::unexpected(RequestError{"profile", "did not load"});
    const std::string payload =
        nlohmann::json{{"recipient", {{"name", name}}}, {"notes", notes}, {"parcels", {{{"description", notes}}}}}
            .dump();
    return build_create(*profile, CreateOrder{"A-1", 1, "", "ref-1", payload}, now);
  }
  HttpRequest create(std::string_view toml, const std::string& name) {
    const auto request = try_create(toml, name);
    EXPECT_TRUE(request) << request.error().field << ": " << request.error().message;
    return request.value_or(HttpRequest{});
  }
  std::string refusal(std::string_view toml, const std::string& name, const std::string& notes = "") {
    const auto request = try_create(toml, name, notes);
    return request ? "sent: " + request->body : request.error().field + " " + request.error().message;
  }
  std::vector<std::string> told(std::string_view toml) {
    std::vector<std::string> texts;
    for (const ProfileError& error : errors(toml))
      texts.push_back(std::to_string(error.line) + " " + error.key + ": " + error.message);
    return texts;
  }
};

TEST_F(BodyCharset, OfXmlIsThatOfItsContentTypeWithReferencesForWhatItLacks) {
  const HttpRequest latin = create(written("xml", "ISO-8859-1", "<a>Señor {{recipient.name}}</a>"), "Muñoz & Žižka 😀");
  EXPECT_EQ(latin.body, "<a>Se\xF1or Mu\xF1oz &amp; &#381;i&#382;ka &#128512;</a>");
  EXPECT_EQ(latin.body_charset, "ISO-8859-1");
  EXPECT_EQ(create(written("xml", "windows-1252", "<a>{{recipient.name}}</a>"), "Muñoz – Žižka €").body,
            "<a>Mu\xF1oz \x96 \x8Ei\x9Eka \x80</a>");
  pugi::xml_document document;
  const std::string whole = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + latin.body;
  ASSERT_TRUE(document.load_buffer(whole.data(), whole.size()));
  EXPECT_STREQ(document.child("a").text().get(), "Señor Muñoz & Žižka 😀") << "the carrier reads it back";
}

TEST_F(BodyCharset, OfJsonIsThatOfItsContentTypeWithEscapesForWhatItLacks) {
  const std::string_view body = R"({"to": "{{recipient.name}}"})";
  EXPECT_EQ(create(written("json", "latin1", body), "Muñoz \"Žižka\" 😀").body,
            "{\"to\": \"Mu\xF1oz \\\"\\u017Di\\u017Eka\\\" \\uD83D\\uDE00\"}");
  EXPECT_EQ(create(written("json", "windows-1252", body), "Ž€").body, "{\"to\": \"\x8E\x80\"}");
}

TEST_F(BodyCharset, OfAsciiIsJsonThatAnybodyReads) {
  const HttpRequest request =
      create(creating("headers = { Content-Type = \"application/json; charset=utf-8\" }\nbody_charset = \"US-ASCII\"\n"
                      "body_format = \"json\"\nbody = '{\"año\": \"{{recipient.name}}\"}'"),
             "Ñandú 😀\n中");
  EXPECT_EQ(request.body, R"({"a\u00F1o": "\u00D1and\u00FA \uD83D\uDE00\u000A\u4E2D"})");
  EXPECT_EQ(nlohmann::json::parse(request.body)["año"], "Ñandú 😀\n中");
}

TEST_F(BodyCharset, OfAFormIsInItsPercentEncodedBytes) {
  const std::string_view body = "a={{recipient.name}}&b=Per%C3%BA&c=%F1%e1x&d=%C3&e=100%&f=ú";
  EXPECT_EQ(create(written("url", "ISO-8859-1", body), "Muñoz é&=%C3").body,
            "a=Mu%F1oz%20%E9%26%3D%25C3&b=Per%FA&c=%F1%e1x&d=%C3&e=100%&f=\xFA")
      << "what is no UTF-8 is somebody's own and stays";
  EXPECT_EQ(create(written("url", "windows-1252", body), "“€”").body.substr(0, 12), "a=%93%80%94&");
  EXPECT_EQ(create(written("url", "GBK", body.substr(0, 20)), "中文 a").body, "a=%D6%D0%CE%C4%20a");
  EXPECT_EQ(create(written("url", "UTF-8", body.substr(0, 20)), "ñ").body, "a=%C3%B1");
}

TEST_F(BodyCharset, OfPlainTextIsThatOfItsContentType) {
  const HttpRequest request = create(written("none", "ISO-8859-1", "{{recipient.name}}|%C3%B1|Perú"), "Muñoz");
  EXPECT_EQ(request.body, "Mu\xF1oz|%C3%B1|Per\xFA");
  EXPECT_EQ(create(written("none", "windows-1252", "{{recipient.name}}"), "€").body, "\x80");
}

TEST_F(BodyCharset, LacksACharacterThatOnlyXmlAndJsonCanWrite) {
  for (const char* format : {"url", "none"}) {
    const std::string toml =
        written(format, "ISO-8859-1", "{{recipient.name}}|{{#parcels}}{{description}}{{/parcels}}");
    EXPECT_EQ(refusal(toml, "Žižka"), "recipient.name holds 'Ž' (U+017D), which ISO-8859-1 does not have");
    EXPECT_EQ(refusal(toml, "Ana", "té 😀"), "notes holds '😀' (U+01F600), which ISO-8859-1 does not have");
    EXPECT_EQ(refusal(toml, "Ana", "té"), format == std::string("url") ? "sent: Ana|t%E9" : "sent: Ana|t\xE9");
  }
  EXPECT_EQ(refusal(with(written("none", "US-ASCII", "{{recipient.name}}{{parcels.0.description}}"), "\"notes\", ", ""),
                    "Ana", "té"),
            "parcels.0.description holds 'é' (U+00E9), which US-ASCII does not have");
}

TEST_F(BodyCharset, NamesTheRemitoThatCannotBeWritten) {
  const auto profile = loaded(
      with(with(good_profile, "headers = { \"Content-Type\" = \"text/xml\",", "body_charset = \"CP850\"\nheaders = {"),
           "body_format = \"xml\"", "body_format = \"none\""));
  ASSERT_TRUE(profile);
  const TrackItem item{.remito = "04Ω", .registered_at = now};
  const auto request = build_track(*profile, std::span(&item, 1), now);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().field, "remito");
  EXPECT_EQ(request.error().message, "holds 'Ω' (U+03A9), which CP850 does not have");
}

TEST_F(BodyCharset, IsUtf8WhereNothingElseIsStated) {
  for (const char* type :
       {"application/json", "text/xml; charset=utf-8", "text/xml; charset=\\\"UTF8\\\"", "text/xml"}) {
    const HttpRequest request = create(creating("headers = { content-type = \"" + std::string(type) +
                                                "\" }\nbody_format = \"json\"\nbody = '{{recipient.name}}'"),
                                       "Muñoz 😀");
    EXPECT_EQ(request.body, "Muñoz 😀") << type;
    EXPECT_EQ(request.body_charset, "") << type;
  }
}

TEST_F(BodyCharset, OfTheProfilesKeyWinsOverTheHeader) {
  const auto body = [&](const std::string& keys) {
    return create(creating(keys + "\nbody_format = \"xml\"\nbody = '{{recipient.name}}'"), "ñ").body;
  };
  EXPECT_EQ(body("body_charset = \"ISO-8859-1\""), "\xF1");
  EXPECT_EQ(body("body_charset = \"ISO-8859-1\"\nheaders = { Content-Type = \"text/xml; charset=utf-8\" }"), "\xF1");
  EXPECT_EQ(body("body_charset = \"UTF-8\"\nheaders = { Content-Type = \"text/xml; charset=ISO-8859-1\" }"), "ñ");
}

TEST_F(BodyCharset, OfTheContentTypeOfAuthIsThatOfEveryOperation) {
  const std::string_view auth =
      "[auth]\nkind = \"header\"\nheaders = { Content-Type = \"text/xml; charset=ISO-8859-1\" }\n";
  EXPECT_EQ(create(creating("body_format = \"xml\"\nbody = '{{recipient.name}}'", auth), "ñ").body, "\xF1");
}

TEST_F(BodyCharset, IsSignedInTheBytesThatAreSent) {
  const HttpRequest request = create(
      creating(
          "headers = { Content-Type = \"text/xml; charset=ISO-8859-1\", X-Sign = \"{{#sha256}}{{body}}{{/sha256}}\" "
          "}\nbody_format = \"xml\"\nbody = '<a>{{recipient.name}}</a>'"),
      "Muñoz Ž");
  EXPECT_EQ(request.body, "<a>Mu\xF1oz &#381;</a>");
  EXPECT_THAT(request.headers,
              Contains("X-Sign: " + carriers::to_hex(carriers::hash(carriers::Digest::sha256, request.body))));
}

TEST_F(BodyCharset, OfALoginIsThatOfItsContentTypeOrKey) {
  settings_.secrets["password"] = "contraseña";
  for (const char* keys :
       {"body_charset = \"ISO-8859-1\"", "headers = { Content-Type = \"a/b; charset=ISO-8859-1\" }"}) {
    const auto profile = loaded(creating(
        "",
        "[auth]\nkind = \"login\"\nheaders = { X-T = \"{{session.token}}\" }\n[auth.login]\nmethod = \"POST\"\n"
        "url = \"{{base_url}}/login\"\nbody_format = \"url\"\nbody = 'key={{secrets.password}}'\n" +
            std::string(keys) + "\n[auth.login.answer]\nformat = \"xml\"\nsession = { token = \"//t\" }\n"));
    ASSERT_TRUE(profile);
    carriers::Session session(profile);
    auto step = session.next(now, {});
    const auto* login = std::get_if<carriers::Session::SendLogin>(&step);
    ASSERT_TRUE(login);
    EXPECT_EQ(login->request.body, "key=contrase%F1a");
    const carriers::Redactor redactor(*profile);
    EXPECT_THAT(redactor.redact(login->request), HasSubstr("\n\nkey=[secret]"));
    EXPECT_EQ(redactor.redact("no contrase%F1a"), "no [secret]") << "nor is it shown where the carrier repeats it";
  }
}

TEST_F(BodyCharset, ThatNobodyKnowsIsAnErrorWhereItStands) {
  const std::string header = written("xml", "ISO-8859-11x", "<a/>");
  EXPECT_THAT(told(header), ElementsAre(std::to_string(line_of(header, "headers")) +
                                        " create.headers.Content-Type: 'ISO-8859-11x' is not a character set that "
                                        "iconv knows (did you mean 'ISO-8859-1'?)"));
  const std::string key = creating("body_format = \"xml\"\nbody = '<a/>'\nbody_charset = \"widows-1252\"");
  EXPECT_THAT(told(key), ElementsAre(std::to_string(line_of(key, "body_charset")) +
                                     " create.body_charset: 'widows-1252' is not a character set that iconv knows "
                                     "(did you mean 'windows-1252'?)"));
  const std::string auth =
      creating("body_format = \"xml\"\nbody = '<a/>'",
               "[auth]\nkind = \"header\"\nheaders = { Content-Type = \"a/b; charset=klingon\" }\n");
  EXPECT_THAT(told(auth), ElementsAre(HasSubstr(" create.body: the Content-Type of [auth]: 'klingon' is not")));
  EXPECT_THAT(told(written("xml", "ISO-8859-1//TRANSLIT", "<a/>")), ElementsAre(HasSubstr("is not a character set")));
}

TEST_F(BodyCharset, ThatDoesNotContainAsciiIsAnError) {
  for (const char* charset : {"UTF-16", "UTF-16LE", "UTF-32", "IBM037", "UTF-7"})
    EXPECT_THAT(
        told(written("xml", charset, "<a/>")),
        ElementsAre(AllOf(HasSubstr("create.headers.Content-Type"), HasSubstr("writes ASCII in bytes of its own"))))
        << charset;
}

TEST_F(BodyCharset, ThatCannotServeIsAnErrorWhenTheProfileIsLoaded) {
  EXPECT_THAT(told(creating("body_charset = \"ISO-8859-1\"")),
              ElementsAre(HasSubstr("create.body_charset: there is no body that would leave in it")));
  EXPECT_THAT(told(written("xml", "{{settings.account}}", "<a/>")), ElementsAre(HasSubstr("without variables")));
  EXPECT_THAT(told(written("none", "ISO-8859-1", "Ž {{recipient.name}}")),
              ElementsAre(HasSubstr("create.body: holds 'Ž' (U+017D), which ISO-8859-1 does not have")));
  settings_.secrets["password"] = "hush€hush";
  EXPECT_THAT(told(written("url", "ISO-8859-1", "p={{#md5}}{{secrets.password}}{{/md5}}")), ElementsAre())
      << "what leaves is the digest";
}

TEST_F(BodyCharset, IsNoHindranceWhereThereIsNoBody) {
  EXPECT_THAT(told(creating("headers = { Content-Type = \"text/xml; charset=UTF-16\" }")), ElementsAre());
}

TEST_F(BodyCharset, IsShownAsText) {
  settings_.secrets["password"] = "contraseña😀";
  const auto profile =
      loaded(written("json", "ISO-8859-1", R"({"to": "{{recipient.name}}", "key": "{{secrets.password}}"})"));
  ASSERT_TRUE(profile);
  const auto request =
      build_create(*profile, CreateOrder{"A-1", 1, "", "ref-1", R"({"recipient": {"name": "Muñoz Ž"}})"}, now);
  ASSERT_TRUE(request);
  const nlohmann::json shown = carriers::describe_request(carriers::Redactor(*profile), *request);
  EXPECT_EQ(shown["body_charset"], "ISO-8859-1");
  EXPECT_THAT(shown["request"], HasSubstr("\n\n{\"to\": \"Muñoz \\u017D\", \"key\": \"[secret]\"}"));
  EXPECT_NO_THROW(static_cast<void>(shown.dump()));
  EXPECT_EQ(carriers::readable_body(*request), *carriers::to_utf8(request->body, "ISO-8859-1"));
}

TEST(ToCharset, TakesLongBodiesOfAnyKind) {
  std::string text, latin, ascii;
  for (int i = 0; i < 5'000; ++i) {
    text += "ñx中";
    latin += "\xF1x&#20013;";
    ascii += "\\u00F1x\\u4E2D";
  }
  EXPECT_EQ(carriers::to_charset(text, "ISO-8859-1", Escape::xml), latin);
  EXPECT_EQ(carriers::to_charset(text, "US-ASCII", Escape::json), ascii);
  const auto shifted = carriers::to_charset(text, "ISO-2022-JP", Escape::xml);
  ASSERT_TRUE(shifted);
  EXPECT_THAT(*carriers::to_utf8(*shifted, "ISO-2022-JP"), testing::StartsWith("&#241;x中&#241;x中"));
}

TEST(ToCharset, RefusesBytesThatAreNoText) {
  const auto written = carriers::to_charset("ñ\xF3x", "ISO-8859-1", Escape::xml);
  ASSERT_FALSE(written);
  EXPECT_EQ(carriers::lacking(written.error(), "ISO-8859-1"),
            "holds a byte that is no UTF-8, 0xF3: it cannot be written in ISO-8859-1");
  EXPECT_FALSE(carriers::to_charset("ñ\xC3", "ISO-8859-1", Escape::xml)) << "cut inside of a character";
}

TEST(Charsets, AreToldApartByWhatTheyWrite) {
  EXPECT_TRUE(carriers::is_readable_as("", "utf8"));
  EXPECT_TRUE(carriers::is_readable_as("latin1", "ISO-8859-1"));
  EXPECT_TRUE(carriers::is_readable_as("windows-1252", "ISO-8859-1")) << "who says the one reads the other";
  EXPECT_TRUE(carriers::is_readable_as("US-ASCII", "windows-1252")) << "ASCII is read as anything";
  EXPECT_FALSE(carriers::is_readable_as("", "US-ASCII"));
  EXPECT_FALSE(carriers::is_readable_as("", "ISO-8859-1"));
  EXPECT_FALSE(carriers::is_readable_as("ISO-8859-1", "UTF-16"));
  EXPECT_FALSE(carriers::is_readable_as("ISO-8859-1", "klingon"));
  for (const char* single : {"ISO-8859-1", "windows-1252", "KOI8-R", "CP850"})
    EXPECT_TRUE(carriers::is_single_byte(single)) << single;
  for (const char* other : {"UTF-8", "US-ASCII", "GBK", "UTF-16", "EUC-JP"})
    EXPECT_FALSE(carriers::is_single_byte(other)) << other;
}

}  // namespace
}  // namespace remitod::test
