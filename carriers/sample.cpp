#include "carriers/sample.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "carriers/invented_order.h"
#include "carriers/json_value.h"
#include "carriers/nearest_word.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::optional<std::string> read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  if (in && in.peek() != std::ifstream::traits_type::eof()) bytes << in.rdbuf();
  if (in.bad() || !in.is_open()) return std::nullopt;
  return std::move(bytes).str();
}

/// Takes the keys of an expectation; the first that is wrong is the error.
class KeyReader {
 public:
  explicit KeyReader(const json& object) : object_(object) {}

  std::string text(const char* key) {
    const json* value = find(key, json::value_t::string, "a text");
    return value ? value->get<std::string>() : "";
  }
  bool is_list(const char* key) const { return object_.contains(key) && object_[key].is_array(); }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> texts;
    const json* list = find(key, json::value_t::array, "a list of texts");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
      if ((*list)[i].is_string())
        texts.push_back((*list)[i].get<std::string>());
      else
        fail(key, "expected a list of texts");
    }
    return texts;
  }
  int http_status() {
    const json* value = find("http_status", json::value_t::number_unsigned, "a whole number");
    const auto status = value ? value->get<std::uint64_t>() : 200;
    if (status < 100 || status > 599) fail("http_status", "expected a number from 100 to 599");
    return static_cast<int>(status);
  }
  Instant instant(const char* key, Instant otherwise = {}) {
    const std::string written = text(key);
    const auto moment = from_iso8601(written);
    if (!moment && !written.empty()) fail(key, "expected a moment such as \"2026-11-01T12:00:00Z\"");
    return moment.value_or(otherwise);
  }
  int count(const char* key) {
    const json* value = find(key, json::value_t::number_unsigned, "a whole number from 1 on");
    const auto number = value ? value->get<std::uint64_t>() : 1;
    if (number < 1 || number > 1000) fail(key, "expected a whole number from 1 to 1000");
    return static_cast<int>(number);
  }
  /// An object whose members are texts or lists of texts.
  std::vector<std::pair<std::string, std::string>> headers(const char* key) {
    std::vector<std::pair<std::string, std::string>> headers;
    const json* object = find(key, json::value_t::object, R"(an object such as {"X-Token": "417"})");
    if (!object) return headers;
    for (const auto& [name, value] : object->items())
      for (const json& each : value.is_array() ? value : json::array({value})) {
        if (each.is_string())
          headers.emplace_back(name, each.get<std::string>());
        else
          fail(key, "is wrong: the values of headers are texts");
      }
    return headers;
  }
  json object(const char* key) {
    const json* value = find(key, json::value_t::object, "an object");
    return value ? *value : json();
  }
  /// Copies the value where there is one, else takes `otherwise`.
  void copy(const char* key, const json& otherwise, std::string_view expected, json& into) {
    const json* value = find(key, otherwise.type(), expected);
    into[key] = value ? *value : otherwise;
  }
  bool has(const char* key) const { return object_.contains(key); }

  void refuse_other_keys(const std::vector<std::string>& known) {
    for (const auto& [key, value] : object_.items())
      if (std::ranges::find(known, key) == known.end()) fail(key, not_a_key(key, known));
  }
  void fail(std::string_view key, const std::string& message) {
    if (error_.empty()) error_ = std::string(key) + " " + message;
  }
  const std::string& error() const { return error_; }

 private:
  const json* find(const char* key, json::value_t type, std::string_view expected) {
    const auto value = object_.find(key);
    if (value == object_.end()) return nullptr;
    if (value->type() == type) return &*value;
    fail(key, "is wrong: expected " + std::string(expected));
    return nullptr;
  }

  const json& object_;
  std::string error_;
};

bool is_report(const json& report) {
  if (!report.is_object() || !report.value("remito", json()).is_string()) return false;
  const json events = report.value("events", json());
  return events.is_array() && std::ranges::all_of(events, [](const json& event) { return event.is_object(); });
}

void read_reports(KeyReader& keys, json& read) {
  if (keys.has("trouble")) return keys.copy("trouble", json::object(), "an object", read);
  if (!keys.has("reports")) return;
  keys.copy("reports", json::array(), "a list", read);
  keys.copy("missing", json::array(), "a list of remitos", read);
  keys.copy("extra", json(0U), "how many", read);
  keys.copy("errors", json::array(), "a list", read);
  const bool well_formed = std::ranges::all_of(read["reports"], is_report);
  if (!well_formed)
    keys.fail("reports", R"(is wrong: expected {"remito": "...", "kind": "events", "events": [{...}]})");
}

/// What is told where nobody says when: days and years in requests stay the same from check to check.
Instant some_day() {
  return from_iso8601("2026-11-02T15:04:05Z").value();
}

/// The text of the payload, with the digits of its numbers as they are written.
std::optional<std::string> payload_of(std::string_view expectation) {
  const auto object = parse_json(expectation);
  const JsonValue* const payload = object ? object->find("payload") : nullptr;
  return payload ? std::optional(to_json_text(*payload)) : std::nullopt;
}

void read_request(KeyReader& keys, json& request, std::vector<std::string>& known) {
  known.emplace_back("request");
  request = keys.object("request");
  for (const auto& [key, value] : request.items())
    if (key != "method" && key != "url" && key != "headers" && key != "body")
      keys.fail("request", "has the keys method, url, headers and body, not " + key);
}

