#include "carriers/check_remarks.h"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "carriers/body_charset.h"
#include "carriers/charset.h"
#include "carriers/files_operation.h"
#include "carriers/media_type.h"
#include "carriers/payload.h"
#include "carriers/report_expressions.h"
#include "carriers/xpath_cost.h"

namespace remitod::carriers {
namespace {

constexpr const char* volatile_table = "answer.volatile";

std::string rule_key(const std::string& operation, const char* table, std::size_t number) {
  return operation + "." + table + "." + std::to_string(number);
}

/// Newest first, as far as times tell.
bool runs_backwards(const nlohmann::json& events) {
  std::vector<std::string> times;
  for (const nlohmann::json& event : events)
    if (event.contains("occurred_at")) times.push_back(event["occurred_at"].get<std::string>());
  return std::ranges::is_sorted(times, std::ranges::greater{}) && !times.empty() && times.front() != times.back();
}

/// The code is the text, behind which a reason may stand.
bool stands_in(const std::string& text, const std::string& code) {
  return text == code || text.starts_with(code + ": ");
}

/// A body with what people write: names, addresses.
bool tells_of_an_order(const CallTemplate& request) {
  constexpr std::array codes{"order_number", "parcel_group", "service", "client_ref", "remito"};
  return request.body && std::ranges::any_of(request.names.members, [&](const auto& member) {
           return member.second.kind != NameTree::Kind::unlisted &&
                  std::ranges::find(codes, member.first) == codes.end();
         });
}

bool states_charset(const CallTemplate& request) {
  return !request.body_charset.empty() || !charset_of_xml(*request.body).empty() ||
         std::ranges::any_of(request.headers, [](const auto& header) {
           return equal_ignoring_case(header.first, "content-type") &&
                  !header_parameter(header.second, "charset").empty();
         });
}

/// In which the carrier says what became of an order.
std::string charset_of_answers(const CompiledProfile& profile) {
  std::string charset;
  if (profile.create) charset = profile.create->answer.decode.charset;
  if (charset.empty() && profile.track) charset = profile.track->reports.answer.decode.charset;
  return charset;
}

class Remarks {
 public:
  Remarks(const RulesTouched& touched, const ProfileLines& lines) : touched_(touched), lines_(lines) {}

  void look_at(const std::string& operation, const ReportRules& rules) {
    visit_expressions(rules, [&](const std::string& key, const Query& query, bool per_node) {
      costs(operation + "." + key, query, per_node);
    });
    look_for_untouched(operation, "status", rules.status_rules);
    look_for_untouched(operation, "reason", rules.reason_rules);
  }

  void look_at(const CreateOperation& create) {
    look_at_document("create.answer.", create.answer);
    costs("create.answer.granted", create.granted, false);
    costs("create.answer.refused", create.refused, false);
    costs("create.answer.remito", create.remito, false);
    costs("create.answer.refusal_code", create.refusal_code, false);
    costs("create.answer.refusal_text", create.refusal_text, false);
  }

  /// What an order has to bring that is described nowhere.
  template <class Operation>
  void look_at_order(const std::string& key, const std::optional<Operation>& operation) {
    if (!operation) return;
    for (const std::string& name : own_fields(operation->request.names)) {
      const std::string meant = meant_field(name);
      add(key + ".required", "'" + name + "' is no field of a payload" +
                                 (meant.empty() ? "" : " (did you mean '" + meant + "'?)") +
                                 ": unless the platform adds it to its orders by itself, it is always empty");
    }
  }

  /// Who answers in an old charset mostly reads no other either, and says so only where a name comes out garbled.
  template <class Operation>
  void look_at_charset(const std::string& key, const std::optional<Operation>& operation, const std::string& answers) {
    if (!operation || !tells_of_an_order(operation->request) || states_charset(operation->request)) return;
    if (!answers.empty() && is_single_byte(answers))
      add(key + ".body", "answers come in " + answers +
                             ", and this body leaves in UTF-8: does the carrier want it in " + answers +
                             ", too? Then its Content-Type says so, or body_charset");
  }

