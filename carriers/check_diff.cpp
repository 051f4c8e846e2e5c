#include "carriers/check_diff.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "carriers/sample.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

using Keys = std::vector<std::string>;

/// One thing that the answer to a question says.
struct SettledWord {
  const char* key;
  std::vector<const char*> deciders;  ///< keys of [X.answer]
  bool is_beginning = false;          ///< the expectation holds only how it begins
};

struct SettledShape {
  std::string_view operation;
  std::vector<SettledWord> words;
};

const SettledShape& settled_shape(std::string_view operation) {
  static const std::vector<SettledShape> shapes{
      {"create",
       {{"kind",
         {"granted", "refused", "accepted", "number_refused", "try_again", "try_again_statuses", "success",
          "success_statuses"}},
        {"remito", {"remito", "remito_is"}},
        {"refusal_code", {"refusal_code"}},
        {"refusal_text", {"refusal_text", "error"}, true}}},
      {"confirm",
       {{"kind", {"granted", "refused", "pending", "pending_statuses", "success", "success_statuses"}},
        {"remito", {"remito"}},
        {"refusal_code", {"refusal_code"}},
        {"refusal_text", {"refusal_text", "error"}, true}}},
      {"find",
       {{"kind", {"found", "not_found", "shipments", "reference", "success", "success_statuses"}},
        {"remito", {"remito"}},
        {"parcels", {"parcels"}},
        {"text", {"error"}, true}}},
      {"cancel",
       {{"kind",
         {"accepted", "refused", "try_again", "try_again_statuses", "auth_error", "throttled", "success",
          "success_statuses"}},
        {"refusal_code", {"refusal_code"}},
        {"refusal_text", {"refusal_text", "error"}, true}}},
      {"cancel.lookup",
       {{"kind", {"shipment_id", "success", "success_statuses"}},
        {"shipment_id", {"shipment_id"}},
        {"text", {"error"}, true}}},
      {"quote",
       {{"kind", {"refused", "price", "success", "success_statuses"}},
        {"price", {"price"}},
        {"currency", {"currency", "currency_is"}},
        {"days", {"days"}},
        {"text", {"refusal_text", "error"}, true}}},
  };
  return *std::ranges::find(shapes, operation, &SettledShape::operation);
}

class Differ {
 public:
  explicit Differ(const Replay& replay) : replay_(replay) {}

  void compare(const json& expected, const json& read) {
    if (const std::string settled{settled_key(replay_.operation)}; !settled.empty())
      return compare_settled(settled_shape(replay_.operation), expected[settled], read[settled]);
    if (expected.contains("trouble") || read.contains("trouble")) return compare_trouble(expected, read);
    if (read.contains("session")) return compare_session(expected, read);
    left_out_ = read["errors"];
    compare_reports(expected["reports"], read["reports"]);
    compare_lists("missing", sorted(expected["missing"]), sorted(read["missing"]));
    if (expected["extra"] != read["extra"])
      add("shipments that were not asked for", expected["extra"], read["extra"], in_answer({"remito", "shipments"}));
    compare_errors(expected["errors"], read["errors"]);
  }

  std::vector<Deviation> take() { return std::move(deviations_); }

 private:
  static json sorted(json list) {
    std::sort(list.begin(), list.end(), [](const json& a, const json& b) { return a.dump() < b.dump(); });
    return list;
  }

