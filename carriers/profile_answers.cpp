// [track.answer], [track.event], the rules, and [create.answer] -> compiled queries.
#include <algorithm>
#include <utility>

#include "carriers/profile_decode.h"
#include "carriers/profile_fields.h"
#include "carriers/profile_parts.h"
#include "carriers/text_fold.h"

namespace remitod::carriers {
namespace {

/// `key` and `keys`, one text and a list of them.
std::vector<std::string> read_words(TableReader& rule, const std::string& one, const std::string& many) {
  std::vector<std::string> words = rule.texts(many);
  if (auto word = rule.text(one)) words.push_back(*std::move(word));
  return words;
}

std::vector<std::string> folded(TableReader& rule, const std::string& key, std::vector<std::string> words) {
  for (std::string& word : words) {
    word = fold(word);
    if (word.empty()) rule.error(key, "is empty");
  }
  return words;
}

std::vector<std::string> read_folded(TableReader& rule, const std::string& one, const std::string& many) {
  return folded(rule, rule.has(one) ? one : many, read_words(rule, one, many));
}

Matcher read_matcher(TableReader& rule, const NoValue& no_value) {
  Matcher matcher;
  matcher.codes = read_words(rule, "code", "codes");
  matcher.texts = read_folded(rule, "text", "texts");
  matcher.prefixes = read_folded(rule, "prefix", "prefixes");
  matcher.contains = folded(rule, "contains", rule.text_or_texts("contains"));
  matcher.pattern = read_pattern(rule, "pattern");
  matcher.of = read_field(rule, "of", no_value);
  matcher.when = read_query(rule, "when");
  const auto any_of = [&](std::initializer_list<const char*> keys) {
    return std::ranges::any_of(keys, [&](const char* key) { return rule.has(key); });
  };
  const bool has_text = any_of({"text", "texts", "prefix", "prefixes", "contains", "pattern"});
  if (!has_text && !any_of({"code", "codes", "when"}))
    rule.error("", "a rule says what it matches: code, text, prefix, contains, pattern or when");
  if (rule.has("of") && !has_text) rule.error("of", "goes with text, prefix, contains or pattern: they look at it");
  // An empty list would match everything.
  const std::pair<const char*, bool> lists[] = {{"codes", matcher.codes.empty()},
                                                {"texts", matcher.texts.empty()},
                                                {"prefixes", matcher.prefixes.empty()},
                                                {"contains", matcher.contains.empty()}};
  for (const auto& [key, is_empty] : lists)
    if (is_empty && rule.has(key)) rule.error(key, "is empty");
  return matcher;
}

/// Every status a rule may give: `unmapped` is what no rule gives.
const std::vector<std::string>& status_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Status::unmapped); ++i)
      names.emplace_back(name(static_cast<Status>(i)));
    return names;
  }();
  return words;
}

std::optional<Reason> read_reason(TableReader& rule) {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> names;
    for (std::size_t i = 1; i < reason_count; ++i) names.emplace_back(name(static_cast<Reason>(i)));
    return names;
  }();
  const auto choice = rule.choice("reason", words);
  return choice ? std::optional(static_cast<Reason>(*choice + 1)) : std::nullopt;
}

StatusRule read_status_rule(TableReader& table, const NoValue& no_value) {
  StatusRule rule;
  rule.matcher = read_matcher(table, no_value);
  rule.ignored = table.boolean("ignore").value_or(false);
  if (!table.has("status") && !rule.ignored)
    table.error("status",
                "is missing: expected a status such as "
                "\"in_transit\", or ignore = true");
  if (const auto status = table.choice("status", status_words())) rule.status = static_cast<Status>(*status);
  rule.reason = read_reason(table).value_or(Reason::none);
  if (rule.ignored && (table.has("status") || table.has("reason")))
    table.error("ignore", "what is ignored has neither a status nor a reason");
  table.refuse_other_keys();
  return rule;
}