  void look_at_spans(const ReportRules& rules) {
    if (!rules.volatile_spans) return;
    for (std::size_t i = 1; i <= rules.volatile_spans->size(); ++i)
      if (!touched_.has("track", volatile_table, i))
        add(rule_key("track", volatile_table, i), "no sample has such a part");
  }

  /// Where what is read of an event begins, or one of its fields, stands at the wrong place, every sample reads as if
  /// the carrier had said nothing.
  void look_for_events(const std::string& operation, const ReportRules& rules) {
    if (!touched_.has(operation)) return;
    if (!touched_.has_success(operation))
      return add(operation + (rules.events ? ".answer.events" : ".event"),
                 "no event is read from any sample, or each is ignored or left out");
    const auto look_for = [&](const char* key, const auto& field, const char* called) {
      if (field && !touched_.has_field(operation, called))
        add(operation + ".event." + key, "finds nothing in any sample");
    };
    if (rules.code && rules.text && !rules.code->name.contains(rules.text->name)) look_for("code", rules.code, "code");
    look_for("text", rules.text, "text");
    look_for("time", rules.time, "occurred_at");
    look_for("place", rules.place, "place");
  }

  /// A sample of a failure alone proves nothing of what is read where there is none.
  void look_for_success(const std::string& operation, const std::string& what) {
    if (touched_.has(operation) && !touched_.has_success(operation)) add(operation, "no sample shows " + what);
  }

  void look_at_bodies() {
    for (const auto& [table, problem] : touched_.bodies()) add(table + ".body", problem);
  }

  void look_at_sequence(const std::string& operation, const ReportRules& rules) {
    const auto sample = touched_.backwards().find(operation);
    if (sample == touched_.backwards().end()) return;
    add(operation + ".answer.order", "in sample " + sample->second + " each event is older than the one before it: " +
                                         (rules.newest_first ? "is the newest really the first of the list?"
                                                             : "does the list say order = \"newest_first\"?"));
  }

  /// What no sample shows is believed unseen.
  void look_for_sample(const std::string& operation, bool profile_has_it) {
    if (profile_has_it && !touched_.has(operation)) add(operation, "no sample of it");
  }

  void look_at_unmapped() {
    for (const auto& [words, sample] : touched_.unmapped()) {
      const auto& [code, text] = words;
      add(lines_.of("feed.status") != 0 && lines_.of("track.status") == 0 ? "feed.status" : "track.status",
          "no rule knows code \"" + code + "\", \"" + text + "\" (sample " + sample + "): it stays unmapped");
    }
  }

  std::vector<Remark> take() { return std::move(remarks_); }

 private:
  void add(const std::string& key, std::string text) { remarks_.push_back({{key, lines_.of(key)}, std::move(text)}); }

  void look_at_document(const std::string& path, const AnswerRules& answer) {
    costs(path + "success", answer.success, false);
    costs(path + "error", answer.error, false);
    costs(path + "auth_error", answer.auth_error, false);
    costs(path + "throttled", answer.throttled, false);
  }

  template <class Rule>
  void look_for_untouched(const std::string& operation, const char* table, const std::vector<Rule>& rules) {
    std::string untouched;
    for (std::size_t i = 0; i < rules.size(); ++i)
      if (!touched_.has(operation, table, i + 1))
        untouched += (untouched.empty() ? "" : ", ") + std::to_string(i + 1) + " (line " +
                     std::to_string(lines_.of(rule_key(operation, table, i + 1))) + ")";
    if (!untouched.empty()) add(operation + "." + table, "no sample touches these rules: " + untouched);
  }

  template <class Read>
  void costs(const std::string& key, const std::optional<Read>& read, bool per_node) {
    if (read) costs(key, *read, per_node);
  }
  void costs(const std::string& key, const Query& query, bool per_node) {
    if (const auto part = quadratic_part(query.text, per_node))
      add(key, "'" + *part + "' is looked up again for each node: slow with the square of an answer's length");
  }
  void costs(const std::string& key, const Field& field, bool per_node) {
    costs(key, field.query, per_node);
    for (const Field& part : field.parts) costs(key, part, per_node);
  }

