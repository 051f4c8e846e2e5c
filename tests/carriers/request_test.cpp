#include "carriers/request.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "tests/carriers/profile_fixture.h"

namespace remitod::test {
namespace {

using carriers::CreateOrder;
using carriers::HttpRequest;
using carriers::RequestError;
using carriers::TrackItem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Instant now = *from_iso8601("2026-11-23T12:00:00Z");

class RequestTest : public ProfileTest {
 protected:
  /// The track request of a profile with this in its [track], which says nothing else.
  std::string tracking(std::string_view track, int batch_max = 1) {
    return "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example/a\"\nsettings = [\"account\"]\n"
           "secrets = [\"password\"]\n[limits]\nbatch_max = " +
           std::to_string(batch_max) + "\n[track]\n" + std::string(track) +
           "\n[track.answer]\nformat = \"xml\"\nshipments = \"//s\"\nremito = \"n\"\nsnapshot = true\n"
           "[track.event]\ncode = \"c\"\n";
  }

  std::string creating(std::string_view create) {
    return "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example/a\"\nsettings = [\"account\"]\n"
           "secrets = [\"password\"]\n[create]\n" +
           std::string(create) +
           "\n[create.answer]\nformat = \"xml\"\ngranted = \"//r\"\nremito_is = \"order_number\"\n";
  }

  HttpRequest track(std::string_view toml, const std::vector<TrackItem>& items) {
    const auto profile = loaded(toml);
    if (!profile) return {};
    const auto request = build_track(*profile, items, now);
    EXPECT_TRUE(request) << request.error().field << ": " << request.error().message;
    return request ? *request : HttpRequest{};
  }

  std::expected<HttpRequest, RequestError> try_create(
      std::string_view toml, std::string_view payload,
      CreateOrder order = {
          .order_number = "A-1", .parcel_group = 1, .service = "", .client_ref = "ref-1", .payload = ""}) {
    order.payload = payload;
    const auto profile = loaded(toml);
    if (!profile) return std::unexpected(RequestError{"profile", "did not load"});
    return build_create(*profile, order, now);
  }

  HttpRequest create(std::string_view toml, std::string_view payload) {
    const auto request = try_create(toml, payload);
    EXPECT_TRUE(request) << request.error().field << ": " << request.error().message;
    return request ? *request : HttpRequest{};
  }
};

constexpr std::string_view good_payload = R"({"recipient": {"name": "Ana \"la\" Paz", "phone": "999",
  "address": {"street": "Av. Perú\n123"}}, "parcels": [{"weight_kg": 0.50, "description": "té"}, {"weight_kg": "2"}],
  "platform_note": {"kept": [1, 2]}})";

TEST_F(RequestTest, TrackRequestIsFilledFromShipmentSettingsAndConstants) {
  const HttpRequest request = track(good_profile, {{.remito = "00123<&", .registered_at = now}});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://carrier.example/api/track");
  EXPECT_THAT(request.headers, ElementsAre("Content-Type: text/xml", "X-Year: 26"));
  EXPECT_EQ(request.body, "<ask account=\"77&amp;1\">\n  <number>00123&lt;&amp;</number>\n</ask>");
  EXPECT_FALSE(request.fresh_connection);
  ASSERT_TRUE(request.options);
  EXPECT_EQ(request.options->basic_password, "hush-hush");
}

TEST_F(RequestTest, ValuesAreEscapedByWhereTheyStand) {
  const std::string remito = "a\"b\\c<d>&'é /+%";
  const auto body = [&](const std::string& format) {
    return track(tracking("method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"" + format +
                          "\"\nbody = '{{remito}}'"),
                 {{.remito = remito, .registered_at = now}})
        .body;
  };
  EXPECT_EQ(body("xml"), "a&quot;b\\c&lt;d&gt;&amp;&apos;é /+%");
  EXPECT_EQ(body("json"), "a\\\"b\\\\c<d>&'é /+%");
  EXPECT_EQ(body("url"), "a%22b%5Cc%3Cd%3E%26%27%C3%A9%20%2F%2B%25");
  EXPECT_EQ(body("none"), remito);
}

