// How many parcels leave in a shipment, and that none is left behind.
#include "carriers/parcels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carriers/request.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::carriers {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

JsonValue order(std::string_view parcels) {
  return parse_json(R"({"parcels": )" + std::string(parcels) + "}").value();
}

std::string refusal(std::string_view parcels, const ParcelRules& rules) {
  JsonValue payload = order(parcels);
  const auto error = apply_parcel_rules(payload, rules, "Carrier");
  return error ? error->field + ": " + error->message : "";
}

std::vector<std::string> weights(const JsonValue& payload) {
  std::vector<std::string> weights;
  for (const JsonValue& parcel : payload.find("parcels")->items) weights.push_back(parcel.find("weight_kg")->text);
  return weights;
}

TEST(Parcels, MoreThanTheCarrierTakesAreRefused) {
  EXPECT_EQ(refusal(R"([{"weight_kg": 1}])", {.max = 1}), "");
  EXPECT_EQ(refusal(R"([{"weight_kg": 1}, {"weight_kg": 2}])", {.max = 1}),
            "parcels: 2 parcels, and Carrier takes at most 1 in a shipment");
  EXPECT_THAT(refusal(R"([{"weight_kg": 1, "quantity": 3}])", {.max = 2}), HasSubstr("3 parcels"));
}

TEST(Parcels, EqualOnesStandEachByThemselvesWhereTheCarrierHasNoFieldForThem) {
  JsonValue payload = order(R"([{"weight_kg": 1.50, "quantity": "2"}, {"weight_kg": 4}])");
  ASSERT_FALSE(apply_parcel_rules(payload, {.each = true}, "Carrier"));
  EXPECT_THAT(weights(payload), testing::ElementsAre("1.50", "1.50", "4"));
  for (const JsonValue& parcel : payload.find("parcels")->items) EXPECT_EQ(parcel.find("quantity"), nullptr);
}

TEST(Parcels, AreLeftAsTheyAreWhereTheCarrierDoesNotMind) {
  JsonValue payload = order(R"([{"weight_kg": 1, "quantity": 2}])");
  ASSERT_FALSE(apply_parcel_rules(payload, {}, "Carrier"));
  EXPECT_THAT(payload.find("parcels")->items, SizeIs(1));
  EXPECT_EQ(payload.find("parcels")->items[0].find("quantity")->text, "2");
}

TEST(Parcels, AQuantityIsAWholeNumberWithinReason) {
  for (const char* quantity : {"0", "1.5", "1001", "99999999999", "-1"}) {
    EXPECT_THAT(refusal(R"([{"quantity": 1}, {"quantity": )" + std::string(quantity) + "}]", {.each = true}),
                HasSubstr("parcels.1.quantity: expected a whole number"))
        << quantity;
  }
}

TEST(Parcels, MayBeMissing) {
  JsonValue payload = JsonValue::of_object();
  EXPECT_FALSE(apply_parcel_rules(payload, {.max = 1, .each = true}, "Carrier"));
  EXPECT_EQ(refusal("[]", {.max = 1, .each = true}), "");
}

class ParcelRequest : public test::ProfileTest {
 protected:
  std::expected<HttpRequest, RequestError> request_of(std::string_view keys, std::string_view parcels) {
    const auto profile = loaded(test::with(test::good_profile, "required = [", std::string(keys) + "\nrequired = ["));
    const std::string payload =
        R"({"recipient": {"name": "Ana", "address": {"street": "Jr. Uno"}}, "parcels": )" + std::string(parcels) + "}";
    return build_create(*profile, CreateOrder{"1001", 1, "", "R1-1001", payload}, Instant{});
  }
};

TEST_F(ParcelRequest, DoesNotLeaveWithAPartOfTheParcels) {
  const auto request = request_of("parcels_max = 1", R"([{"weight_kg": 1}, {"weight_kg": 2}])");
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().field, "parcels");
}

TEST_F(ParcelRequest, ListsEachParcel) {
  const auto request = request_of("each_parcel = true", R"([{"weight_kg": 7, "quantity": 3}])");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_THAT(request->body, HasSubstr(R"({"kg":7,"what":""},{"kg":7,"what":""},{"kg":7,"what":""},null)"));
}

TEST_F(ParcelRequest, OfAQuoteIsHeldToTheSameRules) {
  const auto profile = loaded(std::string(test::good_profile) + R"toml(
[quote]
url = "{{base_url}}/quote?kg={{parcels.0.weight_kg}}"
required = ["parcels.0.weight_kg"]
parcels_max = 1
[quote.answer]
format = "json"
price = "/json/price"
currency_is = "PEN"
)toml");
  const auto quote = [&](std::string_view payload) {
    return build_quote(*profile, CreateOrder{"1001", 1, "", "", payload}, Instant{});
  };
  EXPECT_TRUE(quote(R"({"parcels": [{"weight_kg": 1}]})"));
  const auto refused = quote(R"({"parcels": [{"weight_kg": 1, "quantity": 2}]})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "parcels");
}

TEST_F(ParcelRequest, NamesTheLineOfARuleThatCannotBe) {
  const auto found = errors(test::with(test::good_profile, "required = [", "parcels_max = 0\nrequired = ["));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].key, "create.parcels_max");
}

}  // namespace
}  // namespace remitod::carriers