  const RulesTouched& touched_;
  const ProfileLines& lines_;
  std::vector<Remark> remarks_;
};

}  // namespace

void RulesTouched::note(const std::string& operation, const std::vector<RulesTaken>& taken, const nlohmann::json& read,
                        const std::string& sample) {
  for (const RulesTaken& rules : taken) {
    if (rules.status_rule != 0) rules_.insert(rule_key(operation, "status", rules.status_rule));
    if (rules.reason_rule != 0) rules_.insert(rule_key(operation, "reason", rules.reason_rule));
  }
  if (!read.contains("reports")) return;
  for (const nlohmann::json& report : read["reports"]) {
    for (const nlohmann::json& event : report["events"])
      for (const auto& [field, value] : event.items())
        if (value != "" && (field != "code" || !stands_in(event["text"], value)))
          fields_.insert(operation + "." + field);
    if (runs_backwards(report["events"])) backwards_.try_emplace(operation, sample);
    for (const nlohmann::json& event : report["events"])
      if (event["status"] == name(Status::unmapped))
        unmapped_.try_emplace({event["code"].get<std::string>(), event["text"].get<std::string>()}, sample);
  }
}

void RulesTouched::note_operation(const std::string& operation, const nlohmann::json& read) {
  operations_.insert(operation);
  const std::string created = read.value("created", nlohmann::json::object()).value("kind", "");
  const bool tells_events =
      read.contains("reports") &&
      std::ranges::any_of(read["reports"], [](const nlohmann::json& report) { return !report["events"].empty(); });
  if (tells_events || read.contains("session") || created == "granted" || created == "accepted")
    successes_.insert(operation);
}

bool RulesTouched::has_field(const std::string& operation, const char* field) const {
  return fields_.contains(operation + "." + field);
}

void RulesTouched::note_span(std::size_t number) {
  rules_.insert(rule_key("track", volatile_table, number));
}

bool RulesTouched::has(const std::string& operation, const char* table, std::size_t number) const {
  return rules_.contains(rule_key(operation, table, number));
}

std::vector<Remark> remarks_on_bodies(const RulesTouched& touched, const ProfileLines& lines) {
  Remarks found(touched, lines);
  found.look_at_bodies();
  return found.take();
}

std::vector<Remark> remarks(const CompiledProfile& profile, const RulesTouched& touched, const ProfileLines& lines) {
  Remarks found(touched, lines);
  const ReportRules* const feed = feed_rules(profile);
  // oauth2 has no table of that name: its answers are those of a standard.
  found.look_for_sample("auth.login", lines.of("auth.login") != 0);
  found.look_for_sample("track", profile.track.has_value());
  found.look_for_sample("feed", feed != nullptr);
  found.look_for_sample("create", profile.create && profile.create->is_sent);
  found.look_for_sample("confirm", profile.confirm.has_value());
  found.look_for_sample("find", profile.find.has_value());
  found.look_for_sample("cancel", profile.cancel.has_value());
  found.look_for_sample("cancel.lookup", profile.cancel && profile.cancel->lookup);
  found.look_for_sample("quote", profile.quote.has_value());
  found.look_for_success("auth.login", "a login that succeeds");
  found.look_for_success("create", "an order that is granted");
  found.look_at_bodies();
  if (profile.track) {
    found.look_at("track", profile.track->reports);
    found.look_for_events("track", profile.track->reports);
    found.look_at_sequence("track", profile.track->reports);
  }
  if (feed) {
    found.look_at("feed", *feed);
    found.look_for_events("feed", *feed);
    found.look_at_sequence("feed", *feed);
  }
  if (profile.create) found.look_at(*profile.create);
  found.look_at_order("create", profile.create);
  found.look_at_order("confirm", profile.confirm);
  found.look_at_order("find", profile.find);
  found.look_at_order("quote", profile.quote);
  const std::string answers = charset_of_answers(profile);
  found.look_at_charset("create", profile.create, answers);
  found.look_at_charset("confirm", profile.confirm, answers);
  found.look_at_charset("find", profile.find, answers);
  found.look_at_charset("quote", profile.quote, answers);
  found.look_at_unmapped();
  if (profile.track) found.look_at_spans(profile.track->reports);
  return found.take();
}

}  // namespace remitod::carriers