void read_rules(TableReader& operation, ReportRules& rules, const NoValue& no_value) {
  for (TableReader& table : operation.tables("status")) rules.status_rules.push_back(read_status_rule(table, no_value));
  for (TableReader& table : operation.tables("reason")) {
    ReasonRule rule;
    rule.matcher = read_matcher(table, no_value);
    if (!table.has("reason")) table.error("reason", "is missing: expected a reason such as \"recipient_absent\"");
    rule.reason = read_reason(table).value_or(Reason::other);
    table.refuse_other_keys();
    rules.reason_rules.push_back(std::move(rule));
  }
}

void read_times(TableReader& event, ReportRules& rules, const std::string& zone) {
  std::vector<std::string> formats = event.texts("formats");
  ZoneWords zones = event.text_table("zones");
  for (const auto& [word, zone_meant] : zones)
    if (!names_zone(zone_meant)) event.error("zones", "'" + zone_meant + "' is neither an IANA zone nor an offset");
  if (!event.has("time") && !rules.snapshot) event.error("time", "is missing: only a snapshot may do without a time");
  if (event.has("time") != event.has("formats"))
    event.error(event.has("time") ? "time" : "formats", "time and formats go together");
  if (formats.empty()) return;
  if (auto times = TimeReader::make(std::move(formats), zone, std::move(zones)))
    rules.times = *std::move(times);
  else
    event.error("formats", times.error());
}

void read_event(TableReader& event, ReportRules& rules, const std::string& zone, const NoValue& no_value) {
  rules.code = read_field(event, "code", no_value);
  rules.text = read_field(event, "text", no_value);
  rules.place = read_field(event, "place", no_value);
  rules.reason = read_field(event, "reason", no_value);
  rules.time = read_field(event, "time", no_value);
  rules.zone = read_field(event, "zone", no_value);
  if (!event.has("code") && !event.has("text")) event.error("", "an event needs a code or a text");
  read_times(event, rules, zone);
  event.refuse_other_keys();
}

std::shared_ptr<const std::vector<VolatileSpan>> read_volatile_spans(TableReader& answer) {
  std::vector<VolatileSpan> spans;
  for (TableReader& span : answer.tables("volatile")) {
    spans.push_back({span.required_text("after").value_or(""), span.required_text("before").value_or("")});
    span.refuse_other_keys();
  }
  return spans.empty() ? nullptr : std::make_shared<const std::vector<VolatileSpan>>(std::move(spans));
}

void read_report_answer(TableReader& answer, ReportRules& rules, const NoValue& no_value, int batch_max, Asks asks) {
  static const std::vector<std::string> orders{"oldest_first", "newest_first"};
  rules.answer = read_answer_rules(answer, no_value);
  rules.not_found_statuses = answer.integers("not_found_statuses", 300, 599);
  rules.gone_statuses = answer.integers("gone_statuses", 300, 599);
  rules.not_found = read_query(answer, "not_found");
  if (asks == Asks::for_numbers) rules.gone = read_query(answer, "gone");
  rules.shipments = read_query(answer, "shipments", Yields::nodes);
  rules.remito = read_field(answer, "remito", no_value);
  rules.shipment_error = read_field(answer, "shipment_error", no_value);
  rules.shipment_not_found = read_query(answer, "shipment_not_found");
  rules.shipment_gone = read_query(answer, "shipment_gone");
  rules.events = read_query(answer, "events", Yields::nodes);
  rules.newest_first = answer.choice("order", orders).value_or(0) == 1;
  rules.snapshot = answer.boolean("snapshot").value_or(false);
  if (asks == Asks::for_numbers) rules.volatile_spans = read_volatile_spans(answer);
  if (answer.has("shipments") && !answer.has("remito"))
    answer.error("remito", "is missing: answers are matched to shipments by number");
  if (batch_max > 1 && !answer.has("shipments"))
    answer.error("shipments",
                 "is missing: with limits.batch_max more than 1 "
                 "an answer is about many shipments");
  if (rules.snapshot == answer.has("events"))
    answer.error("events", rules.snapshot ? "a snapshot has no list of events" : "is missing: expected an XPath");
  answer.refuse_other_keys();
}