TEST_F(RequestTest, BaseUrlIsVerbatimInAUrlAndEscapedElsewhere) {
  settings_.base_url = "https://test.example:8443/x%20y/?";  // a '?' does not belong there
  EXPECT_FALSE(load(good_profile));
  settings_.base_url = "https://test.example:8443/x%20y&z//";
  const HttpRequest request =
      track(tracking("method = \"POST\"\nurl = \"{{base_url}}/{{remito}}?from={{settings.account}}\"\n"
                     "headers = { Origin = \"{{base_url}}\" }\nbody_format = \"xml\"\nbody = \"{{base_url}}\""),
            {{.remito = "9/9", .registered_at = now}});
  EXPECT_EQ(request.url, "https://test.example:8443/x%20y&z/9%2F9?from=77%261");
  EXPECT_THAT(request.headers, ElementsAre("Origin: https://test.example:8443/x%20y&z"));
  EXPECT_EQ(request.body, "https://test.example:8443/x%20y&amp;z");
}

TEST_F(RequestTest, RegistrationIsADayInTheCarriersZone) {
  const HttpRequest request =
      track(tracking("url = \"{{base_url}}/{{registered_yy}}/{{registered_yyyy}}/{{registered_date}}/{{remito}}\""),
            {{.remito = "1", .registered_at = *from_iso8601("2027-01-01T04:59:59Z")}});
  EXPECT_EQ(request.url, "https://c.example/a/26/2026/2026-12-31/1") << "Lima is five hours behind";
}

TEST_F(RequestTest, BatchRepeatsItemsWithACommaBetweenThem) {
  const std::string toml = tracking(R"toml(method = "POST"
url = "{{base_url}}?ids={{#items}}{{remito}}{{#comma}},{{/comma}}{{/items}}"
headers = { "X-Ids" = "{{#items}}{{remito}};{{/items}}" }
body_format = "json"
body = '{"user":"{{settings.account}}","list":[{{#items}}{"id":"{{remito}}","day":"{{registered_date}}" }{{#comma}}, {{/comma}}{{/items}}]}')toml",
                                    3);
  const Instant later = *from_iso8601("2026-12-24T12:00:00Z");
  const HttpRequest three = track(toml, {{"1", now}, {"\"2", later}, {"3", now}});
  EXPECT_EQ(three.url, "https://c.example/a?ids=1,%222,3");
  EXPECT_THAT(three.headers, ElementsAre("X-Ids: 1;\"2;3;"));
  EXPECT_EQ(three.body, R"({"user":"77&1","list":[{"id":"1","day":"2026-11-23" }, )"
                        R"({"id":"\"2","day":"2026-12-24" }, {"id":"3","day":"2026-11-23" }]})");
  EXPECT_TRUE(nlohmann::json::accept(three.body));
  EXPECT_EQ(track(toml, {{"1", now}}).body, R"({"user":"77&1","list":[{"id":"1","day":"2026-11-23" }]})");
}

