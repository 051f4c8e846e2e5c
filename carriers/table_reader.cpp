#include "carriers/table_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <tuple>

#include "carriers/escape.h"
#include "carriers/nearest_word.h"

namespace remitod::carriers {
namespace {

struct Unit {
  std::string_view name;
  std::chrono::milliseconds length;
};

using namespace std::chrono_literals;
constexpr std::array<Unit, 5> units{{{"ms", 1ms}, {"s", 1s}, {"min", 1min}, {"h", 1h}, {"d", 24h}}};
constexpr std::chrono::milliseconds duration_max = 24h * 3653;

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || count <= 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  const auto found = std::ranges::find(units, unit, &Unit::name);
  if (found == units.end() || count > duration_max / found->length) return std::nullopt;
  return count * found->length;
}

std::string_view article_and_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

template <class Number>
std::string range_text(Number min, Number max) {
  std::ostringstream text;
  text << "expected a number from " << min << " to " << max;
  return text.str();
}

}  // namespace

void ErrorLog::add(int line, std::string key, std::string message) {
  errors_.push_back({file_, line, std::move(key), std::move(message)});
}

std::vector<ProfileError> ErrorLog::take() {
  std::ranges::stable_sort(errors_, {}, [](const ProfileError& error) { return std::tie(error.file, error.line); });
  return std::move(errors_);
}

TableReader::TableReader(const toml::table& table, std::string path, ErrorLog& errors)
    : table_(&table), path_(std::move(path)), errors_(&errors) {}

std::string TableReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : key.empty() ? path_ : path_ + "." + std::string(key);
}

int TableReader::line_of(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node ? static_cast<int>(node->source().begin.line) : 0;
}

void TableReader::error(std::string_view key, std::string message, int line_offset) {
  const toml::node* node = table_->get(key);
  const toml::source_region& source = node ? node->source() : table_->source();
  int line = static_cast<int>(source.begin.line);
  // The line break after an opening ''' is no part of the text: its first line is the next one.
  if (const auto* text = node ? node->as_string() : nullptr) {
    const auto breaks = std::ranges::count(text->get(), '\n');
    if (static_cast<std::ptrdiff_t>(source.end.line - source.begin.line) > breaks) ++line_offset;
  }
  errors_->add(line + (node ? line_offset : 0), path_of(key), std::move(message));
}

const toml::node* TableReader::find(std::string_view key) {
  asked_.emplace(key);
  errors_->note_key(path_of(key));
  return table_->get(key);
}

bool TableReader::has(std::string_view key) {
  return find(key) != nullptr;
}

std::vector<std::string> TableReader::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, node] : *table_) names.emplace_back(key.str());
  std::ranges::sort(names);
  return names;
}

void TableReader::wrong_type(std::string_view key, const toml::node& node, std::string_view expected) {
  error(key, "expected " + std::string(expected) + ", not " + std::string(article_and_name(node.type())));
}

template <class T>
std::optional<T> TableReader::value(std::string_view key, std::string_view expected) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  std::optional<T> exact = node->value_exact<T>();
  if (!exact) wrong_type(key, *node, expected);
  return exact;
}

std::optional<std::string> TableReader::text(std::string_view key) {
  return value<std::string>(key, "a text");
}

std::optional<std::string> TableReader::required_text(std::string_view key) {
  if (!has(key)) {
    error(key, "is missing: expected a text");
    return std::nullopt;
  }
  std::optional<std::string> found = text(key);
  if (found && is_blank(*found)) {
    error(key, "is empty: expected a text");
    return std::nullopt;
  }
  return found;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  return value<bool>(key, "true or false");
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t min, std::int64_t max) {
  std::optional<std::int64_t> found = value<std::int64_t>(key, "a whole number");
  if (!found || (*found >= min && *found <= max)) return found;
  error(key, range_text(min, max));
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key, double min, double max) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_number()) {
    wrong_type(key, *node, "a number");
    return std::nullopt;
  }
  const std::optional<double> found = node->value<double>();
  if (found && *found >= min && *found <= max) return found;
  error(key, range_text(min, max));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> TableReader::duration(std::string_view key) {
  constexpr std::string_view expected = "a duration such as \"30 s\" (ms, s, min, h or d), more than zero";
  const std::optional<std::string> found = value<std::string>(key, expected);
  if (!found) return std::nullopt;
  const std::optional<std::chrono::milliseconds> parsed = parse_duration(*found);
  if (!parsed) error(key, "expected " + std::string(expected) + " and at most ten years");
  return parsed;
}

std::vector<std::chrono::milliseconds> TableReader::durations(std::string_view key) {
  std::vector<std::chrono::milliseconds> result;
  for (const std::string& text : texts(key)) {
    if (const auto parsed = parse_duration(text))
      result.push_back(*parsed);
    else
      error(key, "expected durations such as [\"5 s\", \"10 min\"], not \"" + text + "\"");
  }
  return result;
}

