#include "carriers/json_value.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "carriers/escape.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

constexpr std::size_t depth_max = 16;

// Builds the tree bottom-up; a complete parse through nlohmann's own tree would turn 25.90 into 25.9.
class Builder final : public nlohmann::json_sax<json> {
 public:
  JsonValue take() { return std::move(root_); }
  const std::string& error() const { return error_; }

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add({JsonValue::Kind::boolean, value ? "true" : "false", {}, {}}); }
  bool number_integer(number_integer_t value) override { return add_number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add_number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& digits) override { return add_number(digits); }
  bool string(string_t& value) override {
    std::replace_if(
        value.begin(), value.end(),
        [](char c) { return c != '\t' && c != '\n' && c != '\r' && has_control_characters({&c, 1}); }, ' ');
    return add(JsonValue::of_text(std::move(value)));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonValue::Kind::object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(JsonValue::Kind::array); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    open_.back().key = name;
    if (!open_.back().value.members.contains(name)) return true;
    error_ = "has a key twice in one object";
    return false;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    error_ = "is not valid JSON (at byte " + std::to_string(position) + ")";
    return false;
  }

 private:
  struct Open {
    JsonValue value;
    std::string key;  ///< of the member that comes next
  };

  bool add_number(std::string digits) { return add({JsonValue::Kind::number, std::move(digits), {}, {}}); }

  bool add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& parent = open_.back(); parent.value.kind == JsonValue::Kind::array) {
      parent.value.items.push_back(std::move(value));
    } else {
      parent.value.members.emplace(std::move(parent.key), std::move(value));
    }
    return true;
  }

  bool open(JsonValue::Kind kind) {
    if (open_.size() == depth_max) {
      error_ = "is nested deeper than " + std::to_string(depth_max) + " levels";
      return false;
    }
    open_.emplace_back().value.kind = kind;
    return true;
  }

  bool close() {
    JsonValue value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  std::vector<Open> open_;
  JsonValue root_;
  std::string error_;
};

}  // namespace

JsonValue JsonValue::of_text(std::string text) {
  return {Kind::text, std::move(text), {}, {}};
}

JsonValue JsonValue::of_object() {
  return {Kind::object, {}, {}, {}};
}

const JsonValue* JsonValue::find(std::string_view member) const {
  const auto found = members.find(member);
  return found == members.end() ? nullptr : &found->second;
}

bool JsonValue::is_empty() const {
  switch (kind) {
    case Kind::null:
      return true;
    case Kind::boolean:
    case Kind::number:
      return false;
    case Kind::text:
      return is_blank(text);
    case Kind::array:
      return items.empty();
    case Kind::object:
      return members.empty();
  }
  return true;
}

std::string to_json_text(const JsonValue& value) {
  const auto quoted = [](std::string_view text) {
    std::string json = "\"";
    append_escaped(json, text, Escape::json);
    return json + '"';
  };
  std::string json;
  const char* between = "";
  switch (value.kind) {
    case JsonValue::Kind::null:
      return "null";
    case JsonValue::Kind::boolean:
    case JsonValue::Kind::number:
      return value.text;
    case JsonValue::Kind::text:
      return quoted(value.text);
    case JsonValue::Kind::array:
      for (const JsonValue& item : value.items) {
        json += std::exchange(between, ", ") + to_json_text(item);
      }
      return "[" + json + "]";
    case JsonValue::Kind::object:
      for (const auto& [name, member] : value.members)
        json += std::exchange(between, ", ") + quoted(name) + ": " + to_json_text(member);
      return "{" + json + "}";
  }
  return json;
}

std::expected<JsonValue, std::string> parse_json(std::string_view text) {
  Builder builder;
  if (!json::sax_parse(text, &builder)) return std::unexpected(builder.error());
  return builder.take();
}

}  // namespace remitod::carriers
