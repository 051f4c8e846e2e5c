// The orders of the built-in profiles: each makes of a full order a request that its carrier can read, and none leaves
// with a hole in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "carriers/invented_account.h"
#include "carriers/request.h"
#include "tests/carriers/built_in_profiles.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

/// Everything that the contract knows, with the characters that break documents where texts are free.
constexpr std::string_view full_order = R"({
  "sender": {"name": "Tienda & Cía <Sur>", "first_name": "Rosa", "last_name": "Quispe \"R\"", "company": "Tienda & Cía",
    "document_type": "RUC", "document_number": "20000000417", "phone": "4165550100", "email": "tienda@example.com",
    "address": {"street": "Av. Primera", "number": "10", "floor": "1", "apartment": "A", "reference": "esquina",
      "district": "Centro", "province": "ON", "department": "Lima", "ubigeo": "150122", "postcode": "10117", "country": "PE",
      "latitude": -12.1, "longitude": -77.03}},
  "recipient": {"name": "Ana \"Nena\" D'Amico <R&D>", "first_name": "Ana", "last_name": "D'Amico <Ruiz>", "company": "R&D \\ Cía",
    "document_type": "DNI", "document_number": "00012345", "phone": "4165550199", "email": "ana@example.com",
    "address": {"street": "Calle \"Ñandú\" & 2", "number": "5", "floor": "2", "apartment": "B", "reference": "Portón\nverde",
      "district": "San Isidro", "province": "BC", "department": "Lima", "ubigeo": "150131", "postcode": "28195", "country": "PE",
      "latitude": -12.09, "longitude": -77.05}},
  "parcels": [{"weight_kg": 0.50, "length_cm": 20, "width_cm": 15, "height_cm": 10.5, "description": "Té \"fino\" <1>", "quantity": 1,
    "declared_value": 25.90}],
  "declared_value": 25.90, "currency": "PEN", "cash_on_delivery": 25.90, "notes": "Tocar \"dos\" veces & esperar"
})";

/// Numbers for all settings: some carriers want theirs bare.
std::shared_ptr<const Profile> profile_with_numbers(const std::string& carrier) {
  const std::filesystem::path folder = test::source_dir() / "carriers" / "profiles" / carrier;
  CarrierSettings account = invented_account(folder);
  for (auto& [key, value] : account.values) value = "417";
  const auto profile = load_profile(folder, account);
  if (!profile) throw std::runtime_error(profile.error().front().to_string());
  return *profile;
}

std::expected<HttpRequest, RequestError> order_request(const Profile& profile, std::string_view payload) {
  static const std::vector<std::string> session(8, "token-417");  // as many values as any login gives
  Call call{*from_iso8601("2026-11-03T15:04:05Z")};
  if (profile.has_session()) call.session = session;
  return build_create(profile, CreateOrder{"MP-0417", 1, "", "R7-MP-0417", payload}, call);
}

bool is_json(const std::string& text) {
  return json::accept(text);
}

bool is_xml(const std::string& text) {
  pugi::xml_document document;
  return static_cast<bool>(document.load_string(text.c_str()));
}

/// What stands for nothing else than itself in a form or a URL.
bool is_url_encoded(const std::string& text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return c > ' ' && c < 0x7F && c != '"' && c != '<' && c != '>'; });
}

void expect_readable(const std::string& body) {
  if (body.starts_with('<')) {
    EXPECT_TRUE(is_xml(body)) << body;
  } else if (body.starts_with('{') || body.starts_with('[')) {
    EXPECT_TRUE(is_json(body)) << body;
  } else {
    EXPECT_TRUE(is_url_encoded(body)) << body;
  }
}

/// `payload` without what the path names; in a list, of its first element.
json without(json payload, const std::string& path) {
  std::string pointer = "/" + path;
  std::ranges::replace(pointer, '.', '/');
  const json::json_pointer field{pointer};
  payload.at(field.parent_pointer()).erase(field.back());
  return payload;
}

std::vector<std::string> required_fields(const std::string& carrier) {
  const std::filesystem::path file = test::source_dir() / "carriers" / "profiles" / carrier / "carrier.toml";
  const toml::table profile = toml::parse_file(file.string());
  std::vector<std::string> fields;
  if (const toml::array* required = profile["create"]["required"].as_array())
    for (const toml::node& field : *required) fields.push_back(field.value_or(std::string{}));
  return fields;
}

class BuiltInOrder : public testing::TestWithParam<std::string> {
 protected:
  const std::shared_ptr<const Profile> profile_ = profile_with_numbers(GetParam());
};

TEST_P(BuiltInOrder, IsARequestThatTheCarrierCanRead) {
  const auto request = order_request(*profile_, full_order);
  ASSERT_TRUE(request) << request.error().field << ": " << request.error().message;
  EXPECT_TRUE(request->fresh_connection);
  EXPECT_TRUE(is_url_encoded(request->url)) << request->url;
  expect_readable(request->body);
}

TEST_P(BuiltInOrder, DoesNotLeaveWithoutAFieldThatTheCarrierWants) {
  const json payload = json::parse(full_order);
  for (const std::string& field : required_fields(GetParam())) {
    const auto request = order_request(*profile_, without(payload, field).dump());
    ASSERT_FALSE(request) << field;
    EXPECT_EQ(request.error().field, field);
  }
}

TEST_P(BuiltInOrder, NeedsNoMoreThanItAsksFor) {
  json payload = json::object();
  const json full = json::parse(full_order);
  for (const std::string& field : required_fields(GetParam())) {
    std::string pointer = "/" + field;
    std::ranges::replace(pointer, '.', '/');
    payload[json::json_pointer{pointer}] = full.at(json::json_pointer{pointer});
  }
  const auto request = order_request(*profile_, payload.dump());
  ASSERT_TRUE(request) << request.error().field << ": " << request.error().message;
  expect_readable(request->body);
}

/// By the words of the profiles: loading them is for the tests, which can say what is wrong.
std::vector<std::string> carriers_that_create() {
  std::vector<std::string> carriers = test::built_in_carriers();
  std::erase_if(carriers, [](const std::string& carrier) {
    const auto file = test::source_dir() / "carriers" / "profiles" / carrier / "carrier.toml";
    return !test::read_file(file).contains("\n[create]\n");
  });
  return carriers;
}

INSTANTIATE_TEST_SUITE_P(All, BuiltInOrder, testing::ValuesIn(carriers_that_create()),
                         [](const auto& carrier) { return carrier.param; });

}  // namespace
}  // namespace remitod::carriers