std::optional<std::chrono::hours> TableReader::hours(std::string_view key) {
  const auto found = duration(key);
  if (!found) return std::nullopt;
  if (*found % 1h == 0ms) return std::chrono::duration_cast<std::chrono::hours>(*found);
  error(key, "expected whole hours");
  return std::nullopt;
}

std::optional<std::chrono::seconds> TableReader::seconds(std::string_view key) {
  const auto found = duration(key);
  if (!found) return std::nullopt;
  if (*found % 1s == 0ms) return std::chrono::duration_cast<std::chrono::seconds>(*found);
  error(key, "expected whole seconds");
  return std::nullopt;
}

std::optional<std::chrono::seconds> TableReader::seconds(std::string_view key, std::chrono::seconds min,
                                                         std::chrono::seconds max) {
  const auto found = seconds(key);
  if (!found || (*found >= min && *found <= max)) return found;
  error(key, "expected a duration from " + std::to_string(min.count()) + " s to " + std::to_string(max.count()) + " s");
  return std::nullopt;
}

std::optional<std::size_t> TableReader::choice(std::string_view key, std::span<const std::string> words) {
  const std::optional<std::string> found = text(key);
  if (!found) return std::nullopt;
  if (const auto word = std::ranges::find(words, *found); word != words.end())
    return static_cast<std::size_t>(word - words.begin());
  std::string expected;
  for (const std::string& word : words) expected += (expected.empty() ? "\"" : ", \"") + word + "\"";
  error(key, "expected one of " + expected + did_you_mean(*found, words));
  return std::nullopt;
}

std::vector<std::string> TableReader::text_or_texts(std::string_view key) {
  const toml::node* node = find(key);
  if (!node || !node->is_string()) return texts(key);
  std::optional<std::string> one = text(key);
  return one ? std::vector{*std::move(one)} : std::vector<std::string>{};
}

std::vector<std::string> TableReader::texts(std::string_view key) {
  std::vector<std::string> result;
  const toml::node* node = find(key);
  if (!node) return result;
  const toml::array* list = node->as_array();
  if (!list) wrong_type(key, *node, "a list of texts");
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    if (auto item = (*list)[i].value_exact<std::string>(); item && !is_blank(*item))
      result.push_back(*std::move(item));
    else
      error(key, "item " + std::to_string(i + 1) + ": expected a text that is not empty");
  }
  return result;
}

std::vector<int> TableReader::integers(std::string_view key, int min, int max) {
  std::vector<int> result;
  const toml::node* node = find(key);
  if (!node) return result;
  const toml::array* list = node->as_array();
  if (!list) wrong_type(key, *node, "a list of whole numbers");
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    if (const auto item = (*list)[i].value_exact<std::int64_t>(); item && *item >= min && *item <= max)
      result.push_back(static_cast<int>(*item));
    else
      error(key, "item " + std::to_string(i + 1) + ": " + range_text(min, max));
  }
  return result;
}

std::vector<std::pair<std::string, std::string>> TableReader::text_table(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> result;
  std::optional<TableReader> reader = table(key);
  if (!reader) return result;
  for (const auto& [name, node] : *reader->table_)
    if (auto text = reader->text(name.str())) result.emplace_back(std::string(name.str()), *std::move(text));
  return result;
}

std::optional<TomlValue> TableReader::any(std::string_view key) {
  const toml::node* node = find(key);
  return node ? any(key, *node, "") : std::nullopt;
}

std::optional<TomlValue> TableReader::any(std::string_view key, const toml::node& node, const std::string& item) {
  if (const auto* text = node.as_string()) return TomlValue{text->get()};
  if (const toml::table* found = node.as_table()) return TomlValue{TableReader(*found, path_of(key) + item, *errors_)};
  const toml::array* list = node.as_array();
  if (!list) {
    wrong_type(key, node, "a text, a list or a table");
    return std::nullopt;
  }
  std::vector<TomlValue> items;
  for (std::size_t i = 0; i < list->size(); ++i)
    if (auto value = any(key, (*list)[i], item + "." + std::to_string(i + 1))) items.push_back(*std::move(value));
  return TomlValue{std::move(items)};
}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (const toml::table* found = node->as_table()) return TableReader(*found, path_of(key), *errors_);
  wrong_type(key, *node, "a table");
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> result;
  const toml::node* node = find(key);
  if (!node) return result;
  const toml::array* list = node->as_array();
  for (std::size_t i = 0; list && i < list->size(); ++i)
    if (const toml::table* item = (*list)[i].as_table())
      result.emplace_back(*item, path_of(key) + "." + std::to_string(i + 1), *errors_);
  if (!list || result.size() != list->size()) wrong_type(key, *node, "tables: [[" + path_of(key) + "]]");
  return result;
}

void TableReader::refuse_other_keys() {
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const auto& [key, node] : *table_)
    if (!asked_.contains(key.str())) error(key.str(), not_a_key(key.str(), known));
}

}  // namespace remitod::carriers
