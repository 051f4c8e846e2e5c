#include "carriers/invented_order.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "carriers/json_value.h"

namespace remitod::carriers {
namespace {

/// Numbers stand in quotes as texts do: a payload may have them so.
constexpr std::array<std::pair<std::string_view, std::string_view>, 29> values{{
    {"name", "Ana Prueba Quispe"},
    {"first_name", "Ana"},
    {"last_name", "Prueba Quispe"},
    {"document_type", "DNI"},
    {"document_number", "00000417"},
    {"phone", "900000417"},
    {"email", "ana@example.com"},
    {"company", "Prueba & Hijos"},
    {"street", "Av. Inventada"},
    {"number", "417"},
    {"floor", "2"},
    {"apartment", "B"},
    {"reference", "frente al parque"},
    {"district", "Miraflores"},
    {"province", "Lima"},
    {"department", "Lima"},
    {"postcode", "15074"},
    {"country", "PE"},
    {"ubigeo", "150122"},
    {"latitude", "-12.12"},
    {"longitude", "-77.03"},
    {"weight_kg", "1.50"},
    {"length_cm", "30"},
    {"width_cm", "20"},
    {"height_cm", "10"},
    {"description", "Libros"},
    {"quantity", "1"},
    {"currency", "PEN"},
    {"notes", "Llamar antes"},
}};

JsonValue invented(std::string_view name, const NameTree& names) {
  if (names.kind == NameTree::Kind::text) {
    const auto known = std::ranges::find(values, name, &std::pair<std::string_view, std::string_view>::first);
    if (known != values.end()) return JsonValue::of_text(std::string(known->second));
    const bool is_amount = name == "declared_value" || name == "cash_on_delivery";
    return JsonValue::of_text(is_amount ? "89.90" : std::string(name) + "-417");
  }
  JsonValue object = JsonValue::of_object();
  for (const auto& [member, child] : names.members)
    if (child.kind != NameTree::Kind::lambda && child.kind != NameTree::Kind::unlisted)
      object.members.emplace(member, invented(member, child));
  if (names.kind != NameTree::Kind::list) return object;
  return {JsonValue::Kind::array, {}, {std::move(object)}, {}};
}

}  // namespace

std::string invented_payload(const NameTree& names) {
  return to_json_text(invented("", names));
}

}  // namespace remitod::carriers
