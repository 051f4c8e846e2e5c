#include "daemon/config_schedule.h"

#include <toml++/toml.h>

#include <charconv>
#include <string>
#include <vector>

namespace remitod::daemon {
namespace {

using carriers::TableReader;
using scheduler::Mode;
using scheduler::ScheduleConfig;
using std::chrono::seconds;

constexpr seconds minute{60}, hour{3600}, day{86'400};
constexpr double divisor_max = 1000;
constexpr std::int64_t requests_a_day_max = 100'000'000;

/// "hourly" or "hourly/N": what of the hourly pull's requests that is.
std::optional<double> share_of_hourly(std::string_view text) {
  if (text == "hourly") return 1;
  if (!text.starts_with("hourly/")) return std::nullopt;
  text.remove_prefix(std::string_view("hourly/").size());
  double divisor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), divisor, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !(divisor >= 1 && divisor <= divisor_max))
    return std::nullopt;
  return 1 / divisor;
}

ScheduleConfig::Budget read_budget(TableReader& reader, const toml::table& table) {
  ScheduleConfig::Budget budget;
  if (table["budget"].is_number()) {
    budget.requests_a_day = reader.integer("budget", 1, requests_a_day_max);
  } else if (const auto text = reader.text("budget")) {
    budget.share_of_hourly = share_of_hourly(*text);
    if (!budget.share_of_hourly)
      reader.error("budget", "expected \"hourly\", a part of it such as \"hourly/4\" (1 to 1000), or requests a day");
  }
  budget.target_delay = reader.seconds("target_delay", minute, day);
  if (reader.has("budget") && reader.has("target_delay"))
    reader.error("target_delay", "finds its own budget: expected one of the two");
  return budget;
}

void refuse(TableReader& reader, std::string_view key, std::string_view why) {
  if (reader.has(key)) reader.error(key, std::string(why));
}

}  // namespace

ScheduleConfig read_schedule(TableReader& reader, const toml::table& table) {
  static const std::vector<std::string> modes{"hourly", "fixed", "adaptive"};  // as Mode has them
  ScheduleConfig schedule;
  const auto mode = reader.choice("mode", modes);
  const auto interval = reader.seconds("interval", minute, day);
  if (mode)
    schedule.mode = static_cast<Mode>(*mode);
  else if (interval)
    schedule.mode = Mode::fixed;
  if (schedule.mode == Mode::fixed) {
    if (!reader.has("interval")) reader.error("mode", "\"fixed\" needs an interval such as \"15 min\"");
    schedule.interval = interval.value_or(schedule.interval);
  } else if (interval && *interval != hour) {
    reader.error("interval", "goes with mode = \"fixed\": \"" + modes[static_cast<std::size_t>(schedule.mode)] +
                                 "\" has an interval of its own");
  }

  if (schedule.mode == Mode::adaptive) {
    schedule.budget = read_budget(reader, table);
    schedule.max_interval = reader.seconds("max_interval", minute, 7 * day).value_or(schedule.max_interval);
  } else {
    constexpr std::string_view why = "goes with mode = \"adaptive\"";
    for (const std::string_view key : {"budget", "target_delay", "max_interval"}) refuse(reader, key, why);
  }
  return schedule;
}

}  // namespace remitod::daemon
