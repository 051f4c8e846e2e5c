// find, cancel and quote: their requests, and what is told apart in their answers.
#include "carriers/operations.h"

#include <gmock/gmock.h>

#include "carriers/paging.h"
#include "carriers/promises.h"
#include "carriers/request.h"
#include "tests/carriers/profile_fixture.h"
#include "tests/carriers/small_profile.h"

namespace remitod::test {
namespace {

using carriers::CancelAnswer;
using carriers::CancelLookupAnswer;
using carriers::CreateOrder;
using carriers::FindAnswer;
using carriers::QuoteAnswer;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const Instant now = *from_iso8601("2026-11-23T12:00:00Z");

constexpr std::string_view head_of_operations = R"toml(title = "C"
zone = "America/Lima"
base_url = "https://c.example"
settings = ["account"]
secrets = ["password"]
[create]
method = "POST"
url = "{{base_url}}/orders"
body_format = "json"
body = '{}'
[create.answer]
format = "json"
granted = "true()"
remito = "/json/n"
)toml";

class OperationsTest : public ProfileTest {
 protected:
  std::shared_ptr<const carriers::Profile> profile(std::string_view operation) {
    return loaded(std::string(head_of_operations) + std::string(operation));
  }
};

constexpr std::string_view find = R"toml([find]
url = "{{base_url}}/orders?ref={{client_ref}}&order={{order_number}}"
timeout = "7 s"
[find.answer]
format = "json"
found = "/json/orders/id"
not_found = "/json/count = 0"
remito = ["/json/orders/number", "/json/orders/id"]
error = "/json/message"
)toml";

TEST_F(OperationsTest, FindAsksByOurReference) {
  const auto request = build_find(*profile(find), {.order_number = "7/1", .client_ref = "r 1", .payload = "{}"}, now);
  ASSERT_TRUE(request) << request.error().field << request.error().message;
  EXPECT_EQ(request->url, "https://c.example/orders?ref=r%201&order=7%2F1");
  EXPECT_EQ(request->timeout, std::chrono::seconds{7});
  EXPECT_FALSE(request->fresh_connection) << "asking twice makes nothing";
}

TEST_F(OperationsTest, FindTellsFoundNotFoundAndUnclearApart) {
  const auto loaded_profile = profile(find);
  const auto said = [&](const std::string& body, int status = 200) {
    return map_find(*loaded_profile, json_answer(body, status));
  };
  EXPECT_EQ(said(R"({"orders": [{"id": 7, "number": "0042"}]})").remito, "0042");
  EXPECT_EQ(said(R"({"orders": [{"id": 7}]})").kind, FindAnswer::Kind::found);
  EXPECT_EQ(said(R"({"count": 0})").kind, FindAnswer::Kind::not_found);
  EXPECT_EQ(said(R"({"count": 0})", 404).kind, FindAnswer::Kind::not_found);
  for (const auto& [body, status] : {std::pair{R"({"count": 0, "orders": [{"id": 7}]})", 200},
                                     {R"({"orders": [{"id": 7}]})", 500},
                                     {R"({"count": 1})", 200},
                                     {"<html>", 200},
                                     {"", 404},
                                     {R"({"message": "busy"})", 503}}) {
    EXPECT_EQ(said(body, status).kind, FindAnswer::Kind::unclear) << body;
    EXPECT_EQ(said(body, status).remito, "") << body;
  }
  EXPECT_EQ(said(R"({"message": "busy"})", 503).text, "HTTP 503: busy");
  EXPECT_EQ(said(R"({"orders": [{"id": ")" + std::string(101, '1') + "\"}]}").kind, FindAnswer::Kind::unclear)
      << "a part of a number is another's";
}

constexpr std::string_view search = R"toml([find]
url = "{{base_url}}/search?q={{client_ref}}"
visible_after = "90 s"
[find.answer]
format = "json"
found = "/json/orders"
not_found = "/json/count = 0"
shipments = "/json/orders"
remito = "number"
reference = "reference"
parcels = "parcels"
)toml";

