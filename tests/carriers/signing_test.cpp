// Requests that prove who sent them: functions in templates, and what [auth] adds to every operation.
#include <gmock/gmock.h>

#include "carriers/aws_signature.h"
#include "carriers/digest.h"
#include "carriers/escape.h"
#include "carriers/request.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using carriers::Call;
using carriers::Digest;
using carriers::HttpRequest;
using carriers::TrackItem;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Field;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Instant now = *from_iso8601("2026-11-23T12:00:00.250Z");

std::string hex(Digest digest, std::string_view text) {
  return carriers::to_hex(carriers::hash(digest, text));
}

// The values of RFC 1321, RFC 3174, FIPS 180-2, RFC 4231 (case 2), RFC 4648.
TEST(Digests, AreThoseOfTheirStandards) {
  EXPECT_EQ(hex(Digest::md5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(Digest::sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(Digest::sha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THAT(hex(Digest::sha512, "abc"), StartsWith("ddaf35a193617abacc417349ae204131"));
  EXPECT_EQ(carriers::to_hex(carriers::hmac(Digest::sha256, "Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(carriers::to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(carriers::to_base64(""), "");
  EXPECT_EQ(carriers::to_base64_url("\xfb\xff\xfe!"), "-__-IQ");
}

class SigningTest : public ProfileTest {
 protected:
  /// A profile that tracks with this [track], and says this of [auth].
  static std::string profile(std::string_view track, std::string_view auth = "") {
    return "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example/a\"\nsettings = [\"account\"]\n"
           "secrets = [\"password\"]\n" +
           std::string(auth) + "\n[track]\n" + std::string(track) +
           "\n[track.answer]\nformat = \"xml\"\nshipments = \"//s\"\nremito = \"n\"\nsnapshot = true\n"
           "[track.event]\ncode = \"c\"\n";
  }

  HttpRequest ask(const std::string& toml, const Call& call = now) {
    const auto loaded_profile = loaded(toml);
    if (!loaded_profile) return {};
    const TrackItem item{.remito = "A&1", .registered_at = *from_iso8601("2026-11-20T03:00:00Z")};
    const auto request = build_track(*loaded_profile, std::span{&item, 1}, call);
    EXPECT_TRUE(request) << request.error().field << ": " << request.error().message;
    return request ? *request : HttpRequest{};
  }

  /// What `text` becomes in a body of this format.
  std::string body(const std::string& text, const std::string& format = "none", const Call& call = now) {
    return ask(profile("method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"" + format + "\"\nbody = '''" +
                       text + "'''"),
               call)
        .body;
  }

  std::string problem(const std::string& text) {
    const auto found =
        errors(profile("method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"xml\"\nbody = '''" + text + "'''"));
    return found.size() == 1 ? found.front().message : "not one error but " + std::to_string(found.size());
  }
};

TEST_F(SigningTest, FunctionsTakeTheirContentAsItIsAndTheirResultIsEscaped) {
  EXPECT_EQ(body("{{#sha256}}{{remito}}{{/sha256}}", "xml"), hex(Digest::sha256, "A&1"));
  EXPECT_EQ(body("{{#upper}}{{remito}}x{{/upper}}", "xml"), "A&amp;1X");
  EXPECT_EQ(body("{{#base64}}{{#md5_raw}}{{remito}}{{/md5_raw}}{{/base64}}", "url"), [] {
    std::string encoded;
    carriers::append_escaped(encoded, carriers::to_base64(carriers::hash(Digest::md5, "A&1")), carriers::Escape::url);
    return encoded;
  }());
  EXPECT_EQ(body("{{#number}}2 * 21{{/number}}"), "42");
}

TEST_F(SigningTest, AFunctionMayTakeADocumentAsItStandsElsewhereInTheBody) {
  const std::string document = R"({{#as_json_text}}{"no":"{{remito}}"}{{/as_json_text}})";
  const std::string in_form = body("data=" + document + "&sign={{#md5}}" + document + "{{/md5}}", "url");
  EXPECT_EQ(in_form, "data=%7B%22no%22%3A%22A%261%22%7D&sign=" + hex(Digest::md5, R"({"no":"A&1"})"));
}

TEST_F(SigningTest, AFunctionInsideADocumentInAStringIsEscapedAsTheDocumentIs) {
  EXPECT_EQ(body("{{#as_xml_text}}<s>{{#lower}}{{remito}}{{/lower}}</s>{{/as_xml_text}}", "xml"),
            "&lt;s&gt;a&amp;amp;1&lt;/s&gt;");
}

TEST_F(SigningTest, ATextIsCutByCharactersBeforeItIsEscaped) {
  EXPECT_EQ(body("{{#first_2}}{{remito}}{{/first_2}}", "xml"), "A&amp;");
  EXPECT_EQ(body("{{#last_2}}{{remito}}{{/last_2}}", "xml"), "&amp;1");
  EXPECT_EQ(body("{{#first_3}}ñandú{{/first_3}}|{{#last_2}}ñandú{{/last_2}}"), "ñan|dú");
  EXPECT_EQ(body("{{#first_999}}ñ{{/first_999}}|{{#first_1}}{{/first_1}}"), "ñ|") << "what is shorter stays";
  EXPECT_EQ(body("{{#first_5}}12:34:56{{/first_5}}{{# first_1 }}xy{{/ first_1 }}"), "12:34x");
  EXPECT_EQ(body("{{#last_9}}{{#digits}}+51 987-654.321 ext ½{{/digits}}{{/last_9}}"), "987654321");
  EXPECT_EQ(body("{{#digits}} {{/digits}}"), "") << "nothing stays nothing";
  EXPECT_EQ(body("{{#as_xml_text}}<s>{{#first_2}}{{remito}}{{/first_2}}</s>{{/as_xml_text}}", "xml"),
            "&lt;s&gt;A&amp;amp;&lt;/s&gt;");
}

TEST_F(SigningTest, AKeyedHashTakesItsKeyFromInside) {
  EXPECT_EQ(body("{{#hmac_sha256}}{{#key}}{{secrets.password}}{{/key}}{{remito}}|{{settings.account}}{{/hmac_sha256}}"),
            carriers::to_hex(carriers::hmac(Digest::sha256, "hush-hush", "A&1|77&1")));
  EXPECT_EQ(body("{{#hmac_sha1}}{{#key}}{{#sha1_raw}}{{secrets.password}}{{/sha1_raw}}{{/key}}m{{/hmac_sha1}}"),
            carriers::to_hex(carriers::hmac(Digest::sha1, carriers::hash(Digest::sha1, "hush-hush"), "m")));
}

TEST_F(SigningTest, ASignatureIsOverAllNumbersOfABatchOrOverTheFirst) {
  const std::string list = "{{#items}}{{remito}}{{#comma}},{{/comma}}{{/items}}";
  const std::string request =
      "method = \"POST\"\nurl = \"{{base_url}}?n=" + list + "&s={{#md5}}" + list + "{{/md5}}\"\n" +
      "headers = { X-First = \"{{first_remito}}\", X-Cut = \"{{#first_6}}" + list + "{{/first_6}}\" }\n" +
      "body_format = \"xml\"\nbody = '''<n>{{first_remito}}</n><s>{{#hmac_sha256}}{{#key}}k{{/key}}t|" + list +
      "|{{#sha1}}{{first_remito}}{{/sha1}}{{/hmac_sha256}}</s>{{#items}}<d>{{#md5}}{{remito}}{{/md5}}</d>{{/items}}'''";
  const auto batch = loaded(profile(request, "[limits]\nbatch_max = 3\n"));
  ASSERT_TRUE(batch);
  const std::vector<TrackItem> items{{"A&1", now}, {"B<2", now}, {"3", now}};
  const auto made = [&](std::size_t count) { return build_track(*batch, std::span{items}.first(count), now).value(); };
  const auto signature = [](const std::string& numbers) {
    return carriers::to_hex(carriers::hmac(Digest::sha256, "k", "t|" + numbers + "|" + hex(Digest::sha1, "A&1")));
  };
  const auto digest = [](const char* number) { return "<d>" + hex(Digest::md5, number) + "</d>"; };
  EXPECT_EQ(made(3).url, "https://c.example/a?n=A%261,B%3C2,3&s=" + hex(Digest::md5, "A&1,B<2,3"));
  EXPECT_THAT(made(3).headers, ElementsAre("X-Cut: A&1,B<", "X-First: A&1"));
  EXPECT_EQ(made(3).body,
            "<n>A&amp;1</n><s>" + signature("A&1,B<2,3") + "</s>" + digest("A&1") + digest("B<2") + digest("3"));
  EXPECT_EQ(made(1).body, "<n>A&amp;1</n><s>" + signature("A&1") + "</s>" + digest("A&1"));
  EXPECT_EQ(body("{{first_remito}}", "xml"), "A&amp;1") << "of one shipment it is its number";
}

TEST_F(SigningTest, ItemsStandNeitherInItemsNorInTheFormatOfATime) {
  EXPECT_THAT(problem("{{#items}}{{#items}}{{remito}}{{/items}}{{/items}}"), HasSubstr("inside another {{#items}}"));
  EXPECT_THAT(problem("{{#items}}{{#md5}}{{#items}}x{{/items}}{{/md5}}{{/items}}"),
              HasSubstr("inside another {{#items}}"));
  EXPECT_THAT(problem("{{#now}}{{#items}}%F{{/items}}{{/now}}"), HasSubstr("no variable"));
}

TEST_F(SigningTest, FormEncodingIsThatOfJavaAndUrlEncodingThatOfRfc3986) {
  EXPECT_EQ(body("{{#form_encoded}}a b*~+é{{/form_encoded}}"), "a+b*%7E%2B%C3%A9");
  EXPECT_EQ(body("{{#url_encoded}}a b*~+é{{/url_encoded}}"), "a%20b%2A~%2B%C3%A9");
}

TEST_F(SigningTest, TheTimeIsTheSameMomentWhereverItStands) {
  EXPECT_EQ(body("{{#now}}%Y-%m-%dT%H:%M:%S%Ez{{/now}} {{#now_utc}}%FT%TZ{{/now_utc}} {{#now}}epoch_s{{/now}} "
                 "{{#now}}epoch_ms{{/now}} {{#registered}}%d/%m/%Y{{/registered}}"),
            "2026-11-23T07:00:00-05:00 2026-11-23T12:00:00Z 1795435200 1795435200250 19/11/2026");
}

TEST_F(SigningTest, TheUuidIsTheSameWhereverItStandsAndComesFromTheRandomnessGiven) {
  Call call(now);
  call.random.fill(0xFF);
  const std::string version_4 = "ffffffff-ffff-4fff-bfff-ffffffffffff";
  EXPECT_EQ(body("{{uuid}} {{#sha1}}{{uuid}}{{/sha1}}", "none", call), version_4 + " " + hex(Digest::sha1, version_4));
}

TEST_F(SigningTest, WhatIsNoFunctionOrLacksSomethingIsToldWhenTheProfileIsLoaded) {
  EXPECT_THAT(problem("{{#sha255}}x{{/sha255}}"), HasSubstr("did you mean 'sha25"));
  EXPECT_THAT(problem("{{#sha256_raw}}x{{/sha256_raw}}"), HasSubstr("{{#base64}}"));
  EXPECT_THAT(problem("{{#hmac_sha256}}x{{/hmac_sha256}}"), HasSubstr("{{#key}}"));
  EXPECT_THAT(problem("{{#key}}x{{/key}}"), HasSubstr("is not a variable here"));
  EXPECT_THAT(problem("{{#now}}soon{{/now}}"), HasSubstr("'soon' is not a format of a time"));
  EXPECT_THAT(problem("{{#now}}{{remito}}{{/now}}"), HasSubstr("no variable"));
  EXPECT_THAT(problem("{{#since}}%F{{/since}}"), HasSubstr("is not a variable here")) << "only a feed has a window";
  for (const char* count : {"0", "05", "1000", "x", ""})
    EXPECT_THAT(problem("{{#first_" + std::string(count) + "}}x{{/first_" + count + "}}"),
                HasSubstr("is not a variable here"));
  EXPECT_THAT(problem("{{body}}"), HasSubstr("is not a variable here")) << "a body cannot hold itself";
}

TEST_F(SigningTest, HeadersSignTheFinishedUrlAndBody) {
  const HttpRequest request =
      ask(profile("method = \"POST\"\nurl = \"{{base_url}}/t/{{remito}}?x={{#md5}}{{body}}{{/md5}}&y=1\"\n"
                  "body_format = \"xml\"\nbody = '<n>{{remito}}</n>'",
                  "[auth]\nkind = \"header\"\nheaders = { X-Sign = \"{{#sha1}}{{method}} {{url_path}} {{url_query}} "
                  "{{url}} {{body}}{{/sha1}}\" }"));
  const std::string query = "x=" + hex(Digest::md5, "<n>A&amp;1</n>") + "&y=1";
  EXPECT_EQ(request.url, "https://c.example/a/t/A%261?" + query);
  EXPECT_THAT(request.headers, ElementsAre("X-Sign: " + hex(Digest::sha1, "POST /a/t/A%261 " + query + " " +
                                                                              request.url + " <n>A&amp;1</n>")));
}

// WS-Security UsernameToken Profile 1.1: Password_Digest = Base64(SHA-1(nonce + created + password)).
TEST_F(SigningTest, APasswordDigestOfWsSecurityIsWrittenWithFunctions) {
  const std::string text =
      body("{{#base64}}{{#sha1_raw}}{{uuid}}{{#now_utc}}%FT%TZ{{/now_utc}}{{secrets.password}}{{/sha1_raw}}{{/base64}}",
           "xml");
  EXPECT_EQ(text, carriers::to_base64(carriers::hash(
                      Digest::sha1, "00000000-0000-4000-8000-0000000000002026-11-23T12:00:00Zhush-hush")));
}

TEST_F(SigningTest, AuthGoesWithEveryOperation) {
  const auto headers = [&](const std::string& auth, const std::string& track = "url = \"{{base_url}}\"") {
    return ask(profile(track, "[auth]\n" + auth)).headers;
  };
  EXPECT_THAT(headers("kind = \"bearer\"\ntoken = \"{{secrets.password}}\""),
              ElementsAre("Authorization: Bearer hush-hush"));
  EXPECT_THAT(headers("kind = \"header\"\nheaders = { key = \"{{secrets.password}}\" }"),
              ElementsAre("key: hush-hush"));
  EXPECT_THAT(
      headers("kind = \"header\"\nheaders = { Key = \"auth\" }", "url = \"{{base_url}}\"\nheaders = { key = \"own\" }"),
      ElementsAre("key: own"))
      << "an operation's own header stands in its place";
  const auto url = [&](const std::string& own) {
    return ask(profile("url = \"" + own + "\"",
                       "[auth]\nkind = \"query\"\nquery = { key = \"{{secrets.password}}&\", z = \"1\" }"))
        .url;
  };
  EXPECT_EQ(url("{{base_url}}/t"), "https://c.example/a/t?key=hush-hush&&z=1");
  EXPECT_EQ(url("{{base_url}}/t?n={{remito}}"), "https://c.example/a/t?n=A%261&key=hush-hush&&z=1");
}

TEST_F(SigningTest, BasicAndDigestAuthenticationAreLeftToTheTransport) {
  const auto options = [&](const std::string& kind) {
    return loaded(profile("url = \"{{base_url}}\"", "[auth]\nkind = \"" + kind +
                                                        "\"\nuser = \"{{settings.account}}\"\npassword = "
                                                        "\"{{secrets.password}}\""))
        ->transport_options();
  };
  EXPECT_EQ(options("basic")->basic_user, "77&1");
  EXPECT_FALSE(options("basic")->digest);
  EXPECT_EQ(options("digest")->basic_password, "hush-hush");
  EXPECT_TRUE(options("digest")->digest);
}

TEST_F(SigningTest, WhatAuthLacksIsNamed) {
  const auto keys = [&](const std::string& auth) {
    std::vector<std::string> names;
    for (const auto& error : errors(profile("url = \"{{base_url}}\"", "[auth]\n" + auth))) names.push_back(error.key);
    return names;
  };
  EXPECT_THAT(keys("kind = \"basic\"\nuser = \"u\""), ElementsAre("auth.password"));
  EXPECT_THAT(keys("kind = \"bearer\""), ElementsAre("auth.token"));
  EXPECT_THAT(keys("kind = \"header\""), ElementsAre("auth.headers"));
  EXPECT_THAT(keys("kind = \"query\""), ElementsAre("auth.query"));
  EXPECT_THAT(keys("kind = \"login\""), ElementsAre("auth.login"));
  EXPECT_THAT(keys("kind = \"oauth2\"\ngrant = \"password\"\ntoken_url = \"{{base_url}}/t\"\nclient_id = \"i\"\n"
                   "client_secret = \"s\""),
              ElementsAre("auth.user", "auth.password"));
  EXPECT_THAT(keys("kind = \"aws_sigv4\"\naccess_key = \"a\"\nsecret_key = \"s\"\nregion = \"r\""),
              ElementsAre("auth.service"));
  EXPECT_THAT(keys("kind = \"oauth\""), ElementsAre("auth.kind"));
}

// The published test suite of Signature Version 4: get-vanilla, get-vanilla-query-order-key-case and
// post-x-www-form-urlencoded.
TEST(AwsSignature, IsThatOfThePublishedExamples) {
  const carriers::AwsCredentials credentials{.access_key = "AKIDEXAMPLE",
                                             .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                             .session_token = "",
                                             .region = "us-east-1",
                                             .service = "service"};
  const auto authorization = [&](HttpRequest request) {
    sign(request, credentials, *from_iso8601("2015-08-30T12:36:00Z"));
    EXPECT_THAT(request.headers, Contains("X-Amz-Date: 20150830T123600Z"));
    return request.headers.back();
  };
  const std::string begin =
      "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=";
  HttpRequest request;
  request.url = "https://example.amazonaws.com/";
  EXPECT_EQ(authorization(request),
            begin + "host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  request.url = "https://example.amazonaws.com/?Param2=value2&Param1=value1";
  EXPECT_EQ(authorization(request),
            begin + "host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  request.method = "POST";
  request.url = "https://example.amazonaws.com/";
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = "Param1=value1";
  EXPECT_EQ(authorization(request), begin +
                                        "content-type;host;x-amz-date, "
                                        "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

TEST_F(SigningTest, AwsSignsTheRequestAsItGoesOut) {
  const HttpRequest request =
      ask(profile("url = \"{{base_url}}/{{remito}}\"",
                  "[auth]\nkind = \"aws_sigv4\"\naccess_key = \"{{settings.account}}\"\nsecret_key = "
                  "\"{{secrets.password}}\"\nregion = \"sa-east-1\"\nservice = \"execute-api\"\n"
                  "session_token = \"temporary\""));
  EXPECT_THAT(request.headers,
              ElementsAre("X-Amz-Date: 20261123T120000Z", "X-Amz-Security-Token: temporary",
                          AllOf(HasSubstr("Credential=77&1/20261123/sa-east-1/execute-api/aws4_request"),
                                HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token"))));
  EXPECT_THAT(request.headers, Each(Not(HasSubstr("hush"))));
}

}  // namespace
}  // namespace remitod::test
