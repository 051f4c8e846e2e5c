#include "carriers/report_expressions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "carriers/xpath_cost.h"

namespace remitod::carriers {
namespace {

class Visitor {
 public:
  explicit Visitor(const VisitExpression& visit) : visit_(visit) {}

  void document(const AnswerRules& answer) const {
    each("answer.success", answer.success, false);
    each("answer.error", answer.error, false);
    each("answer.auth_error", answer.auth_error, false);
    each("answer.throttled", answer.throttled, false);
  }

  void shipments(const ReportRules& rules) const {
    const bool per_shipment = rules.shipments.has_value();
    each("answer.not_found", rules.not_found, false);
    each("answer.gone", rules.gone, false);
    each("answer.shipments", rules.shipments, false);
    each("answer.remito", rules.remito, per_shipment);
    each("answer.shipment_error", rules.shipment_error, per_shipment);
    each("answer.shipment_not_found", rules.shipment_not_found, per_shipment);
    each("answer.shipment_gone", rules.shipment_gone, per_shipment);
    each("answer.events", rules.events, per_shipment);
  }

  void events(const ReportRules& rules) const {
    const bool per_event = rules.shipments.has_value() || rules.events.has_value();
    each("event.code", rules.code, per_event);
    each("event.text", rules.text, per_event);
    each("event.place", rules.place, per_event);
    each("event.time", rules.time, per_event);
    each("event.zone", rules.zone, per_event);
    each("event.reason", rules.reason, per_event);
    matchers("status.", rules.status_rules, per_event);
    matchers("reason.", rules.reason_rules, per_event);
  }

 private:
  template <class Rule>
  void matchers(const std::string& table, const std::vector<Rule>& rules, bool per_event) const {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::string key = table + std::to_string(i + 1);
      each(key + ".of", rules[i].matcher.of, per_event);
      each(key + ".when", rules[i].matcher.when, per_event);
    }
  }

  template <class Read>
  void each(const std::string& key, const std::optional<Read>& read, bool per_node) const {
    if (read) one(key, *read, per_node);
  }
  void one(const std::string& key, const Query& query, bool per_node) const { visit_(key, query, per_node); }
  void one(const std::string& key, const Field& field, bool per_node) const {
    each(key, field.query, per_node);
    for (const Field& part : field.parts) one(key, part, per_node);
  }

  const VisitExpression& visit_;
};

/// Without the texts in it, and without blanks.
std::string bare(std::string_view xpath) {
  std::string text;
  for (std::size_t i = 0; i < xpath.size(); ++i) {
    if (xpath[i] == '\'' || xpath[i] == '"')
      i = std::min(xpath.find(xpath[i], i + 1), xpath.size());
    else if (!std::string_view(" \t\r\n").contains(xpath[i]))
      text += xpath[i];
  }
  return text;
}

/// A row holds cells alone, so that on it whatever is a path leads out of it.
bool leads_out_of_row(std::string_view bare_xpath) {
  constexpr std::array<std::string_view, 7> ways{
      "/", "..", "sibling::", "preceding::", "following::", "parent::", "ancestor"};
  return std::ranges::any_of(ways, [&](std::string_view way) { return bare_xpath.contains(way); });
}

/// Does what chooses the rows ask for more than what stands in each of them?
bool chooses_by_others(std::string_view bare_xpath) {
  static const RE2 by_place{R"(\[[0-9]|\b(?:position|last)\()"};
  std::string steps;  // the way to the rows themselves is no way out of one
  int predicates = 0;
  for (const char c : bare_xpath) {
    if (c == '[') ++predicates;
    if (c == ']') --predicates;
    if (c != '/' || predicates > 0) steps += c;
  }
  return leads_out_of_row(steps) || RE2::PartialMatch(steps, by_place);
}

}  // namespace

void visit_expressions(const ReportRules& rules, const VisitExpression& visit) {
  const Visitor visitor(visit);
  visitor.document(rules.answer);
  visitor.shipments(rules);
  visitor.events(rules);
}

bool has_quadratic_part(const ReportRules& rules) {
  bool found = false;
  visit_expressions(rules, [&found](const std::string&, const Query& query, bool per_node) {
    found = found || quadratic_part(query.text, per_node).has_value();
  });
  return found;
}

bool looks_beyond_rows(const ReportRules& rules) {
  if (rules.answer.success) return true;  // of the whole file: that its last line is there
  bool found = false;
  visit_expressions(rules, [&found](const std::string& key, const Query& query, bool per_node) {
    if (per_node)
      found = found || leads_out_of_row(bare(query.text));
    else if (key == "answer.shipments")
      found = found || chooses_by_others(bare(query.text));
  });
  return found;
}

}  // namespace remitod::carriers