/// What the request is made of, where it is about an order.
void read_order(KeyReader& keys, std::string_view text, Expectation& expectation, std::vector<std::string>& known) {
  known.insert(known.end(), {"order_number", "client_ref", "remito"});
  expectation.order_number = keys.text("order_number");
  expectation.client_ref = keys.text("client_ref");
  expectation.remito = keys.text("remito");
  if (expectation.operation.starts_with("cancel")) {
    known.emplace_back("shipment_id");
    expectation.shipment_id = keys.text("shipment_id");
    return;
  }
  known.insert(known.end(), {"parcel_group", "service", "payload"});
  if (!keys.has("order_number")) expectation.order_number = invented_order_number;
  expectation.parcel_group = keys.count("parcel_group");
  expectation.service = keys.text("service");
  if (!keys.object("payload").is_null()) expectation.payload = payload_of(text);
}

void read_session(KeyReader& keys, json& read) {
  if (keys.has("trouble")) return keys.copy("trouble", json::object(), "an object", read);
  if (!keys.has("session")) return;
  keys.copy("session", json::object(), "an object", read);
  keys.copy("ends_at", json(""), "a moment", read);
}

/// Of "history.2.json" 2; 1 where the name holds no number.
unsigned page_number(std::string_view file) {
  const std::size_t begin = file.find('.') + 1;
  const std::size_t end = file.find('.', begin);
  unsigned number = 1;
  if (begin == 0 || end == file.npos) return number;
  const auto [stop, error] = std::from_chars(file.data() + begin, file.data() + end, number);
  return error == std::errc{} && stop == file.data() + end ? number : 1;
}

}  // namespace

std::string_view settled_key(std::string_view operation) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> keys{{{"create", "created"},
                                                                               {"confirm", "confirmed"},
                                                                               {"find", "found"},
                                                                               {"cancel", "cancelled"},
                                                                               {"cancel.lookup", "looked_up"},
                                                                               {"quote", "quoted"}}};
  const auto known = std::ranges::find(keys, operation, &std::pair<std::string_view, std::string_view>::first);
  return known == keys.end() ? "" : known->second;
}

std::expected<std::vector<SampleFiles>, std::string> read_samples(const std::filesystem::path& profile_dir) {
  struct Found {
    std::map<unsigned, std::pair<std::string, std::string>> pages;  ///< by number: file and bytes
    std::optional<std::string> expectation;
  };
  std::map<std::string, Found> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(profile_dir / "samples", error)) {
    const std::string file = entry.path().filename();
    if (file.starts_with('.') || !entry.is_regular_file(error)) continue;
    std::optional<std::string> bytes = read_bytes(entry.path());
    if (!bytes) return std::unexpected(entry.path().string() + " cannot be read");
    Found& sample = found[file.substr(0, file.find('.'))];
    if (file.ends_with(expectation_suffix))
      sample.expectation = std::move(bytes);
    else if (!sample.pages.try_emplace(page_number(file), file, *std::move(bytes)).second)
      return std::unexpected(entry.path().string() + " is the second answer of that name");
  }
  std::vector<SampleFiles> samples;
  for (auto& [name, files] : found) {
    SampleFiles sample{name, {}, {}, std::move(files.expectation)};
    for (auto& [number, page] : files.pages) {
      if (number != sample.pages.size() + 1)
        return std::unexpected((profile_dir / "samples" / name).string() + " has a page " + std::to_string(number) +
                               ", and no page " + std::to_string(sample.pages.size() + 1));
      sample.page_files.push_back(std::move(page.first));
      sample.pages.push_back(std::move(page.second));
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::expected<Expectation, std::string> parse_expectation(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return std::unexpected("is no JSON object");
  KeyReader keys(object);
  Expectation expectation;
  expectation.operation = keys.text("operation");
  expectation.answer.status = keys.http_status();
  if (keys.is_list("content_type"))
    expectation.content_types = keys.texts("content_type");
  else
    expectation.answer.content_type = keys.text("content_type");
  expectation.answer.headers = keys.headers("headers");
  expectation.at = keys.instant("at", some_day());
  std::vector<std::string> known{"operation", "http_status", "content_type", "headers", "at"};
  read_request(keys, expectation.request, known);
  if (const std::string settled{settled_key(expectation.operation)}; !settled.empty()) {
    known.push_back(settled);
    if (keys.has(settled.c_str())) keys.copy(settled.c_str(), json::object(), "an object", expectation.read);
    read_order(keys, text, expectation, known);
  } else if (expectation.operation == "track" || expectation.operation == "feed") {
    known.insert(known.end(), {"reports", "missing", "extra", "errors", "trouble"});
    if (expectation.operation == "track") {
      known.insert(known.end(), {"asked", "registered_at"});
      expectation.asked = keys.texts("asked");
      expectation.registered_at = keys.instant("registered_at");
      if (expectation.asked.empty()) keys.fail("asked", "is missing: expected the remitos that were asked for");
    }
    read_reports(keys, expectation.read);
  } else if (expectation.operation == "login") {
    known.insert(known.end(), {"step", "session", "ends_at", "trouble"});
    expectation.step = static_cast<std::size_t>(keys.count("step"));
    read_session(keys, expectation.read);
  } else {
    keys.fail("operation",
              R"(is wrong: expected "track", "feed", "create", "confirm", "find", "cancel", "cancel.lookup", )"
              R"("quote" or "login")");
  }
  keys.refuse_other_keys(known);
  if (!keys.error().empty()) return std::unexpected(keys.error());
  return expectation;
}

}  // namespace remitod::carriers