TEST_F(RequestTest, DocumentInsideATextIsEscapedTwice) {
  const auto body = [&](const std::string& format, const std::string& text) {
    return track(tracking("method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"" + format + "\"\nbody = '''" +
                          text + "'''"),
                 {{.remito = "<\"", .registered_at = now}})
        .body;
  };
  EXPECT_EQ(body("xml", "<a>{{#as_xml_text}}<b>{{remito}}&amp;{{settings.account}}</b>{{/as_xml_text}}</a>"),
            "<a>&lt;b&gt;&amp;lt;&amp;quot;&amp;amp;77&amp;amp;1&lt;/b&gt;</a>");
  EXPECT_EQ(body("json", R"({"a":"{{#as_json_text}}{"b":"{{remito}}"}{{/as_json_text}}"})"),
            R"({"a":"{\"b\":\"<\\\"\"}"})");
  EXPECT_EQ(body("xml", R"(<a>{{#as_json_text}}{"b":"{{remito}}"}{{/as_json_text}}</a>)"),
            R"(<a>{&quot;b&quot;:&quot;&lt;\&quot;&quot;}</a>)")
      << "JSON inside, XML around it";
  EXPECT_EQ(body("url", "x={{#as_xml_text}}<b>{{remito}}</b>{{/as_xml_text}}"),
            "x=%3Cb%3E%26lt%3B%26quot%3B%3C%2Fb%3E");
  EXPECT_EQ(body("json", "{{#as_json_text}}{{#items}}{{remito}}{{#comma}},{{/comma}}{{/items}}{{/as_json_text}}"),
            R"(<\\\")");
}

TEST_F(RequestTest, HeaderAuthenticationGoesIntoBothOperations) {
  const std::string toml =
      with(good_profile, "kind = \"basic\"\nuser = \"{{settings.account}}\"\npassword = \"{{secrets.password}}\"",
           "kind = \"header\"\nheaders = { \"api-key\" = \"{{secrets.password}}\" }");
  EXPECT_THAT(track(toml, {{"1", now}}).headers, testing::Contains("api-key: hush-hush"));
  EXPECT_THAT(create(toml, good_payload).headers, testing::Contains("api-key: hush-hush"));
}

TEST_F(RequestTest, TrackRequestWithALineBreakOrWithoutANumberIsRefused) {
  const auto profile = loaded(good_profile);
  for (const std::string_view remito : {"", "  ", "1\r\nX: 2",
                                        "1\x01"
                                        "a\x02"}) {
    const TrackItem items[] = {{.remito = remito, .registered_at = now}};
    const auto request = build_track(*profile, items, now);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().field, "remito");
    EXPECT_THAT(request.error().message, Not(HasSubstr("X: 2")));
  }
  EXPECT_FALSE(build_track(*profile, {}, now));
}

TEST_F(RequestTest, CreateRequestIsFilledFromTheOrder) {
  const HttpRequest request = create(good_profile, good_payload);
  EXPECT_EQ(request.url, "https://carrier.example/api/orders?ref=ref-1");
  EXPECT_THAT(request.headers, ElementsAre("Content-Type: application/json", "X-Order: A-1"))
      << "a header without a value is left out";
  EXPECT_TRUE(request.fresh_connection);
  EXPECT_EQ(request.body, R"({"order":"A-1","name":"Ana \"la\" Paz","street":"Av. Perú\u000A123",)"
                          R"("weights":[{"kg":0.50,"what":"té"},{"kg":2,"what":""},null]})")
      << "digits stay, an optional field that is missing is nothing";
  EXPECT_TRUE(nlohmann::json::accept(request.body));
}

TEST_F(RequestTest, SectionIsThereWhereItsFieldIs) {
  const auto body = [&](const std::string& floor) {
    return create(good_profile, R"({"recipient": {"name": "Ana", "address": {"street": "S", "floor": )" + floor +
                                    R"(}}, "parcels": [{"weight_kg": 1}]})")
        .body;
  };
  EXPECT_THAT(body("\"3\""), HasSubstr(R"("floor":"3")"));
  for (const char* nothing : {"null", "\"\"", "\"  \""}) EXPECT_THAT(body(nothing), Not(HasSubstr("floor")));
}

struct BadPayload {
  std::string name, payload, field, message;
};
void PrintTo(const BadPayload& bad, std::ostream* out) {
  *out << bad.name;
}
class RefusedPayload : public RequestTest, public testing::WithParamInterface<BadPayload> {};

TEST_P(RefusedPayload, NamesTheFieldAndWhatWasExpected) {
  const auto request = try_create(good_profile, GetParam().payload);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().field, GetParam().field);
  EXPECT_THAT(request.error().message, HasSubstr(GetParam().message));
}

std::string payload_with(const std::string& recipient, const std::string& parcels) {
  return R"({"recipient": )" + recipient + R"(, "parcels": )" + parcels + "}";
}
const std::string ana = R"({"name": "Ana", "address": {"street": "S"}})";

