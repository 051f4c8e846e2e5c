#include "daemon/toml_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "carriers/nearest_word.h"

namespace remitod::daemon {
namespace {

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  long amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc{} || amount < 0 || amount > 1'000'000'000) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit == "s") return std::chrono::seconds{amount};
  if (unit == "min") return std::chrono::minutes{amount};
  if (unit == "h") return std::chrono::hours{amount};
  if (unit == "d") return std::chrono::days{amount};
  return std::nullopt;
}

std::string shown(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

TomlReader::TomlReader(const toml::table& table, std::string file, std::string path, std::vector<ConfigError>& errors)
    : table_(table), file_(std::move(file)), path_(std::move(path)), errors_(errors) {}

const toml::node* TomlReader::find(std::string_view key) {
  asked_.emplace_back(key);
  return table_.get(key);
}

void TomlReader::error(std::string_view key, std::string message) {
  const toml::node* node = table_.get(key);
  const auto line = node ? node->source().begin.line : table_.source().begin.line;
  std::string full = path_.empty() ? std::string(key) : key.empty() ? path_ : path_ + "." + std::string(key);
  errors_.push_back({file_, static_cast<int>(line), std::move(full), std::move(message)});
}

int TomlReader::line() const {
  return static_cast<int>(table_.source().begin.line);
}

std::optional<std::string> TomlReader::text(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (const auto value = node->value_exact<std::string>()) return *value;
  error(key, "expected a text in quotes");
  return std::nullopt;
}

std::optional<double> TomlReader::number(std::string_view key, double above, double at_most) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && *value > above && *value <= at_most) return *value;
  error(key, "expected a number above " + shown(above) + " and at most " + shown(at_most));
  return std::nullopt;
}

std::optional<int> TomlReader::whole(std::string_view key, int at_least, int at_most) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= at_least && *value <= at_most) return static_cast<int>(*value);
  error(key, "expected a whole number from " + std::to_string(at_least) + " to " + std::to_string(at_most));
  return std::nullopt;
}

std::optional<std::chrono::seconds> TomlReader::duration(std::string_view key, std::chrono::seconds at_least,
                                                         std::chrono::seconds at_most) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  const auto duration = parse_duration(*value);
  if (duration && *duration >= at_least && *duration <= at_most) return duration;
  error(key, "expected a duration such as \"30 s\", \"10 min\" or \"2 h\", from " + std::to_string(at_least.count()) +
                 " s to " + std::to_string(at_most.count()) + " s");
  return std::nullopt;
}

std::vector<std::string> TomlReader::texts(std::string_view key) {
  const toml::node* node = find(key);
  std::vector<std::string> result;
  if (!node) return result;
  const toml::array* array = node->as_array();
  if (array)
    for (const toml::node& element : *array)
      if (const auto value = element.value_exact<std::string>()) result.push_back(*value);
  if (!array || result.size() != array->size()) error(key, "expected a list of texts in quotes");
  return result;
}

const toml::table* TomlReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return nullptr;
  if (const toml::table* found = node->as_table()) return found;
  error(key, "expected a table");
  return nullptr;
}

void TomlReader::refuse_others() {
  for (const auto& [key, node] : table_) {
    const std::string_view name = key.str();
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    error(name, "unknown key" + carriers::did_you_mean(name, asked_));
  }
}

}  // namespace remitod::daemon