  static std::string text_of(const json& value) {
    return value.is_null() ? "" : value.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  static std::string word(const json& object, const char* key) {
    const json value = object.is_object() ? object.value(key, json()) : json();
    return value.is_string() ? value.get<std::string>() : "";
  }

  void add(std::string what, const json& expected, const json& read, const Keys& keys) {
    Deviation deviation{std::move(what), text_of(expected), text_of(read), {}};
    for (const std::string& key : keys) {
      const int line = replay_.lines.of(key);
      if (line != 0) deviation.deciders.push_back({key, line});
    }
    deviations_.push_back(std::move(deviation));
  }

  Keys in_answer(std::initializer_list<const char*> keys) const {
    Keys paths;
    for (const char* key : keys) paths.push_back(replay_.operation + ".answer." + key);
    return paths;
  }
  std::string in_event(const char* key) const { return replay_.operation + ".event." + key; }
  std::string rule(const char* table, std::size_t number) const {
    return replay_.operation + "." + table + "." + std::to_string(number);
  }

  void compare_settled(const SettledShape& shape, const json& expected, const json& read) {
    for (const SettledWord& of : shape.words) {
      const json wanted = expected.value(of.key, json(""));
      const json got = read.value(of.key, json(""));
      const std::string beginning = of.is_beginning ? word(expected, of.key) : "";
      const bool same = beginning.empty() ? wanted == got : word(read, of.key).starts_with(beginning);
      if (same) continue;
      Keys deciders;
      for (const char* key : of.deciders) deciders.push_back(replay_.operation + ".answer." + key);
      add(of.key, wanted, got, deciders);
    }
  }

  /// What makes an answer the trouble that it is.
  Keys deciders_of_trouble(const std::string& kind) const {
    if (kind == "auth") return in_answer({"auth_error"});
    if (kind == "throttled") return in_answer({"throttled"});
    if (kind == "business") return in_answer({"success"});
    if (kind == "http_status") return in_answer({"success_statuses"});
    return in_answer({"format", "charset"});
  }

  void compare_trouble(const json& expected, const json& read) {
    const json wanted = expected.value("trouble", json());
    const json got = read.value("trouble", json());
    const std::string kind = word(got, "kind");
    const char* const told = expected.contains("session") || read.contains("session") ? "session" : "reports";
    if (wanted.is_null()) return add("the whole answer", told, got, deciders_of_trouble(kind));
    if (got.is_null()) return add("the whole answer", wanted, read[told], deciders_of_trouble(word(wanted, "kind")));
    if (kind != word(wanted, "kind")) add("trouble: kind", wanted["kind"], kind, deciders_of_trouble(kind));
    const std::string part = word(wanted, "message_contains");
    if (!word(got, "message_contains").contains(part))
      add("trouble: message", part, word(got, "message_contains"), in_answer({"error"}));
  }

  void compare_session(const json& expected, const json& read) {
    std::set<std::string> names;
    for (const json* values : {&expected["session"], &read["session"]})
      for (const auto& [name, value] : values->items()) names.insert(name);
    for (const std::string& name : names) {
      const json wanted = expected["session"].value(name, json());
      const json got = read["session"].value(name, json());
      if (wanted != got) add("session: " + name, wanted, got, {replay_.operation + ".answer.session." + name});
    }
    const std::string ends_at = word(expected, "ends_at");
    if (ends_at != word(read, "ends_at"))
      add("ends_at", ends_at, word(read, "ends_at"), in_answer({"lifetime", "expires_at", "formats"}));
  }

  void compare_lists(const char* what, const json& expected, const json& read) {
    if (expected != read) add(what, expected, read, in_answer({"remito", "shipments"}));
  }

  void compare_errors(const json& expected, const json& read) {
    const std::size_t both = std::min(expected.size(), read.size());
    for (std::size_t i = 0; i < both; ++i)
      if (word(expected[i], "remito") != word(read[i], "remito") ||
          !word(read[i], "message_contains").contains(word(expected[i], "message_contains")))
        add("part " + std::to_string(i + 1) + " that was left out", expected[i], read[i], {});
    for (std::size_t i = both; i < expected.size(); ++i) add("a part that was left out", expected[i], json(), {});
    for (std::size_t i = both; i < read.size(); ++i) add("a part that was left out", json(), read[i], {});
  }

  void compare_reports(const json& expected, const json& read) {
    std::map<std::string, std::pair<const json*, const json*>> by_remito;
    for (const json& report : expected) by_remito[word(report, "remito")].first = &report;
    for (const json& report : read) by_remito[word(report, "remito")].second = &report;
    for (const auto& [remito, reports] : by_remito) {
      const auto [wanted, got] = reports;
      if (!wanted || !got)
        add(remito + ": report", wanted ? *wanted : json(), got ? *got : json(), in_answer({"remito", "shipments"}));
      else
        compare_report(remito, *wanted, *got);
    }
  }

  void compare_report(const std::string& remito, const json& expected, const json& read) {
    const std::string kind = word(read, "kind");
    if (kind != word(expected, "kind")) {
      const bool nothing = kind == "not_found_yet" || word(expected, "kind") == "not_found_yet";
      add(remito + ": kind", word(expected, "kind"), kind,
          nothing ? in_answer({"shipment_not_found", "not_found", "not_found_statuses"})
                  : in_answer({"shipment_gone", "gone_statuses", "snapshot", "events"}));
    }
    if (is_other_way_round(expected["events"], read["events"]))
      return add(remito + ": the same events in the other order: newest_first or oldest_first", name_of_first(expected),
                 name_of_first(read), in_answer({"order"}));
    const std::vector<RulesTaken> rules = rules_of(remito);
    std::map<std::uint64_t, std::pair<json, json>> by_position;
    std::map<std::uint64_t, RulesTaken> rules_by_position;
    std::size_t nth = 0;
    for (const json& event : read["events"]) {
      const auto position = position_of(event);
      by_position[position].second = event;
      if (nth < rules.size()) rules_by_position[position] = rules[nth++];
    }
    for (const json& event : expected["events"]) by_position[position_of(event)].first = event;
    for (const auto& [position, events] : by_position)
      compare_event(remito + ", event at position " + std::to_string(position), events.first, events.second,
                    rules_by_position[position], has_bad_times(remito));
  }

  /// By code and time: what else is read of them does not depend on their order.
  static std::vector<std::string> sequence_of(const json& events) {
    std::map<std::uint64_t, std::string> by_position;
    for (const json& event : events)
      by_position[position_of(event)] = word(event, "code") + ' ' + word(event, "occurred_at");
    std::vector<std::string> sequence;
    for (auto& [position, event] : by_position) sequence.push_back(std::move(event));
    return sequence;
  }

  static bool is_other_way_round(const json& expected, const json& read) {
    const std::vector<std::string> wanted = sequence_of(expected);
    std::vector<std::string> got = sequence_of(read);
    if (wanted == got) return false;
    std::ranges::reverse(got);
    return wanted == got;
  }

  static json name_of_first(const json& report) { return "first " + sequence_of(report["events"]).front(); }

  static std::uint64_t position_of(const json& event) {
    const json position = event.is_object() ? event.value("position", json()) : json();
    return position.is_number_unsigned() ? position.get<std::uint64_t>() : 0;
  }

  /// Of the events in the report of a remito, in its order.
  std::vector<RulesTaken> rules_of(const std::string& remito) const {
    std::vector<RulesTaken> rules;
    std::ranges::copy_if(replay_.taken, std::back_inserter(rules),
                         [&](const RulesTaken& each) { return each.remito == remito && !each.ignored; });
    if (replay_.newest_first) std::ranges::reverse(rules);
    return rules;
  }

  /// An event of this shipment was left out since its time is none: nothing else says so of an event.
  bool has_bad_times(const std::string& remito) const {
    return std::ranges::any_of(left_out_, [&](const json& error) {
      return word(error, "remito") == remito && word(error, "message_contains").contains("is not a time in ");
    });
  }

  void compare_event(const std::string& which, const json& expected, const json& read, const RulesTaken& rules,
                     bool may_be_left_out) {
    if (expected.is_null() || read.is_null()) {
      Keys deciders = in_answer({"events"});
      if (read.is_null() && may_be_left_out) deciders = {in_event("time"), in_event("formats")};
      if (rules.status_rule != 0) deciders.push_back(rule("status", rules.status_rule));
      return add(which, expected, read, deciders);
    }
    std::set<std::string> keys;
    for (const json* event : {&expected, &read})
      for (const auto& [key, value] : event->items()) keys.insert(key);
    for (const std::string& key : keys) {
      const json wanted = expected.value(key, json());
      const json got = read.value(key, json());
      if (wanted != got) add(which + ": " + key, wanted, got, deciders_of(key, rules));
    }
  }

  Keys deciders_of(const std::string& key, const RulesTaken& rules) const {
    if (key == "status") return {rule("status", rules.status_rule)};
    if (key == "reason") {
      if (rules.reason_rule != 0) return {rule("reason", rules.reason_rule)};
      const std::string of_status = rule("status", rules.status_rule);
      if (replay_.lines.of(of_status + ".reason") != 0) return {of_status};
      return {in_event("reason")};
    }
    if (key == "occurred_at") return {in_event("time"), in_event("formats")};
    if (key == "zone") return {in_event("zone"), in_event("formats")};
    if (key == "date_only") return {in_event("formats")};
    if (key == "code") return {in_event(replay_.lines.of(in_event("code")) != 0 ? "code" : "text")};
    return {in_event(key.c_str())};
  }

  const Replay& replay_;
  json left_out_;
  std::vector<Deviation> deviations_;
};

}  // namespace

std::vector<Deviation> differences(const json& expected, const json& read, const Replay& replay) {
  Differ differ(replay);
  differ.compare(expected, read);
  return differ.take();
}

}  // namespace remitod::carriers
