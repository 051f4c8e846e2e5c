#include "carriers/payload.h"

#include <algorithm>
#include <array>
#include <vector>

#include "carriers/nearest_word.h"
#include "carriers/template.h"
#include "carriers/template_functions.h"

namespace remitod::carriers {
namespace {

enum class FieldKind : std::uint8_t { text, amount, coordinate, party, address, parcels };

struct Field {
  std::string_view name;
  FieldKind kind;
};

constexpr std::array payload_fields{
    Field{"sender", FieldKind::party},    Field{"recipient", FieldKind::party},
    Field{"parcels", FieldKind::parcels}, Field{"declared_value", FieldKind::amount},
    Field{"currency", FieldKind::text},   Field{"cash_on_delivery", FieldKind::amount},
    Field{"notes", FieldKind::text},
};
constexpr std::array party_fields{
    Field{"name", FieldKind::text},
    Field{"first_name", FieldKind::text},
    Field{"last_name", FieldKind::text},
    Field{"document_type", FieldKind::text},
    Field{"document_number", FieldKind::text},
    Field{"phone", FieldKind::text},
    Field{"email", FieldKind::text},
    Field{"company", FieldKind::text},
    Field{"address", FieldKind::address},
};
constexpr std::array address_fields{
    Field{"street", FieldKind::text},          Field{"number", FieldKind::text},
    Field{"floor", FieldKind::text},           Field{"apartment", FieldKind::text},
    Field{"reference", FieldKind::text},       Field{"district", FieldKind::text},
    Field{"province", FieldKind::text},        Field{"department", FieldKind::text},
    Field{"postcode", FieldKind::text},        Field{"country", FieldKind::text},
    Field{"ubigeo", FieldKind::text},          Field{"latitude", FieldKind::coordinate},
    Field{"longitude", FieldKind::coordinate},
};
constexpr std::array parcel_fields{
    Field{"weight_kg", FieldKind::amount},      Field{"length_cm", FieldKind::amount},
    Field{"width_cm", FieldKind::amount},       Field{"height_cm", FieldKind::amount},
    Field{"description", FieldKind::text},      Field{"quantity", FieldKind::amount},
    Field{"declared_value", FieldKind::amount},
};

/// What a request has besides its payload (CreateOrder), or the templates give a meaning of their own.
constexpr std::array<std::string_view, 9> reserved_names{"base_url",    "settings",     "secrets", "items",    "comma",
                                                         "as_xml_text", "as_json_text", "session", "next_page"};

bool is_reserved(std::string_view name) {
  const auto has = [name](const auto& names) { return std::ranges::find(names, name) != names.end(); };
  return has(reserved_names) || has(variable_names) || find_function(name).has_value();
}

std::span<const Field> fields_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::party:
      return party_fields;
    case FieldKind::address:
      return address_fields;
    case FieldKind::parcels:
      return parcel_fields;
    default:
      return {};
  }
}

