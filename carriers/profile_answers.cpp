// [track.answer], [track.event], the rules, and [create.answer] -> compiled queries.
#include <iconv.h>

#include <algorithm>

#include "carriers/profile_parts.h"
#include "carriers/text_fold.h"

namespace remitod::carriers {
namespace {

enum class Yields : std::uint8_t { value, nodes };

std::optional<Query> read_query(TableReader& reader, std::string_view key, Yields yields = Yields::value) {
  std::optional<std::string> text = reader.text(key);
  if (!text) return std::nullopt;
  try {
    Query query{reader.path_of(key), *text, pugi::xpath_query(text->c_str())};
    if (yields == Yields::value || query.compiled.return_type() == pugi::xpath_type_node_set) return query;
    reader.error(key, "expected an XPath that gives nodes, not a value");
  } catch (const pugi::xpath_exception& error) {
    reader.error(key, "is not an XPath 1.0 expression: " + std::string(error.result().description()) +
                          " at character " + std::to_string(error.result().offset + 1));
  }
  return std::nullopt;
}

std::optional<Query> require_query(TableReader& reader, std::string_view key, Yields yields = Yields::value) {
  if (!reader.has(key)) reader.error(key, "is missing: expected an XPath");
  return read_query(reader, key, yields);
}

bool is_charset(const std::string& name) {
  const iconv_t converter = iconv_open("UTF-8", name.c_str());
  // NOLINTNEXTLINE(performance-no-int-to-ptr, cppcoreguidelines-pro-type-cstyle-cast): iconv's own error value
  if (converter == reinterpret_cast<iconv_t>(-1)) return false;
  iconv_close(converter);
  return true;
}

AnswerRules read_answer_rules(TableReader& answer) {
  static const std::vector<std::string> formats{"xml", "json"};  // as Format has them
  AnswerRules rules;
  if (!answer.has("format")) answer.error("format", "is missing: expected \"xml\" or \"json\"");
  if (const auto format = answer.choice("format", formats)) rules.decode.format = static_cast<Format>(*format);
  if (const auto charset = answer.text("charset")) {
    rules.decode.charset = *charset;
    if (!is_charset(*charset)) answer.error("charset", "is not a character set that iconv knows");
  }
  rules.success_statuses = answer.integers("success_statuses", 100, 599);
  rules.success = read_query(answer, "success");
  rules.error = read_query(answer, "error");
  rules.auth_error = read_query(answer, "auth_error");
  return rules;
}

std::unique_ptr<RE2> read_pattern(TableReader& reader) {
  const std::optional<std::string> text = reader.text("pattern");
  if (!text) return nullptr;
  RE2::Options options;
  options.set_log_errors(false);
  auto pattern = std::make_unique<RE2>(*text, options);
  if (!pattern->ok()) reader.error("pattern", "is not a pattern (RE2): " + pattern->error());
  return pattern;
}

Matcher read_matcher(TableReader& rule) {
  Matcher matcher;
  matcher.codes = rule.texts("codes");
  if (auto code = rule.text("code")) matcher.codes.push_back(*std::move(code));
  if (const auto text = rule.text("text")) matcher.text = fold(*text);
  if (const auto prefix = rule.text("prefix")) matcher.prefix = fold(*prefix);
  matcher.pattern = read_pattern(rule);
  matcher.when = read_query(rule, "when");
  const auto keys = {"code", "codes", "text", "prefix", "pattern", "when"};
  if (std::ranges::none_of(keys, [&](const char* key) { return rule.has(key); }))
    rule.error("", "a rule says what it matches: code, codes, text, prefix, pattern or when");
  if ((matcher.text && matcher.text->empty()) || (matcher.prefix && matcher.prefix->empty()))
    rule.error(matcher.text ? "text" : "prefix", "is empty");
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

void read_rules(TableReader& track, TrackOperation& operation) {
  for (TableReader& table : track.tables("status")) {
    StatusRule rule;
    rule.matcher = read_matcher(table);
    if (!table.has("status")) table.error("status", "is missing: expected a status such as \"in_transit\"");
    if (const auto status = table.choice("status", status_words())) rule.status = static_cast<Status>(*status);
    rule.reason = read_reason(table).value_or(Reason::none);
    table.refuse_other_keys();
    operation.status_rules.push_back(std::move(rule));
  }
  for (TableReader& table : track.tables("reason")) {
    ReasonRule rule;
    rule.matcher = read_matcher(table);
    if (!table.has("reason")) table.error("reason", "is missing: expected a reason such as \"recipient_absent\"");
    rule.reason = read_reason(table).value_or(Reason::other);
    table.refuse_other_keys();
    operation.reason_rules.push_back(std::move(rule));
  }
}

void read_event(TableReader& event, TrackOperation& operation, const std::string& zone) {
  operation.code = read_query(event, "code");
  operation.text = read_query(event, "text");
  operation.place = read_query(event, "place");
  operation.reason = read_query(event, "reason");
  operation.time = read_query(event, "time");
  std::vector<std::string> formats = event.texts("formats");
  if (!event.has("code") && !event.has("text")) event.error("", "an event needs a code or a text");
  if (!event.has("time") && !operation.snapshot)
    event.error("time", "is missing: only a snapshot may do without a time");
  if (event.has("time") != event.has("formats"))
    event.error(event.has("time") ? "time" : "formats", "time and formats go together");
  if (!formats.empty()) {
    if (auto times = TimeReader::make(std::move(formats), zone))
      operation.times = *std::move(times);
    else
      event.error("formats", times.error());
  }
  event.refuse_other_keys();
}

void read_track_answer(TableReader& answer, TrackOperation& operation, int batch_max) {
  static const std::vector<std::string> orders{"oldest_first", "newest_first"};
  operation.answer = read_answer_rules(answer);
  operation.not_found = read_query(answer, "not_found");
  operation.shipments = read_query(answer, "shipments", Yields::nodes);
  operation.remito = read_query(answer, "remito");
  operation.shipment_not_found = read_query(answer, "shipment_not_found");
  operation.events = read_query(answer, "events", Yields::nodes);
  operation.newest_first = answer.choice("order", orders).value_or(0) == 1;
  operation.snapshot = answer.boolean("snapshot").value_or(false);
  if (answer.has("shipments") && !answer.has("remito"))
    answer.error("remito", "is missing: answers are matched to shipments by number");
  if (batch_max > 1 && !answer.has("shipments"))
    answer.error("shipments", "is missing: with limits.batch_max more than 1 an answer is about many shipments");
  if (operation.snapshot == answer.has("events"))
    answer.error("events", operation.snapshot ? "a snapshot has no list of events" : "is missing: expected an XPath");
  answer.refuse_other_keys();
}

}  // namespace

void load_track_answer(TableReader& track, TrackOperation& operation, const LoadContext& context) {
  if (!track.has("answer")) track.error("answer", "is missing: expected the table [track.answer]");
  if (auto answer = track.table("answer")) read_track_answer(*answer, operation, context.batch_max);
  if (!track.has("event")) track.error("event", "is missing: expected the table [track.event]");
  if (auto event = track.table("event")) read_event(*event, operation, context.zone);
  read_rules(track, operation);
}

void load_create_answer(TableReader& create, CreateOperation& operation) {
  static const std::vector<std::string> remito_sources{"order_number"};
  if (!create.has("answer")) create.error("answer", "is missing: expected the table [create.answer]");
  auto answer = create.table("answer");
  if (!answer) return;
  operation.answer = read_answer_rules(*answer);
  operation.granted = require_query(*answer, "granted");
  operation.refused = read_query(*answer, "refused");
  operation.remito = read_query(*answer, "remito");
  operation.remito_is_order_number = answer->choice("remito_is", remito_sources).has_value();
  operation.refusal_code = read_query(*answer, "refusal_code");
  operation.refusal_text = read_query(*answer, "refusal_text");
  if (answer->has("remito") == answer->has("remito_is"))
    answer->error("remito", "expected either remito, an XPath, or remito_is = \"order_number\"");
  answer->refuse_other_keys();
}

}  // namespace remitod::carriers