TEST_F(OperationsTest, OfSeveralThatAreFoundOnlyOursCounts) {
  const auto loaded_profile = profile(search);
  const auto said = [&](const std::string& orders) {
    return map_find(*loaded_profile, json_answer("{\"orders\": [" + orders + "]}"), "R7-1001");
  };
  const std::string ours = R"({"number": "0042", "reference": "R7-1001", "parcels": 3})";
  const std::string another = R"({"number": "0043", "reference": "R7-10012"})";
  EXPECT_EQ(said(another + "," + ours).remito, "0042");
  EXPECT_EQ(said(ours).parcels, 3);
  EXPECT_EQ(said(ours + "," + ours).kind, FindAnswer::Kind::found) << "the same one twice";
  EXPECT_EQ(said(another).kind, FindAnswer::Kind::not_found);
  const std::string nameless = R"({"number": "0044", "reference": null})";
  EXPECT_EQ(said(another + "," + nameless).kind, FindAnswer::Kind::unclear) << "it may be ours";
  EXPECT_EQ(said(nameless + "," + ours).remito, "0042");
  const FindAnswer two = said(ours + R"(,{"number": "0099", "reference": "R7-1001"})");
  EXPECT_EQ(two.kind, FindAnswer::Kind::several);
  EXPECT_EQ(two.text, "0042 and 0099");
  EXPECT_EQ(said(R"({"reference": "R7-1001"})").kind, FindAnswer::Kind::unclear) << "without a number";
  EXPECT_EQ(map_find(*loaded_profile, json_answer("{\"orders\": [" + another + "]}")).remito, "0043")
      << "a sample has no reference of ours";
}

TEST_F(OperationsTest, PromisesAreWhatTheProfileStates) {
  EXPECT_FALSE(promises(*profile("")).can_find);
  EXPECT_EQ(promises(*profile("")).key_window, std::nullopt);
  EXPECT_TRUE(promises(*profile(find)).can_find);
  EXPECT_EQ(promises(*profile(find)).visible_after, std::nullopt);
  EXPECT_EQ(promises(*profile(search)).visible_after, std::chrono::seconds{90});
  EXPECT_EQ(carriers::parcels_of(R"({"parcels": [{"quantity": 2}, {}]})"), 3);
  EXPECT_EQ(carriers::parcels_of("{}"), std::nullopt);
}

TEST_F(OperationsTest, APromiseOfOneShipmentForAKeyWantsTheKeyInTheRequest) {
  const auto of_create = [this](std::string_view keys) {
    std::string text(head_of_operations);
    const std::string_view body = "body = '{}'";
    text.replace(text.find(body), body.size(), "body = '{\"ref\": \"{{client_ref}}\"}'\n" + std::string(keys));
    return text;
  };
  const auto words = [this](const std::string& text) {
    std::string all;
    for (const carriers::ProfileError& error : errors(text)) all += error.to_string() + "\n";
    return all;
  };
  const auto stated = of_create("is_idempotent_by = \"client_ref\"\nkey_window = \"24 h\"");
  EXPECT_EQ(promises(*loaded(stated)).key_window, std::chrono::hours{24});
  EXPECT_THAT(words(of_create("is_idempotent_by = \"order_number\"\nkey_window = \"24 h\"")),
              HasSubstr("neither url, headers nor body name {{order_number}}"));
  const auto alike = of_create("is_idempotent_by = \"order_number\"\nkey_window = \"24 h\"");
  EXPECT_THAT(words(with(alike, "{\"ref\": ", "{\"order_number\": ")), HasSubstr("neither url, headers nor body name"))
      << "a field of the carrier's that is called so is no key";
  EXPECT_THAT(words(of_create("is_idempotent_by = \"client_ref\"")), HasSubstr("create.key_window"));
  EXPECT_THAT(words(of_create("key_window = \"24 h\"")), HasSubstr("create.is_idempotent_by"));
}

constexpr std::string_view cancel = R"toml([cancel]
method = "DELETE"
url = "{{base_url}}/orders/{{remito}}"
[cancel.answer]
format = "json"
accepted = "/json/state = 'cancelled'"
refused = "/json/error"
refusal_code = "/json/error/code"
refusal_text = "/json/error/text"
)toml";

TEST_F(OperationsTest, CancelNamesTheShipmentAndIsSentOnce) {
  const auto loaded_profile = profile(cancel);
  const auto request = build_cancel(*loaded_profile, {.remito = "A/1"}, now);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "DELETE");
  EXPECT_EQ(request->url, "https://c.example/orders/A%2F1");
  EXPECT_TRUE(request->fresh_connection);
  EXPECT_EQ(build_cancel(*loaded_profile, {}, now).error().field, "remito");
  EXPECT_EQ(build_cancel(*loaded_profile, {.remito = "1\n2"}, now).error().field, "remito");
}