/// With a session 401 and 403 tell that it has ended. As an answer about shipments they would hide that for ever.
void check_told_by_status(TableReader& answer, const ReportRules& rules) {
  const auto check = [&](const char* key, const std::vector<int>& statuses) {
    for (const int status : {401, 403})
      if (std::ranges::find(statuses, status) != statuses.end())
        answer.error(key, "with the login of [auth] " + std::to_string(status) +
                              " means that the session has ended. Where the carrier says it of numbers too: "
                              "success_statuses = [200, " +
                              std::to_string(status) + "], and a condition for each of the two");
  };
  check("not_found_statuses", rules.not_found_statuses);
  check("gone_statuses", rules.gone_statuses);
}

}  // namespace

AnswerRules read_answer_rules(TableReader& answer, const NoValue& no_value) {
  AnswerRules rules;
  rules.decode = read_decode_options(answer);
  rules.success_statuses = answer.integers("success_statuses", 100, 599);
  rules.success = read_query(answer, "success");
  rules.error = read_field(answer, "error", no_value);
  rules.auth_error = read_query(answer, "auth_error");
  rules.throttled = read_query(answer, "throttled");
  return rules;
}

std::vector<int> read_try_again_statuses(TableReader& answer, const AnswerRules& rules) {
  std::vector<int> statuses = answer.integers("try_again_statuses", 400, 599);
  for (const int status : statuses)
    if (std::ranges::find(rules.success_statuses, status) != rules.success_statuses.end())
      answer.error("try_again_statuses", std::to_string(status) + " is one of success_statuses, too");
  return statuses;
}

void load_reports(TableReader& operation, ReportRules& rules, const LoadContext& context, Asks asks) {
  if (!operation.has("answer"))
    operation.error("answer", "is missing: expected the table [" + operation.path_of("answer") + "]");
  if (!operation.has("event"))
    operation.error("event", "is missing: expected the table [" + operation.path_of("event") + "]");
  auto answer = operation.table("answer");
  const NoValue no_value = answer ? read_no_value(*answer) : nullptr;
  if (answer) {
    read_report_answer(*answer, rules, no_value, context.batch_max, asks);
    if (!context.session.empty()) check_told_by_status(*answer, rules);
  }
  if (auto event = operation.table("event")) read_event(*event, rules, context.zone, no_value);
  read_rules(operation, rules, no_value);
}

void load_create_answer(TableReader& create, CreateOperation& operation) {
  static const std::vector<std::string> remito_sources{"order_number"};
  if (!create.has("answer")) create.error("answer", "is missing: expected the table [create.answer]");
  auto answer = create.table("answer");
  if (!answer) return;
  const NoValue no_value = read_no_value(*answer);
  operation.answer = read_answer_rules(*answer, no_value);
  operation.accepted = read_query(*answer, "accepted");
  operation.accepted_statuses = answer->integers("accepted_statuses", 200, 299);
  const bool can_accept = operation.accepted || !operation.accepted_statuses.empty();
  operation.granted = can_accept ? read_query(*answer, "granted") : require_query(*answer, "granted");
  operation.refused = read_query(*answer, "refused");
  if (operation.range) operation.number_refused = read_query(*answer, "number_refused");
  operation.try_again = read_query(*answer, "try_again");
  operation.try_again_statuses = read_try_again_statuses(*answer, operation.answer);
  operation.remito = read_field(*answer, "remito", no_value);
  operation.remito_is_order_number = answer->choice("remito_is", remito_sources).has_value();
  operation.refusal_code = read_field(*answer, "refusal_code", no_value);
  operation.refusal_text = read_field(*answer, "refusal_text", no_value);
  const bool is_known_otherwise = operation.range || (can_accept && !operation.granted);
  if (is_known_otherwise ? answer->has("remito_is") : answer->has("remito") == answer->has("remito_is"))
    answer->error("remito",
                  "expected either remito, what is read, or "
                  "remito_is = \"order_number\"");
  answer->refuse_other_keys();
}

}  // namespace remitod::carriers
