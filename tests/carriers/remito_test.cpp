// Numbers given ahead and requests granted later: what profiles say of them, and what answers are read as.
#include "carriers/remito.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/carriers/small_profile.h"

namespace remitod::carriers {
namespace {

using test::head;
using test::json_answer;
using test::load_small_profile;
using testing::HasSubstr;
using Kind = ConfirmAnswer::Kind;

std::string range(const std::string& keys) {
  return std::string(head) + "[create]\nremito_is = \"range\"\n[create.range]\nlow_water = 5\n" + keys;
}

std::string remito(const std::string& keys, const std::string& number) {
  return remito_of_number(*load_small_profile(range(keys)), number).value_or("left out");
}

std::string load_error(const std::string& toml) {
  try {
    load_small_profile(toml);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(RemitoNumber, IsTheNumberItselfUnlessTheProfileSaysMore) {
  EXPECT_EQ(remito("", "000400001"), "000400001");
  EXPECT_EQ(remito("number = \"PE-{{serial}}\"\n", "000400001"), "PE-000400001");
}

TEST(RemitoNumber, HasTheCheckDigitOfThePostalUnion) {
  const std::string rule =
      "number = \"RR{{serial}}{{check_digit}}PE\"\n[create.range.check_digit]\nmodulus = 11\n"
      "weights = [8, 6, 4, 2, 3, 5, 9, 7]\nfrom = \"left\"\nvalues = { \"0\" = \"5\", \"10\" = \"0\" }\n";
  EXPECT_EQ(remito(rule, "47312482"), "RR473124829PE");
  EXPECT_EQ(remito(rule, "00000000"), "RR000000005PE") << "remainder 0";
  EXPECT_EQ(remito(rule, "00000008"), "RR000000080PE") << "remainder 1: 7 * 8 = 56";
}

TEST(RemitoNumber, HasTheCheckDigitOfTradeItemsAndOfLuhn) {
  EXPECT_EQ(remito("[create.range.check_digit]\nmodulus = 10\nweights = [3, 1]\n", "400638133393"), "4006381333931");
  EXPECT_EQ(remito("[create.range.check_digit]\nmodulus = 10\nweights = [2, 1]\nadds_digits = true\n", "7992739871"),
            "79927398713");
}

TEST(RemitoNumber, MayHaveTheRemainderAsItIs) {
  EXPECT_EQ(remito("[create.range.check_digit]\nmodulus = 7\nweights = [1, 3, 2, 6, 4, 5]\nresult = \"remainder\"\n",
                   "1234567"),
            "12345675")
      << "the weights are the powers of ten modulo seven: 1234567 mod 7 = 5";
}

TEST(RemitoNumber, OfTwoDigitsWithoutAValueLeavesTheNumberOut) {
  EXPECT_EQ(remito("[create.range.check_digit]\nmodulus = 11\nweights = [1]\nresult = \"remainder\"\n", "55"),
            "left out");
}

TEST(RemitoRange, SaysWhatIsWrongWithItsKeys) {
  EXPECT_THAT(load_error(range("number = \"{{check_digit}}\"\n")), HasSubstr("check_digit"));
  EXPECT_THAT(load_error(range("number = \"fixed\"\n")), HasSubstr("all remitos would be the same"));
  EXPECT_THAT(load_error(range("[create.range.check_digit]\nmodulus = 11\n")), HasSubstr("weights"));
  EXPECT_THAT(load_error(std::string(head) + "[create]\nremito_is = \"range\"\n"), HasSubstr("go together"));
  EXPECT_THAT(load_error(range("url = \"{{base_url}}/range\"\n")), HasSubstr("create.range.answer"));
  EXPECT_THAT(load_error(range("[confirm]\nurl = \"{{base_url}}/c\"\n[confirm.answer]\nformat = \"json\"\n"
                               "granted = \"//x\"\n")),
              HasSubstr("go together"));
}

// ------------------------------------------------------------------ the operation for ranges

const std::string asked = range(
    "block_size = 250\nmethod = \"POST\"\nurl = \"{{base_url}}/ranges/{{block_size}}\"\n[create.range.answer]\n"
    "format = \"json\"\n");

TEST(RemitoRange, ThatIsTheGrantIsHeldToTheParcelsThatTheCarrierTakes) {
  const auto profile = load_small_profile(std::string(head) +
                                          "[create]\nremito_is = \"range\"\nparcels_max = 1\n"
                                          "[create.range]\nlow_water = 5\n");
  const auto checked = [&](std::string_view parcels) {
    const std::string payload = R"({"parcels": )" + std::string(parcels) + "}";
    return check_order(*profile, CreateOrder{"1001", 1, "", "R1-1001", payload});
  };
  EXPECT_TRUE(checked(R"([{"weight_kg": 1}])"));
  const auto two = checked(R"([{"weight_kg": 1, "quantity": 2}])");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().field, "parcels");
}

TEST(RemitoRange, IsAskedForOverAConnectionOfItsOwn) {
  const auto profile = load_small_profile(asked + "numbers = \"//n\"\n");
  ASSERT_TRUE(range_needs(*profile)->can_ask);
  EXPECT_FALSE(range_needs(*profile)->tells_carrier);
  const auto request = build_range(*profile, Instant{});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://carrier.example/ranges/250");
  EXPECT_TRUE(request->fresh_connection);
}

TEST(RemitoRange, IsReadAsFirstAndLastOrAsAList) {
  const auto ends = load_small_profile(asked + "first = \"//first\"\nlast = \"//last\"\n");
  const auto block = map_range(*ends, json_answer(R"({"first":"0001","last":"0250"})"));
  ASSERT_TRUE(block);
  ASSERT_EQ(block->size(), 1u);
  EXPECT_EQ(block->front().first, "0001");
  EXPECT_EQ(block->front().last, "0250");
  const auto list = map_range(*load_small_profile(asked + "numbers = \"//n\"\n"), json_answer(R"({"n":["07","09"]})"));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->back().first, "09");
  EXPECT_EQ(list->back().last, "09");
}

TEST(RemitoRange, WithoutNumbersIsTrouble) {
  const auto profile = load_small_profile(asked + "first = \"//first\"\nlast = \"//last\"\n");
  for (const char* body : {R"({"first":"0001"})", R"({"message":"later"})", "", "<html>busy</html>"})
    EXPECT_FALSE(map_range(*profile, json_answer(body))) << body;
  EXPECT_EQ(map_range(*profile, json_answer("{}", 503)).error().kind, CarrierTrouble::Kind::http_status);
}

// ------------------------------------------------------------------ granted later

const std::string later = std::string(head) + R"toml(
[create]
method = "POST"
url = "{{base_url}}/create"
[create.answer]
format = "json"
accepted = "/json/state = 'asked'"
accepted_statuses = [201]
granted = "/json/state = 'made'"
refused = "/json/state = 'no'"
remito = "/json/number"
[confirm]
url = "{{base_url}}/confirm/{{client_ref}}/{{remito}}"
[confirm.answer]
format = "json"
pending_statuses = [404]
granted = "/json/state = 'made'"
refused = "/json/state = 'no'"
pending = "/json/state = 'asked'"
remito = "/json/number"
refusal_text = "/json/why"
)toml";

const CreateOrder order{"MP-417", 1, "", "R7-MP417", "{}", "0088"};

ConfirmAnswer confirmed(const std::string& body, int status = 200, const CreateOrder& of = order) {
  return map_confirm(*load_small_profile(later), json_answer(body, status), of);
}

CreateAnswer created(const std::string& body, int status) {
  return map_create(*load_small_profile(later), json_answer(body, status), {"MP-417", 1, "", "R7-MP417", "{}"});
}

TEST(Acceptance, IsSaidByTheDocumentOrByTheStatusAlone) {
  EXPECT_EQ(created(R"({"state":"asked","number":"0088"})", 200).kind, CreateAnswer::Kind::accepted);
  EXPECT_EQ(created(R"({"state":"asked","number":"0088"})", 200).remito, "0088");
  EXPECT_EQ(created("", 201).kind, CreateAnswer::Kind::accepted);
  EXPECT_EQ(created("", 200).kind, CreateAnswer::Kind::unknown);
  EXPECT_EQ(created(R"({"state":"made","number":"0088"})", 201).kind, CreateAnswer::Kind::granted);
  EXPECT_EQ(created(R"({"state":"no"})", 201).kind, CreateAnswer::Kind::refused);
  EXPECT_EQ(created(R"({"state":"asked"})", 500).kind, CreateAnswer::Kind::unknown);
}

TEST(Confirmation, NamesTheNumberThatCameWithTheAcceptance) {
  const auto request = build_confirm(*load_small_profile(later), order, Instant{});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://carrier.example/confirm/R7-MP417/0088");
}

TEST(Confirmation, GrantsRefusesOrIsPending) {
  EXPECT_EQ(confirmed(R"({"state":"made","number":"0099"})").remito, "0099");
  EXPECT_EQ(confirmed(R"({"state":"made"})").remito, "0088") << "the number of the acceptance";
  EXPECT_EQ(confirmed(R"({"state":"no","why":"sin cobertura"})").kind, Kind::refused);
  EXPECT_EQ(confirmed(R"({"state":"no","why":"sin cobertura"})", 422).refusal_text, "sin cobertura");
  EXPECT_EQ(confirmed(R"({"state":"asked"})").kind, Kind::pending);
  EXPECT_EQ(confirmed("nothing here", 404).kind, Kind::pending);
}

TEST(Confirmation, OfANumberOfARangeUnderAnotherIsUnclear) {
  const auto profile = load_small_profile(std::string(head) + R"toml(
[create]
remito_is = "range"
method = "POST"
url = "{{base_url}}/create/{{remito}}"
[create.range]
low_water = 5
[create.answer]
format = "json"
accepted_statuses = [202]
remito = "/json/number"
[confirm]
url = "{{base_url}}/confirm/{{remito}}"
[confirm.answer]
format = "json"
granted = "/json/state = 'made'"
remito = "/json/number"
)toml");
  const auto confirmed_as = [&](const std::string& body) { return map_confirm(*profile, json_answer(body), order); };
  EXPECT_EQ(confirmed_as(R"({"state":"made","number":88})").kind, Kind::unclear) << "without its zeros";
  EXPECT_EQ(confirmed_as(R"({"state":"made","number":88})").refusal_text,
            "granted as 88, but it was given the number 0088");
  EXPECT_EQ(confirmed_as(R"({"state":"made","number":"0088"})").remito, "0088");
  EXPECT_EQ(confirmed_as(R"({"state":"made"})").remito, "0088");
  EXPECT_EQ(map_create(*profile, json_answer(R"({"number":88})", 202), order).kind, CreateAnswer::Kind::unknown);
  EXPECT_EQ(map_create(*profile, json_answer(R"({"number":"0088"})", 202), order).remito, "0088");
}

TEST(Confirmation, IsUnclearWhateverIsNotSaidClearly) {
  for (const char* body : {R"({"state":"other"})", R"({"sta)", "", "<html>busy</html>"}) {
    EXPECT_EQ(confirmed(body).kind, Kind::unclear) << body;
    EXPECT_NE(confirmed(body).refusal_text, "") << body;
  }
  for (const int status : {401, 403, 429, 500, 503})
    EXPECT_EQ(confirmed(R"({"state":"made","number":"1"})", status).kind, Kind::unclear) << status;
  EXPECT_EQ(confirmed(R"({"state":"made"})", 200, {"MP-417", 1, "", "R7", "{}"}).kind, Kind::unclear);
  EXPECT_EQ(confirmed(R"({"state":"made","number":")" + std::string(101, '7') + "\"}").kind, Kind::unclear);
}

}  // namespace
}  // namespace remitod::carriers