TEST_F(OperationsTest, CancelTellsAcceptedRefusedAndUnclearApart) {
  const auto loaded_profile = profile(cancel);
  const auto said = [&](const std::string& body, int status = 200) {
    return map_cancel(*loaded_profile, json_answer(body, status));
  };
  EXPECT_EQ(said(R"({"state": "cancelled"})").kind, CancelAnswer::Kind::accepted);
  const CancelAnswer refused = said(R"({"error": {"code": "E7", "text": "ya salió"}})", 409);
  EXPECT_EQ(refused.kind, CancelAnswer::Kind::refused);
  EXPECT_EQ(refused.refusal_code, "E7");
  EXPECT_EQ(refused.refusal_text, "ya salió");
  for (const auto& [body, status] : {std::pair{R"({"state": "cancelled"})", 502},
                                     {R"({"state": "open"})", 200},
                                     {R"({"state": "cancelled", "error": {"code": 1}})", 200},
                                     {"{", 200},
                                     {"", 204}})
    EXPECT_EQ(said(body, status).kind, CancelAnswer::Kind::unclear) << body;
}

TEST_F(OperationsTest, ACancelThatNobodyLookedAtIsToBeTriedAgain) {
  const auto loaded_profile = profile(std::string(cancel) +
                                      "try_again_statuses = [503]\ntry_again = \"/json/busy\"\n"
                                      "auth_error = \"/json/who\"\n");
  const auto said = [&](const std::string& body, int status) {
    return map_cancel(*loaded_profile, json_answer(body, status));
  };
  for (const auto& [body, status] : {std::pair{"", 401},
                                     {R"({"state": "?"})", 429},
                                     {"<html/>", 503},
                                     {R"({"busy": true})", 200},
                                     {R"({"who": "?"})", 500}}) {
    EXPECT_EQ(said(body, status).kind, CancelAnswer::Kind::try_again) << body;
    EXPECT_NE(said(body, status).refusal_text, "") << body;
  }
  EXPECT_EQ(said(R"({"busy": true, "state": "cancelled"})", 200).kind, CancelAnswer::Kind::accepted);
  EXPECT_EQ(said(R"({"error": {"code": "E7"}})", 503).kind, CancelAnswer::Kind::refused);
  EXPECT_EQ(said("{}", 502).kind, CancelAnswer::Kind::unclear);
}

constexpr std::string_view cancel_by_own_number = R"toml([cancel.lookup]
url = "{{base_url}}/orders?number={{remito}}"
[cancel.lookup.answer]
format = "json"
error = "/json/message"
shipment_id = "/json/orders/id"
[cancel]
method = "DELETE"
url = "{{base_url}}/orders/{{shipment_id}}?number={{remito}}"
[cancel.answer]
format = "json"
accepted = "/json/done"
)toml";

TEST_F(OperationsTest, CancelLooksUpTheCarriersOwnNumberFirst) {
  const auto loaded_profile = profile(cancel_by_own_number);
  ASSERT_TRUE(cancel_has_lookup(*loaded_profile));
  EXPECT_FALSE(cancel_has_lookup(*profile(cancel)));
  const auto lookup = build_cancel_lookup(*loaded_profile, {.remito = "A/1"}, now);
  ASSERT_TRUE(lookup);
  EXPECT_EQ(lookup->url, "https://c.example/orders?number=A%2F1");
  EXPECT_FALSE(lookup->fresh_connection) << "asking twice cancels nothing";
  EXPECT_EQ(build_cancel(*loaded_profile, {.remito = "A/1"}, now).error().field, "shipment_id");
  const auto request = build_cancel(*loaded_profile, {.remito = "A/1", .shipment_id = "7"}, now);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://c.example/orders/7?number=A%2F1");
  EXPECT_TRUE(request->fresh_connection);
}

TEST_F(OperationsTest, CancelLookupTellsANumberOrThatThereIsNone) {
  const auto loaded_profile = profile(cancel_by_own_number);
  const auto said = [&](const std::string& body, int status = 200) {
    return map_cancel_lookup(*loaded_profile, json_answer(body, status));
  };
  EXPECT_EQ(said(R"({"orders": [{"id": 7}]})").shipment_id, "7");
  for (const auto& [body, status] : {std::pair{R"({"orders": [{"id": 7}]})", 500},
                                     {R"({"orders": []})", 200},
                                     {R"({"message": "busy"})", 503},
                                     {"", 200}}) {
    EXPECT_EQ(said(body, status).kind, CancelLookupAnswer::Kind::unclear) << body;
    EXPECT_EQ(said(body, status).shipment_id, "") << body;
  }
  EXPECT_EQ(said(R"({"message": "busy"})", 503).text, "HTTP 503: busy");
  EXPECT_EQ(said(R"({"orders": [{"id": ")" + std::string(101, '1') + "\"}]}").shipment_id, "")
      << "a part of a number is another's";
}