const Field* find_field(std::span<const Field> fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

std::string join(const std::string& path, std::string_view member) {
  return path.empty() ? std::string(member) : path + "." + std::string(member);
}

/// Digits with at most one point in between; a sign where the field may be negative. No exponent: carriers do not read
/// 1e3, and we do not change a number's digits.
bool is_decimal(std::string_view text, bool signed_allowed) {
  if (signed_allowed && text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const auto all_digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return all_digits(text.substr(0, point)) && (point == std::string_view::npos || all_digits(text.substr(point + 1)));
}

/// What is expected instead, or "" where the value is right.
std::string_view expectation(const JsonValue& value, FieldKind kind) {
  const bool numeric = value.kind == JsonValue::Kind::number || value.kind == JsonValue::Kind::text;
  switch (kind) {
    case FieldKind::text:
      return value.kind == JsonValue::Kind::text ? "" : "expected a text in quotes (a number loses leading zeros)";
    case FieldKind::amount:
      return numeric && is_decimal(value.text, false) ? "" : "expected a number, zero or more";
    case FieldKind::coordinate:
      return numeric && is_decimal(value.text, true) ? "" : "expected a number";
    case FieldKind::party:
    case FieldKind::address:
      return value.kind == JsonValue::Kind::object ? "" : "expected an object";
    case FieldKind::parcels:
      return value.kind == JsonValue::Kind::array ? "" : "expected a list of parcels";
  }
  return "";
}

std::optional<RequestError> check_members(const JsonValue& object, std::span<const Field> fields,
                                          const std::string& path);

std::optional<RequestError> check_field(const JsonValue& value, FieldKind kind, const std::string& path) {
  if (value.kind == JsonValue::Kind::null || (value.kind == JsonValue::Kind::text && value.is_empty())) return {};
  if (const std::string_view expected = expectation(value, kind); !expected.empty())
    return RequestError{path, std::string(expected)};
  if (kind != FieldKind::parcels) return check_members(value, fields_of(kind), path);
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const std::string item_path = join(path, std::to_string(i));
    if (value.items[i].kind != JsonValue::Kind::object) return RequestError{item_path, "expected an object"};
    if (auto error = check_members(value.items[i], parcel_fields, item_path)) return error;
  }
  return {};
}

std::optional<RequestError> check_members(const JsonValue& object, std::span<const Field> fields,
                                          const std::string& path) {
  for (const Field& field : fields)
    if (const JsonValue* value = object.find(field.name))
      if (auto error = check_field(*value, field.kind, join(path, field.name))) return error;
  return {};
}

std::string misspelt_member(const JsonValue& object, std::span<const Field> fields, const std::string& path) {
  std::vector<std::string> known;
  for (const Field& field : fields) known.emplace_back(field.name);
  for (const auto& [name, value] : object.members) {
    const Field* field = find_field(fields, name);
    if (!field && nearest_word(name, known))
      return "'" + join(path, name) + "' is no field of a payload" + did_you_mean(name, known);
    if (!field) continue;
    const std::string inside = join(path, name);
    std::string misspelt = misspelt_member(value, fields_of(field->kind), inside);
    for (std::size_t i = 0; misspelt.empty() && i < value.items.size(); ++i)
      misspelt = misspelt_member(value.items[i], parcel_fields, join(inside, std::to_string(i)));
    if (!misspelt.empty()) return misspelt;
  }
  return "";
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t dot; (dot = path.find('.')) != std::string_view::npos; path.remove_prefix(dot + 1))
    segments.push_back(path.substr(0, dot));
  segments.push_back(path);
  return segments;
}

bool stands_for_every(std::string_view segment) {
  return segment == "*" || (!segment.empty() && segment.find_first_not_of("0123456789") == std::string_view::npos);
}

NameTree::Kind name_kind(FieldKind kind) {
  switch (kind) {
    case FieldKind::party:
    case FieldKind::address:
      return NameTree::Kind::group;
    case FieldKind::parcels:
      return NameTree::Kind::list;
    default:
      return NameTree::Kind::text;
  }
}

std::optional<std::string> find_missing(const JsonValue* value, std::span<const std::string_view> segments,
                                        const std::string& path) {
  if (segments.empty()) return !value || value->is_empty() ? std::optional(path) : std::nullopt;
  const std::string_view segment = segments.front();
  if (!stands_for_every(segment))
    return find_missing(value ? value->find(segment) : nullptr, segments.subspan(1), join(path, segment));
  if (!value || value->items.empty()) return find_missing(nullptr, segments.subspan(1), join(path, "0"));
  for (std::size_t i = 0; i < value->items.size(); ++i)
    if (auto missing = find_missing(&value->items[i], segments.subspan(1), join(path, std::to_string(i))))
      return missing;
  return std::nullopt;
}

JsonValue select_members(const JsonValue& object, const NameTree& names) {
  JsonValue selected = JsonValue::of_object();
  for (const auto& [name, child] : names.members)
    if (child.kind != NameTree::Kind::unlisted) selected.members.emplace(name, select_fields(object.find(name), child));
  return selected;
}

void add_unlisted(NameTree& names, std::span<const Field> fields) {
  for (const Field& field : fields) {
    const auto [at, is_unlisted] =
        names.members.try_emplace(std::string(field.name), NameTree{NameTree::Kind::unlisted, {}});
    if (!is_unlisted) add_unlisted(at->second, fields_of(field.kind));
  }
}

void collect_paths(std::span<const Field> fields, const std::string& prefix, std::vector<std::string>& paths) {
  for (const Field& field : fields) {
    const std::string path = prefix + std::string(field.name);
    const std::span<const Field> members = fields_of(field.kind);
    if (members.empty())
      paths.push_back(path);
    else
      collect_paths(members, path + (field.kind == FieldKind::parcels ? ".0." : "."), paths);
  }
}

}  // namespace

