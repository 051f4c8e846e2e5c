// [create.range] and [confirm]: remitos out of ranges given ahead, and those that are granted later.
#include "carriers/profile_fields.h"
#include "carriers/profile_parts.h"

namespace remitod::carriers {
namespace {

CheckDigit read_check_digit(TableReader& table) {
  static const std::vector<std::string> ends{"right", "left"};
  static const std::vector<std::string> results{"complement", "remainder"};
  CheckDigit rule;
  if (!table.has("modulus")) table.error("modulus", "is missing: expected 10, 11 or the like");
  rule.modulus = static_cast<int>(table.integer("modulus", 2, 100).value_or(10));
  rule.weights = table.integers("weights", 0, 1000);
  if (rule.weights.empty()) {
    table.error("weights", "expected a list such as [3, 1]");
    rule.weights = {1};
  }
  rule.from_left = table.choice("from", ends).value_or(0) == 1;
  rule.adds_digits = table.boolean("adds_digits").value_or(false);
  rule.is_remainder = table.choice("result", results).value_or(0) == 1;
  rule.values = table.text_table("values");
  table.refuse_other_keys();
  return rule;
}

RemitoNumber read_number(TableReader& range, const LoadContext& context) {
  RemitoNumber rule;
  if (auto table = range.table("check_digit")) rule.check_digit = read_check_digit(*table);
  rule.text = range.text("number").value_or(rule.check_digit ? "{{serial}}{{check_digit}}" : "{{serial}}");
  NameTree names;
  names.members.emplace("serial", text_name());
  if (rule.check_digit) names.members.emplace("check_digit", text_name());
  if (const JsonValue* settings = context.constants.find("settings")) {
    rule.constants.members.emplace("settings", *settings);
    for (const auto& [name, value] : settings->members) names.members["settings"].members.emplace(name, text_name());
  }
  if (!check_text(range, "number", rule.text, names)) {
    rule.text = "{{serial}}";
    return rule;
  }
  const auto first = remito_of(rule, "1"), second = remito_of(rule, "2"), third = remito_of(rule, "3");
  if (first == second && second == third) range.error("number", "has no {{serial}}: all remitos would be the same");
  return rule;
}

RangeOperation load_range_operation(TableReader& range, const LoadContext& context) {
  RangeOperation operation;
  NameTree names;
  names.members.emplace("block_size", text_name());
  operation.request = load_call_request(range, std::move(names), context);
  auto answer = range.table("answer");
  if (!answer) {
    range.error("answer", "is missing: expected the table [" + range.path_of("answer") + "]");
    return operation;
  }
  const NoValue no_value = read_no_value(*answer);
  operation.answer = read_answer_rules(*answer, no_value);
  operation.first = read_field(*answer, "first", no_value);
  operation.last = read_field(*answer, "last", no_value);
  operation.numbers = read_query(*answer, "numbers", Yields::nodes);
  if (answer->has("first") != answer->has("last") || answer->has("first") == answer->has("numbers"))
    answer->error("first", "expected either first and last, or numbers, the nodes of a list");
  answer->refuse_other_keys();
  return operation;
}

}  // namespace

std::optional<RangeRules> load_range(TableReader& create, const LoadContext& context) {
  static const std::vector<std::string> sources{"range"};
  const bool is_wanted = create.choice("remito_is", sources).has_value();
  auto range = create.table("range");
  if (is_wanted != range.has_value())
    create.error(range ? "range" : "remito_is", "remito_is = \"range\" and [create.range] go together");
  if (!range) return std::nullopt;
  RangeRules rules;
  rules.number = read_number(*range, context);
  if (!range->has("low_water"))
    range->error("low_water", "is missing: with fewer numbers left it is time for the next range");
  rules.low_water = range->integer("low_water", 1, 1'000'000).value_or(1);
  if (range->has("url")) {
    rules.operation = load_range_operation(*range, context);
    rules.operation->block_size = range->integer("block_size", 1, 1'000'000).value_or(2 * rules.low_water);
  }
  range->refuse_other_keys();
  return rules;
}

ConfirmOperation load_confirm(TableReader& confirm, const LoadContext& context) {
  ConfirmOperation operation;
  NameTree names = order_names(confirm, operation.required);
  names.members.emplace("remito", text_name());
  operation.request = load_call_request(confirm, std::move(names), context);
  if (const auto interval = confirm.duration("interval")) operation.interval = *interval;
  if (const auto time = confirm.duration("give_up_after")) operation.give_up_after = *time;
  if (operation.give_up_after < operation.interval)
    confirm.error("give_up_after", "is shorter than interval: nobody would look");
  auto answer = confirm.table("answer");
  if (!answer) {
    confirm.error("answer", "is missing: expected the table [confirm.answer]");
    return operation;
  }
  const NoValue no_value = read_no_value(*answer);
  operation.answer = read_answer_rules(*answer, no_value);
  operation.pending_statuses = answer->integers("pending_statuses", 200, 599);
  operation.granted = require_query(*answer, "granted");
  operation.refused = read_query(*answer, "refused");
  operation.pending = read_query(*answer, "pending");
  operation.remito = read_field(*answer, "remito", no_value);
  operation.refusal_code = read_field(*answer, "refusal_code", no_value);
  operation.refusal_text = read_field(*answer, "refusal_text", no_value);
  answer->refuse_other_keys();
  return operation;
}

}  // namespace remitod::carriers
