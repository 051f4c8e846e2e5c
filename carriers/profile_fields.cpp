#include "carriers/profile_fields.h"

#include <utility>
#include <variant>

namespace remitod::carriers {
namespace {

std::optional<Query> compiled(TableReader& reader, std::string_view key, const std::string& text, Yields yields) {
  if (holds_variable(text)) {
    reader.error(key, std::string(no_template));
    return std::nullopt;
  }
  try {
    Query query{reader.path_of(key), text, pugi::xpath_query(text.c_str())};
    if (yields == Yields::value || query.compiled.return_type() == pugi::xpath_type_node_set) return query;
    reader.error(key, "expected an XPath that gives nodes, not a value");
  } catch (const pugi::xpath_exception& error) {
    reader.error(key, "'" + text + "' is not an XPath 1.0 expression: " + std::string(error.result().description()) +
                          " at character " + std::to_string(error.result().offset + 1));
  }
  return std::nullopt;
}

/// Reads what stands under one key, at whatever depth.
class FieldLoader {
 public:
  FieldLoader(TableReader& reader, std::string_view key, const NoValue& no_value)
      : reader_(reader), key_(key), no_value_(no_value) {}

  std::optional<Field> load(TomlValue& value) {
    if (const auto* text = std::get_if<std::string>(&value.content)) return leaf(*text);
    if (auto* list = std::get_if<std::vector<TomlValue>>(&value.content)) return first_of(*list);
    return described(std::get<TableReader>(value.content));
  }

 private:
  std::optional<Field> leaf(const std::string& text) {
    auto query = compiled(reader_, key_, text, Yields::value);
    if (!query) return std::nullopt;
    Field field;
    field.name = text;
    field.query = std::move(query);
    field.no_value = no_value_;
    return field;
  }

  std::optional<Field> first_of(std::vector<TomlValue>& list) {
    if (list.empty()) reader_.error(key_, "is an empty list: expected XPaths");
    Field field;
    for (TomlValue& item : list) {
      auto part = load(item);
      if (!part) return std::nullopt;
      field.name += (field.name.empty() ? "" : ", ") + part->name;
      field.parts.push_back(*std::move(part));
    }
    return field;
  }

  std::optional<Field> described(TableReader& table) {
    if (table.has("join") == table.has("value")) {
      table.error("",
                  "expected either value, what is read, or join, the list "
                  "of what is put together");
      return std::nullopt;
    }
    const std::string_view source = table.has("join") ? "join" : "value";
    auto content = table.any(source);
    auto field = content ? FieldLoader(table, source, no_value_).load(*content) : std::nullopt;
    const auto with = source == "join" ? std::optional(table.text("with").value_or(" ")) : std::nullopt;
    auto pattern = read_pattern(table, "pattern", true);
    auto values = table.text_table("values");
    table.refuse_other_keys();
    if (!field) return std::nullopt;
    if (with && !std::holds_alternative<std::vector<TomlValue>>(content->content)) field = around(*std::move(field));
    field->with = with;
    if (field->pattern || !field->values.empty()) field = around(*std::move(field));
    field->pattern = std::move(pattern);
    field->values = std::move(values);
    return field;
  }

  /// What is done to the whole is not done to the part.
  static Field around(Field part) {
    Field field;
    field.name = part.name;
    field.parts.push_back(std::move(part));
    return field;
  }

  TableReader& reader_;
  std::string_view key_;
  const NoValue& no_value_;
};

}  // namespace

bool holds_variable(std::string_view xpath) {
  return xpath.contains("{{");
}

std::optional<Query> read_query(TableReader& reader, std::string_view key, Yields yields) {
  const std::optional<std::string> text = reader.text(key);
  return text ? compiled(reader, key, *text, yields) : std::nullopt;
}

std::optional<Query> require_query(TableReader& reader, std::string_view key) {
  if (!reader.has(key)) reader.error(key, "is missing: expected an XPath");
  return read_query(reader, key);
}

std::unique_ptr<RE2> read_pattern(TableReader& reader, std::string_view key, bool is_capture) {
  const std::optional<std::string> text = reader.text(key);
  if (!text) return nullptr;
  RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_unique<RE2>(*text, options);
  if (!pattern->ok()) {
    reader.error(key, "is not a pattern (RE2): " + pattern->error());
  } else if (is_capture && pattern->NumberOfCapturingGroups() > 1) {
    reader.error(key,
                 "has several groups: expected one, what is read; (?:...) "
                 "groups without reading");
  } else {
    return pattern;
  }
  return nullptr;
}

NoValue read_no_value(TableReader& answer) {
  if (!answer.has("no_value")) return nullptr;
  return std::make_shared<const std::vector<std::string>>(answer.texts("no_value"));
}

std::optional<Field> read_field(TableReader& reader, std::string_view key, const NoValue& no_value) {
  auto content = reader.any(key);
  return content ? FieldLoader(reader, key, no_value).load(*content) : std::nullopt;
}

}  // namespace remitod::carriers