void add_unlisted_fields(NameTree& names) {
  add_unlisted(names, payload_fields);
}

std::vector<std::string> payload_paths() {
  std::vector<std::string> paths;
  collect_paths(payload_fields, "", paths);
  return paths;
}

std::vector<std::string> own_fields(const NameTree& names) {
  constexpr std::array<std::string_view, 5> of_order{"order_number", "parcel_group", "service", "client_ref", "remito"};
  std::vector<std::string> own;
  for (const auto& [name, child] : names.members)
    if (!find_field(payload_fields, name) && std::ranges::find(of_order, name) == of_order.end()) own.push_back(name);
  return own;
}

std::string meant_field(std::string_view own_field) {
  const std::vector<std::string> paths = payload_paths();
  // "recipient_ubigeo" for recipient.address.ubigeo
  for (const std::string& path : paths)
    if (path.contains('.') && own_field.starts_with(path.substr(0, path.find('.'))) &&
        own_field.ends_with(path.substr(path.rfind('.') + 1)))
      return path;
  return nearest_word(own_field, paths).value_or("");
}

std::string misspelt_field(std::string_view payload) {
  const auto object = parse_json(payload);
  return object ? misspelt_member(*object, payload_fields, "") : "";
}

std::expected<JsonValue, RequestError> read_payload(std::string_view text) {
  std::expected<JsonValue, std::string> payload = parse_json(text);
  if (!payload) return std::unexpected(RequestError{"payload", payload.error()});
  if (payload->kind != JsonValue::Kind::object)
    return std::unexpected(RequestError{"payload", "expected a JSON object"});
  if (auto error = check_members(*payload, payload_fields, "")) return std::unexpected(*std::move(error));
  return *std::move(payload);
}

std::expected<void, std::string> declare_field(NameTree& names, std::string_view path) {
  const std::vector<std::string_view> segments = split(path);
  std::span<const Field> fields = payload_fields;
  NameTree* node = &names;
  bool platforms_own = false;  // a field that the platform added to its payloads; the contract lets it through
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::string_view segment = segments[i];
    if (node->kind == NameTree::Kind::list && i > 0 && stands_for_every(segment)) continue;
    const Field* field = platforms_own ? nullptr : find_field(fields, segment);
    if (!field && !platforms_own) {
      std::vector<std::string> known;
      for (const Field& candidate : fields) known.emplace_back(candidate.name);
      if (i > 0 || nearest_word(segment, known))
        return std::unexpected("'" + std::string(path) + "' is not a field of a payload" +
                               did_you_mean(segment, known));
      if (segment.empty() || is_reserved(segment))
        return std::unexpected("'" + std::string(path) + "' cannot be a field of a payload");
      platforms_own = true;
    }
    NameTree& child = node->members[std::string(segment)];
    if (field) {
      child.kind = name_kind(field->kind);
      if (child.kind == NameTree::Kind::list) child.members.emplace("comma", NameTree{NameTree::Kind::lambda, {}});
      fields = fields_of(field->kind);
    } else {
      const bool has_members = i + 1 < segments.size() || !child.members.empty();
      child.kind = has_members ? NameTree::Kind::group : NameTree::Kind::text;
    }
    node = &child;
  }
  return {};
}

std::optional<RequestError> first_missing(const JsonValue& payload, std::span<const std::string> required,
                                          std::string_view carrier) {
  for (const std::string& path : required)
    if (auto missing = find_missing(&payload, split(path), ""))
      return RequestError{*missing, "is missing or empty; " + std::string(carrier) + " requires it"};
  return std::nullopt;
}

JsonValue select_fields(const JsonValue* value, const NameTree& names) {
  if (!value || value->is_empty()) return {};
  switch (names.kind) {
    case NameTree::Kind::text:
      return value->items.empty() && value->members.empty() ? *value : JsonValue{};
    case NameTree::Kind::list: {
      JsonValue list{JsonValue::Kind::array, {}, {}, {}};
      for (const JsonValue& item : value->items) list.items.push_back(select_members(item, names));
      return list;
    }
    case NameTree::Kind::group:
      return select_members(*value, names);
    case NameTree::Kind::lambda:
    case NameTree::Kind::unlisted:
      break;
  }
  return {};
}

}  // namespace remitod::carriers
