#include "tests/acceptance/case_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace remitod::acceptance {

namespace {

using nlohmann::json;

/// The text of a member: a number's digits, "" for what is null or absent.
std::string text_of(const json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || member->is_null()) return {};
  return member->is_string() ? member->get<std::string>() : member->dump();
}

std::optional<std::chrono::local_days> day_of(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2u", &year, &month, &day) != 3) return std::nullopt;
  return std::chrono::local_days{std::chrono::year{year} / month / day};
}

std::optional<std::chrono::minutes> minutes_of(const std::string& text) {
  int hours = 0, minutes = 0;
  if (std::sscanf(text.c_str(), "%2d:%2d", &hours, &minutes) != 2) return std::nullopt;
  return std::chrono::hours{hours} + std::chrono::minutes{minutes};
}

ExpectedEvent read_event(const json& event) {
  ExpectedEvent expected;
  expected.code = text_of(event, "code");
  expected.text = text_of(event, "description");
  expected.place = text_of(event, "location");
  expected.status = text_of(event, "status");
  set_time(expected, text_of(event, "date"), text_of(event, "time"), text_of(event, "timestamp"));
  return expected;
}

ExpectedShipment read_shipment(const json& details) {
  ExpectedShipment shipment;
  for (const char* key : {"tracking_number", "shipment_identifier"}) {
    if (std::string number = text_of(details, key); !number.empty()) shipment.numbers.insert(std::move(number));
  }
  shipment.status = text_of(details, "status");
  if (const auto delivered = details.find("delivered"); delivered != details.end() && delivered->is_boolean())
    shipment.delivered = delivered->get<bool>();
  if (const auto events = details.find("events"); events != details.end()) {
    for (const json& event : *events) shipment.events.push_back(read_event(event));
  }
  return shipment;
}

/// A tracking result says so by its events, a shipment that was made by its documents; of a failure the peer keeps at
/// times a result that holds neither number nor event.
bool says_something(const json& details, bool has_messages) {
  if (details.contains("events") || details.contains("docs") || details.contains("label"))
    return details.contains("tracking_number") || details.contains("shipment_identifier");
  return !has_messages;
}

/// Every number that stands among the inputs: the corpus has them in lists of several shapes.
void collect_asked(const json& value, std::vector<std::string>& asked) {
  if (value.is_array()) {
    for (const json& item : value)
      item.is_string() ? asked.push_back(item.get<std::string>()) : collect_asked(item, asked);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      if (key != "options") collect_asked(member, asked);
    }
  }
}

Case read_case(const json& object, const std::vector<std::string>& inputs) {
  Case result;
  result.name = text_of(object, "name");
  // A token that the peer's test put in place of a call is no answer of the carrier.
  for (const json& answer : object.at("responses")) {
    if (answer.is_string()) result.answers.push_back(answer.get<std::string>());
  }
  const json& details = object.at("expected").at(0);
  const json& messages = object.at("expected").at(1);
  const json list = details.is_array() ? details : details.is_null() ? json::array() : json::array({details});
  for (const json& item : list) {
    if (item.contains("operation")) {
      if (item.value("success", false)) result.kind = Case::Kind::cancel;
      return result;
    }
    if (says_something(item, !messages.empty())) result.expected.push_back(read_shipment(item));
  }
  result.kind = result.expected.empty() ? Case::Kind::failure : Case::Kind::shipments;
  for (const ExpectedShipment& shipment : result.expected)
    result.asked.insert(result.asked.end(), shipment.numbers.begin(), shipment.numbers.end());
  if (result.asked.empty()) result.asked = inputs;
  return result;
}

StatusTable read_statuses(const json& status_map) {
  StatusTable table;
  for (const auto& [word, codes] : status_map.items()) {
    for (const json& code : codes) table[code.is_string() ? code.get<std::string>() : code.dump()].insert(word);
  }
  table.erase("");  // how the peer writes "any other code"
  return table;
}

}  // namespace

void set_time(ExpectedEvent& event, const std::string& date, const std::string& time, const std::string& timestamp) {
  const auto day = day_of(date.empty() ? timestamp : date);
  if (!day) return;
  auto minutes = minutes_of(time);
  if (!minutes && timestamp.size() > 11) minutes = minutes_of(timestamp.substr(11));
  event.day_only = !minutes;
  event.at = *day + minutes.value_or(std::chrono::minutes{0});
}

std::expected<std::optional<CaseFile>, std::string> read_case_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  try {
    const json root = json::parse(in);
    if (!root.is_object() || !root.contains("cases")) return std::nullopt;
    CaseFile result;
    result.carrier = file.stem();
    result.kind = root.at("kind");
    result.statuses = read_statuses(root.value("status_map", json::object()));
    std::vector<std::string> inputs;
    collect_asked(root.value("inputs", json::object()), inputs);
    for (const json& item : root.at("cases")) result.cases.push_back(read_case(item, inputs));
    return result;
  } catch (const json::exception& error) {
    return std::unexpected(file.string() + ": " + error.what());
  }
}

}  // namespace remitod::acceptance