INSTANTIATE_TEST_SUITE_P(
    Everything, RefusedPayload,
    testing::Values(
        BadPayload{"NoJson", "{\"recipient\": ", "payload", "not valid JSON"},
        BadPayload{"NoObject", "[]", "payload", "JSON object"},
        BadPayload{"KeyTwice", R"({"notes": "a", "notes": "b"})", "payload", "twice"},
        BadPayload{"TooDeep", std::string(1000, '[') + std::string(1000, ']'), "payload", "deeper"},
        BadPayload{"NoUtf8", "{\"notes\": \"\xF1\"}", "payload", "not valid JSON"},
        BadPayload{"Missing", payload_with(R"({"name": "Ana"})", "[{\"weight_kg\": 1}]"), "recipient.address.street",
                   "Carrier requires it"},
        BadPayload{"Null", payload_with(R"({"name": null, "address": {"street": "S"}})", "[{\"weight_kg\": 1}]"),
                   "recipient.name", "missing or empty"},
        BadPayload{"Blank", payload_with(R"({"name": " \t", "address": {"street": "S"}})", "[{\"weight_kg\": 1}]"),
                   "recipient.name", "missing or empty"},
        BadPayload{"NoParcels", payload_with(ana, "[]"), "parcels.0.weight_kg", "missing or empty"},
        BadPayload{"SecondParcelWithoutWeight", payload_with(ana, R"([{"weight_kg": 1}, {}])"), "parcels.1.weight_kg",
                   "missing or empty"},
        BadPayload{"WeightOfLetters", payload_with(ana, R"([{"weight_kg": "heavy"}])"), "parcels.0.weight_kg",
                   "expected a number"},
        BadPayload{"WeightWithExponent", payload_with(ana, R"([{"weight_kg": 1e3}])"), "parcels.0.weight_kg",
                   "expected a number"},
        BadPayload{"NegativeWeight", payload_with(ana, R"([{"weight_kg": -1}])"), "parcels.0.weight_kg",
                   "zero or more"},
        BadPayload{"WeightOfTruth", payload_with(ana, R"([{"weight_kg": true}])"), "parcels.0.weight_kg",
                   "expected a number"},
        BadPayload{"ParcelsAsObject", payload_with(ana, R"({"weight_kg": 1})"), "parcels", "list of parcels"},
        BadPayload{"ParcelAsNumber", payload_with(ana, "[1]"), "parcels.0", "expected an object"},
        BadPayload{"PartyAsText", payload_with("\"Ana\"", "[]"), "recipient", "expected an object"},
        BadPayload{"NumberAsText", payload_with(R"({"name": "Ana", "address": {"ubigeo": 10101}})", "[]"),
                   "recipient.address.ubigeo", "leading zeros"},
        BadPayload{"ControlInAHeader",
                   R"({"notes": "a\r\nX: b", )" + payload_with(ana, "[{\"weight_kg\": 1}]").substr(1), "notes",
                   "line break"}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(RequestTest, RefusalNeverQuotesThePayload) {
  for (const std::string_view payload :
       {R"({"recipient": {"name": "Ana Paz"}, "parcels": "Ana Paz"})", R"({"recipient": {"name": "Ana Paz)",
        R"({"recipient": {"phone": "Ana Paz"}})"}) {
    const auto request = try_create(good_profile, payload);
    ASSERT_FALSE(request);
    EXPECT_THAT(request.error().field + request.error().message, Not(HasSubstr("Ana Paz")));
  }
}

TEST_F(RequestTest, OrderNumberIsNeitherEmptyNorBrokenOverLines) {
  for (const std::string_view number : {"", " ", "A\r\nHost: evil"}) {
    const auto request =
        try_create(good_profile, good_payload,
                   {.order_number = number, .parcel_group = 1, .service = "", .client_ref = "r", .payload = ""});
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().field, "order_number");
  }
}

TEST_F(RequestTest, HeaderThatAFunctionBreaksOverLinesIsRefusedAndNotTriedForEver) {
  const auto request = try_create(creating("url = \"{{base_url}}\"\nrequired = [\"notes\"]\n"
                                           "headers = { X-Note = \"{{#upper}}{{notes}}{{/upper}}\" }"),
                                  R"({"notes": "a\r\nX-Admin: b"})");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().field, "headers");
}

TEST_F(RequestTest, ServiceMayBeRequired) {
  const std::string toml = creating(
      "method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"url\"\nrequired = [\"service\"]\n"
      "body = \"s={{service}}&g={{parcel_group}}\"");
  const auto refused = try_create(toml, "{}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "service");
  const auto request = try_create(
      toml, "{}", {.order_number = "1", .parcel_group = 2, .service = "next day", .client_ref = "r", .payload = ""});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, "s=next%20day&g=2");
}

TEST_F(RequestTest, FieldOfAnOrderIsCutWhereverItStands) {
  const std::string toml = creating(R"toml(method = "POST"
url = "{{base_url}}/{{#first_4}}{{recipient.name}}{{/first_4}}"
body_format = "json"
optional = ["recipient.name", "recipient.phone", "parcels.0.description"]
body = '''{"to":"{{#first_5}}{{recipient.name}}{{/first_5}}","tel":"{{#last_9}}{{#digits}}{{recipient.phone}}{{/digits}}{{/last_9}}"{{#parcels}},"what":"{{#first_2}}{{description}}{{/first_2}}"{{/parcels}}}'''
)toml");
  const HttpRequest request = create(toml, R"({"recipient": {"name": "Ana \"la\" Paz", "phone": "+51 987 654 321"},
      "parcels": [{"description": "téé"}]})");
  EXPECT_EQ(request.url, "https://c.example/a/Ana%20");
  EXPECT_EQ(request.body, R"({"to":"Ana \"","tel":"987654321","what":"té"})");
}

