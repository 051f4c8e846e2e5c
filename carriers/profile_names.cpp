// What the templates of each operation may name.
#include <algorithm>

#include "carriers/payload.h"
#include "carriers/profile_parts.h"

namespace remitod::carriers {
namespace {

NameTree lambda_name() {
  return {NameTree::Kind::lambda, {}};
}

}  // namespace

NameTree text_name() {
  return {NameTree::Kind::text, {}};
}

void add_functions(NameTree& names, FunctionScope scope) {
  for (const FunctionRow& row : template_functions()) {
    if (row.scope != scope) continue;
    NameTree function = lambda_name();
    if (row.takes_key) add_functions(function, FunctionScope::hmac);
    names.members.insert_or_assign(std::string(row.name), std::move(function));
  }
}

NameTree common_names(const LoadContext& context) {
  NameTree names;
  names.members.emplace("base_url", text_name());
  names.members.emplace("uuid", text_name());
  names.members.emplace("as_xml_text", lambda_name());
  names.members.emplace("as_json_text", lambda_name());
  for (const auto& [group, values] : context.constants.members)
    for (const auto& [name, value] : values.members) names.members[group].members.emplace(name, text_name());
  for (const std::string& name : context.session) names.members["session"].members.emplace(name, text_name());
  add_functions(names, FunctionScope::everywhere);
  return names;
}

void add_page_names(NameTree& names) {
  names.members.emplace("page", text_name());
  names.members.emplace("cursor", text_name());
  names.members.emplace("next_page", lambda_name());
}

NameTree track_names(const LoadContext& context, bool has_pages) {
  NameTree names = common_names(context);
  NameTree items = lambda_name();
  const auto add_shipment = [](NameTree& to) {
    for (const std::string_view variable : std::span{variable_names}.first(shipment_variables))
      to.members.emplace(variable, text_name());
    add_functions(to, FunctionScope::shipment);
  };
  add_shipment(items);
  items.members.emplace("comma", lambda_name());
  // In a batch a variable outside {{#items}} would be the first shipment's, and the others would get its answer.
  if (context.batch_max == 1) add_shipment(names);
  names.members.emplace("first_remito", text_name());
  names.members.emplace("items", std::move(items));
  if (has_pages) add_page_names(names);
  return names;
}

NameTree order_names(TableReader& operation, std::vector<std::string>& required) {
  NameTree names;
  required = operation.texts("required");
  for (const std::string_view name : {"order_number", "parcel_group", "service", "client_ref"})
    names.members.emplace(name, text_name());
  for (const std::string& path : required)
    if (const auto declared = declare_field(names, path); !declared) operation.error("required", declared.error());
  for (const std::string& path : operation.texts("optional"))
    if (const auto declared = declare_field(names, path); !declared) operation.error("optional", declared.error());
  add_unlisted_fields(names);
  return names;
}

}  // namespace remitod::carriers