constexpr std::string_view quote = R"toml([quote]
method = "POST"
url = "{{base_url}}/rates"
body_format = "json"
required = ["recipient.address.ubigeo", "parcels.0.weight_kg"]
body = '''{"to":"{{recipient.address.ubigeo}}","kg":[{{#parcels}}{{weight_kg}}{{#comma}},{{/comma}}{{/parcels}}]}'''
[quote.answer]
format = "json"
price = "/json/total"
currency = "/json/currency"
days = "/json/days"
refused = "/json/coverage = 'false'"
refusal_text = "/json/why"
)toml";

TEST_F(OperationsTest, QuoteAsksWithThePartsOfAnOrderThatItNeeds) {
  const auto loaded_profile = profile(quote);
  const auto ask = [&](std::string_view payload) {
    return build_quote(*loaded_profile, {.order_number = "7", .client_ref = "", .payload = payload}, now);
  };
  const auto request = ask(R"({"recipient": {"address": {"ubigeo": "150101"}}, "parcels": [{"weight_kg": 0.50}]})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, R"({"to":"150101","kg":[0.50]})");
  EXPECT_EQ(ask(R"({"parcels": [{"weight_kg": 1}]})").error().field, "recipient.address.ubigeo");
}

TEST_F(OperationsTest, QuoteGivesAPriceWithItsDigits) {
  const auto loaded_profile = profile(quote);
  const auto said = [&](const std::string& total, const std::string& more = "") {
    return map_quote(*loaded_profile,
                     json_answer("{\"total\": " + total + ", \"currency\": \"PEN\", \"days\": 3" + more + "}"));
  };
  EXPECT_EQ(said("12.50").kind, QuoteAnswer::Kind::quoted);
  EXPECT_EQ(said("12.50").currency, "PEN");
  EXPECT_EQ(said("12.50").days, 3);
  for (const auto& [written, price] : {std::pair{"12.50", "12.50"},
                                       {"7", "7"},
                                       {"0.125", "0.125"},
                                       {"\"S/ 1,234.50\"", "1234.50"},
                                       {"\"S/. 25.9\"", "25.9"},
                                       {"\"1.234,50\"", "1234.50"},
                                       {"\"1.234.567,5\"", "1234567.5"},
                                       {"\"25,90\"", "25.90"}})
    EXPECT_EQ(said(written).price, price) << written;
  for (const char* unsure : {"\"1,234\"", "\"-5\"", "\"gratis\"", "\"\"", "null", "\"12.\"", "\"1.2.3\""})
    EXPECT_EQ(said(unsure).kind, QuoteAnswer::Kind::unclear) << unsure;
  EXPECT_EQ(said("1", ", \"coverage\": false, \"why\": \"sin cobertura\"").kind, QuoteAnswer::Kind::refused);
  EXPECT_EQ(said("1", ", \"coverage\": false, \"why\": \"sin cobertura\"").text, "sin cobertura");
}

TEST_F(OperationsTest, WhatAnOperationLacksIsNamed) {
  const auto keys = [&](std::string_view operation, std::string_view what) {
    std::vector<std::string> names;
    for (const auto& error : errors(std::string(head_of_operations) + with(operation, what, "")))
      names.push_back(error.key);
    return names;
  };
  EXPECT_THAT(keys(find, "found = \"/json/orders/id\"\n"), ElementsAre("find.answer.found"));
  EXPECT_THAT(keys(find, "remito = [\"/json/orders/number\", \"/json/orders/id\"]\n"),
              ElementsAre("find.answer.remito"));
  EXPECT_THAT(keys(cancel, "accepted = \"/json/state = 'cancelled'\"\n"), ElementsAre("cancel.answer.accepted"));
  EXPECT_THAT(keys(quote, "price = \"/json/total\"\n"), ElementsAre("quote.answer.price"));
  EXPECT_THAT(keys(quote, "currency = \"/json/currency\"\n"), ElementsAre("quote.answer.currency"));
}

}  // namespace
}  // namespace remitod::test