TEST_F(RequestTest, ParcelNeverShowsAFieldOfTheOrder) {
  const std::string toml = creating(
      "method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"url\"\n"
      "optional = [\"declared_value\", \"parcels.*.declared_value\"]\n"
      "body = \"{{declared_value}}:{{#parcels}}[{{declared_value}}]{{/parcels}}{{parcels.1.declared_value}}\"");
  EXPECT_EQ(create(toml, R"({"declared_value": 30.10, "parcels": [{}, {"declared_value": 10.00}]})").body,
            "30.10:[][10.00]10.00");
}

TEST_F(RequestTest, PlatformsOwnFieldIsTakenWhereAProfileDeclaresIt) {
  const std::string toml = creating(
      "method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"json\"\nrequired = [\"pickup.code\"]\n"
      "body = \"{{pickup.code}}\"");
  EXPECT_EQ(create(toml, R"({"pickup": {"code": "P7", "secret": "x"}})").body, "P7");
  EXPECT_FALSE(try_create(toml, R"({"pickup": "P7"})"));
}

TEST_F(RequestTest, OrderInAnXmlTextSurvivesBothEscapings) {
  const std::string toml = creating(R"toml(method = "POST"
url = "{{base_url}}"
body_format = "xml"
required = ["recipient.name"]
body = '''
<order><doc>
{{#as_xml_text}}
<who name="{{recipient.name}}"/>
{{/as_xml_text}}
</doc></order>''')toml");
  const std::string body = create(toml, R"({"recipient": {"name": "<Ñ & \"Co\"> 'x'"}})").body;
  pugi::xml_document outer, inner;
  ASSERT_TRUE(outer.load_string(body.c_str())) << body;
  ASSERT_TRUE(inner.load_string(outer.child("order").child_value("doc"))) << body;
  EXPECT_STREQ(inner.child("who").attribute("name").value(), "<Ñ & \"Co\"> 'x'");
}

TEST_F(RequestTest, ControlCharactersOfAPayloadNeverReachABody) {
  const std::string toml = creating(
      "method = \"POST\"\nurl = \"{{base_url}}\"\nbody_format = \"xml\"\nrequired = [\"notes\"]\n"
      "body = \"<a>{{notes}}</a>\"");
  EXPECT_EQ(create(toml, R"({"notes": "a\u0001a\u0002\u0003b\u007fc\nd"})").body, "<a>a a  b c\nd</a>");
}

// What leaves is what went in, whatever it holds.
RC_GTEST_PROP(TrackRequest, AnyNumberIsReadBackFromXmlJsonAndUrl, ()) {
  const auto remito = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>('!', '\x7F')));
  TemporaryFolder folder;
  write_file(folder.path() / "carrier.toml", R"toml(title = "C"
zone = "UTC"
base_url = "https://c.example"
[limits]
batch_max = 2
[track]
method = "POST"
url = "{{base_url}}/{{#items}}{{remito}}/{{/items}}"
body_format = "xml"
body = '<a>{{#items}}<n>{{remito}}</n>{{#as_json_text}}"{{remito}}"{{/as_json_text}}{{/items}}</a>'
[track.answer]
format = "xml"
shipments = "//s"
remito = "n"
snapshot = true
[track.event]
code = "c"
)toml");
  const auto profile =
      carriers::load_profile(folder.path(), {.name = "c", .base_url = "", .values = {}, .secrets = {}});
  RC_ASSERT(profile.has_value());
  const TrackItem items[] = {{.remito = "first", .registered_at = now}, {.remito = remito, .registered_at = now}};
  const auto request = build_track(**profile, items, now);
  RC_ASSERT(request.has_value());
  pugi::xml_document body;
  RC_ASSERT(static_cast<bool>(body.load_string(request->body.c_str())));
  const pugi::xml_node last = body.child("a").last_child();
  RC_ASSERT(std::string(last.previous_sibling("n").child_value()) == remito);
  RC_ASSERT(nlohmann::json::parse(last.value()).get<std::string>() == remito);
  const std::string path = request->url.substr(std::string_view{"https://c.example/first/"}.size());
  RC_ASSERT(path.find_first_of("/?#& ") == path.size() - 1);
}

}  // namespace
}  // namespace remitod::test
