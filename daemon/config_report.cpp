#include "daemon/config_report.h"

#include <re2/re2.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

namespace remitod::daemon {
namespace {

using std::chrono::milliseconds;

const std::string absent = "-";

std::string in_quotes(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

std::string list(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts) result += (result.empty() ? "" : ", ") + in_quotes(text);
  return "[" + result + "]";
}

/// In the largest unit that leaves no rest.
std::string duration(milliseconds time) {
  static constexpr std::pair<std::int64_t, const char*> units[]{
      {86'400'000, " d"}, {3'600'000, " h"}, {60'000, " min"}, {1000, " s"}, {1, " ms"}};
  for (const auto& [length, unit] : units)
    if (time.count() % length == 0) return in_quotes(std::to_string(time.count() / length) + unit);
  return absent;
}

std::string number(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
std::string number(const std::optional<int>& value) {
  return value ? std::to_string(*value) : absent;
}

std::string shown(const toml::node& node) {
  std::ostringstream out;
  out << toml::node_view<const toml::node>(node);
  return out.str();
}

/// The values of one table, each with the line that states it, or with what says so instead.
class Section {
 public:
  Section(std::vector<EffectiveKey>& keys, std::string name, const toml::table* table)
      : keys_(keys), name_(std::move(name)), table_(table) {}

  void add(const std::string& key, std::string value, const std::string& otherwise = "default") {
    told_.insert(key);
    const toml::node* const node = table_ ? table_->get(key) : nullptr;
    keys_.push_back({name_ + "." + key, std::move(value), node ? line_of(*node) : otherwise});
  }
  /// What the file states beside those, as it states it: tables of settings, keys of other parts.
  void add_others() {
    if (!table_) return;
    for (const auto& [key, node] : *table_)
      if (!told_.contains(std::string(key.str()))) add_stated(name_ + "." + std::string(key.str()), node);
  }

 private:
  static std::string line_of(const toml::node& node) { return "line " + std::to_string(node.source().begin.line); }
  void add_stated(const std::string& path, const toml::node& node) {
    const toml::table* const table = node.as_table();
    if (!table) {
      keys_.push_back({path, shown(node), line_of(node)});
      return;
    }
    for (const auto& [key, value] : *table) add_stated(path + "." + std::string(key.str()), value);
  }

  std::vector<EffectiveKey>& keys_;
  const std::string name_;
  const toml::table* const table_;
  std::set<std::string> told_;
};

void add_daemon(Section section, const Config& config) {
  std::vector<std::string> dirs;
  for (const auto& dir : config.carriers_dirs) dirs.push_back(dir.string());
  section.add("control_socket", in_quotes(config.control_socket));
  section.add("carriers_dirs", list(dirs));
  section.add("log_level", in_quotes(config.log_level));
  section.add("drain", duration(config.drain));
  section.add("time_scale", number(config.time_scale));
  section.add("time_origin", config.time_origin == Instant{} ? absent : in_quotes(to_iso8601(config.time_origin)));
  section.add_others();
}

void add_listen(Section section, const ListenConfig& listen) {
  section.add("address", listen.address.empty() ? absent : in_quotes(listen.address));
  section.add("token", listen.token.empty() ? absent : in_quotes(listen.token));
  section.add("names", listen.names.empty() ? absent : list(listen.names));
  section.add_others();
}

void add_retention(Section section, const RetentionConfig& retention) {
  section.add("hours", in_quotes(retention.hours));
  section.add("zone", in_quotes(retention.zone));
  section.add("payloads", duration(retention.payloads));
  section.add("raw_answers", duration(retention.raw_answers));
  section.add("raw_answers_mib", std::to_string(retention.raw_answers_mib));
  section.add("tracking_events", duration(retention.tracking_events));
  section.add("transitions", duration(retention.transitions));
  section.add("requests", duration(retention.requests));
  section.add("resyncs", duration(retention.resyncs));
  section.add("sink_letters", duration(retention.sink_letters));
  section.add("shipments", duration(retention.shipments));
  section.add("legacy_statuses", duration(retention.legacy_statuses));
  section.add("erasures", duration(retention.erasures));
  section.add("unmapped_codes", duration(retention.unmapped_codes));
  section.add_others();
}

void add_schedule(Section& section, const scheduler::ScheduleConfig& schedule) {
  static constexpr const char* modes[]{"hourly", "fixed", "adaptive"};  // as Mode has them
  section.add("mode", in_quotes(modes[static_cast<std::size_t>(schedule.mode)]));
  if (schedule.mode != scheduler::Mode::adaptive) return section.add("interval", duration(schedule.interval));
  const auto& budget = schedule.budget;
  std::string share = "hourly";
  if (budget.share_of_hourly && *budget.share_of_hourly != 1) share += "/" + number(1 / *budget.share_of_hourly);
  if (!budget.target_delay)
    section.add("budget", budget.requests_a_day ? std::to_string(*budget.requests_a_day) : in_quotes(share));
  else
    section.add("target_delay", duration(*budget.target_delay));
  section.add("max_interval", duration(schedule.max_interval));
}

void add_limits(Section& section, const LimitsConfig& stated, const ReadyCarrier& carrier) {
  const carriers::ProfileLimits& limits = carrier.profile->limits();
  const std::string profile = "profile";
  const auto texts = [](const std::optional<carriers::StatedTexts>& ours, const carriers::StatedTexts& theirs) {
    const std::vector<std::string>& found = ours ? ours->texts : theirs.texts;
    return found.empty() ? absent : list(found);
  };
  section.add("requests_per_second", number(carrier.lane.requests_per_second), profile);
  section.add("requests_per_minute", number(carrier.lane.requests_per_minute), profile);
  section.add("requests_per_hour", number(carrier.lane.requests_per_hour), profile);
  section.add("requests_per_day", number(carrier.lane.requests_per_day), profile);
  section.add("concurrency", std::to_string(carrier.lane.concurrency), profile);
  section.add("batch_max", std::to_string(carrier.lane.batch_max), profile);
  section.add("windows", texts(stated.windows, limits.windows), profile);
  section.add("blackouts", texts(stated.blackouts, limits.blackouts), profile);
  section.add("holidays", texts(stated.holidays, limits.holidays), profile);
  section.add("publishes", texts(stated.publishes, carrier.profile->publishes()), profile);
}

void add_carrier(Section section, const CarrierConfig& config, const ReadyCarrier* ready) {
  section.add("profile", in_quotes(config.profile));
  section.add("base_url", config.settings.base_url.empty() ? absent : in_quotes(config.settings.base_url), "profile");
  section.add("emit", in_quotes(config.shadow ? "shadow" : "live"));
  add_schedule(section, config.schedule);
  if (ready) add_limits(section, config.limits, *ready);
  section.add_others();
}

void add_sink(Section section, const SinkConfig& sink) {
  section.add("type", in_quotes(std::string(name(sink.type))));
  section.add("concurrency", std::to_string(sink.concurrency));
  section.add("timeout", duration(sink.timeout));
  std::string pauses;
  for (const milliseconds pause : sink.retries) pauses += (pauses.empty() ? "" : ", ") + duration(pause);
  section.add("retries", "[" + pauses + "]");
  section.add_others();
}

const toml::table* table_at(const toml::table& root, std::string_view section, std::string_view name = "") {
  const toml::table* const table = root[section].as_table();
  if (name.empty() || !table) return table;
  return (*table)[name].as_table();
}

}  // namespace

std::vector<EffectiveKey> effective_config(const Config& config, const std::string& text,
                                           const std::vector<ReadyCarrier>& carriers) {
  const toml::table root = toml::parse(text);  // was found right when the configuration was read
  std::vector<EffectiveKey> keys;
  Section database(keys, "database", table_at(root, "database"));
  database.add("url", in_quotes(without_password(root["database"]["url"].value_or(std::string()))));
  database.add_others();
  add_daemon(Section(keys, "daemon", table_at(root, "daemon")), config);
  add_listen(Section(keys, "listen", table_at(root, "listen")), config.listen);
  add_retention(Section(keys, "retention", table_at(root, "retention")), config.retention);
  for (const CarrierConfig& carrier : config.carriers) {
    const auto ready =
        std::ranges::find(carriers, carrier.name, [](const ReadyCarrier& each) { return each.profile->name(); });
    add_carrier(Section(keys, "carriers." + carrier.name, table_at(root, "carriers", carrier.name)), carrier,
                ready == carriers.end() ? nullptr : &*ready);
  }
  for (const SinkConfig& sink : config.sinks)
    add_sink(Section(keys, "sinks." + sink.name, table_at(root, "sinks", sink.name)), sink);
  for (const auto& [section, node] : root) {
    static const std::set<std::string_view> told{"database", "daemon", "listen", "retention", "carriers", "sinks"};
    if (!told.contains(section.str())) Section(keys, std::string(section.str()), node.as_table()).add_others();
  }
  return keys;
}

// In a URI between the user and the host, as one of its parameters, or as a word of libpq's.
std::string without_password(std::string url) {
  static const RE2 of_user(R"((://[^/?#@:]*:)[^@/?#]*@)");
  static const RE2 word(R"((password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'"]+))");
  RE2::GlobalReplace(&url, of_user, R"(\1[secret]@)");
  RE2::GlobalReplace(&url, word, R"(\1[secret])");
  return url;
}

}  // namespace remitod::daemon
