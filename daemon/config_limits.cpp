#include "daemon/config_limits.h"

#include <utility>

#include "scheduler/adaptive_config.h"

namespace remitod::daemon {
namespace {

using carriers::ProfileError;
using carriers::StatedTexts;
using carriers::TableReader;
using scheduler::Calendar;
using scheduler::HoursRule;

constexpr double rate_min = 0.001, rate_max = 10'000;
constexpr int quota_max = 100'000'000;

std::optional<int> whole(TableReader& reader, std::string_view key, int at_most) {
  const auto found = reader.integer(key, 1, at_most);
  return found ? std::optional(static_cast<int>(*found)) : std::nullopt;
}

std::optional<StatedTexts> texts(TableReader& reader, std::string_view key) {
  if (!reader.has(key)) return std::nullopt;
  return StatedTexts{reader.texts(key), reader.line_of(key)};
}

/// Texts with where they stand.
struct StatedAt {
  const StatedTexts& stated;
  std::string file, key;
};

StatedAt either(const std::optional<StatedTexts>& installation, const StatedTexts& profile, std::string_view key,
                const LimitsSource& source) {
  if (installation)
    return {*installation, source.config_file.string(), "carriers." + source.carrier + "." + std::string(key)};
  return {profile, source.profile_file.string(), "limits." + std::string(key)};
}

std::vector<std::string> spelled_out(const std::vector<std::string>& holidays, const NamedHolidays& named) {
  std::vector<std::string> all;
  for (const std::string& holiday : holidays) {
    if (const auto list = named.find(holiday); list != named.end())
      all.insert(all.end(), list->second.texts.begin(), list->second.texts.end());
    else
      all.push_back(holiday);
  }
  return all;
}

std::vector<HoursRule> read_rules(const StatedAt& from, std::vector<ProfileError>& errors) {
  std::vector<HoursRule> rules;
  for (const std::string& text : from.stated.texts) {
    const auto rule = HoursRule::parse(text);
    if (rule)
      rules.push_back(*rule);
    else
      errors.push_back({from.file, from.stated.line, from.key, rule.error()});
  }
  return rules;
}

std::shared_ptr<const Calendar> carrier_calendar(const LimitsConfig& stated, const carriers::Profile& profile,
                                                 const NamedHolidays& named, const LimitsSource& source,
                                                 std::vector<ProfileError>& errors) {
  const StatedAt holidays = either(stated.holidays, profile.limits().holidays, "holidays", source);
  auto calendar = Calendar::make(profile.zone(), spelled_out(holidays.stated.texts, named));
  if (calendar) return std::make_shared<const Calendar>(*std::move(calendar));
  errors.push_back({holidays.file, holidays.stated.line, holidays.key, calendar.error()});
  return nullptr;
}

struct StatedHours {
  std::vector<HoursRule> windows, blackouts;
};

StatedHours read_hours(const LimitsConfig& stated, const carriers::ProfileLimits& limits, const LimitsSource& source,
                       std::vector<ProfileError>& errors) {
  StatedHours hours;
  hours.windows = read_rules(either(stated.windows, limits.windows, "windows", source), errors);
  hours.blackouts = read_rules(either(stated.blackouts, limits.blackouts, "blackouts", source), errors);
  return hours;
}

std::shared_ptr<const scheduler::OpenHours> open_hours(StatedHours hours,
                                                       const std::shared_ptr<const Calendar>& calendar) {
  if (!calendar || (hours.windows.empty() && hours.blackouts.empty())) return nullptr;
  return std::make_shared<scheduler::OpenHours>(*calendar, std::move(hours.windows), std::move(hours.blackouts));
}

/// What the profile says stands at its top, unlike its limits.
std::vector<scheduler::PublicationHint> publication_hints(const LimitsConfig& stated, const carriers::Profile& profile,
                                                          const LimitsSource& source,
                                                          std::vector<ProfileError>& errors) {
  StatedAt from = either(stated.publishes, profile.publishes(), "publishes", source);
  if (!stated.publishes) from.key = "publishes";
  std::vector<scheduler::PublicationHint> hints;
  for (const std::string& text : from.stated.texts) {
    const auto hint = scheduler::PublicationHint::parse(text);
    if (hint)
      hints.push_back(*hint);
    else
      errors.push_back({from.file, from.stated.line, from.key, hint.error()});
  }
  return hints;
}

std::optional<int> either(std::optional<int> installation, std::optional<int> profile) {
  return installation ? installation : profile;
}

}  // namespace

LimitsConfig read_limits(TableReader& reader) {
  LimitsConfig limits;
  limits.requests_per_second = reader.number("requests_per_second", rate_min, rate_max);
  limits.requests_per_minute = whole(reader, "requests_per_minute", quota_max);
  limits.requests_per_hour = whole(reader, "requests_per_hour", quota_max);
  limits.requests_per_day = whole(reader, "requests_per_day", quota_max);
  limits.concurrency = whole(reader, "concurrency", 1024);
  limits.batch_max = whole(reader, "batch_max", 1000);
  limits.windows = texts(reader, "windows");
  limits.blackouts = texts(reader, "blackouts");
  limits.holidays = texts(reader, "holidays");
  if (reader.has("publishes"))
    limits.publishes = StatedTexts{reader.text_or_texts("publishes"), reader.line_of("publishes")};
  return limits;
}

NamedHolidays read_holidays(TableReader& root) {
  NamedHolidays named;
  std::optional<TableReader> reader = root.table("holidays");
  if (!reader) return named;
  for (const std::string& name : reader->keys()) {
    StatedTexts list{reader->texts(name), reader->line_of(name)};
    if (const auto calendar = Calendar::make("UTC", list.texts); !calendar) reader->error(name, calendar.error());
    named.emplace(name, std::move(list));
  }
  return named;
}

scheduler::LaneConfig lane_config(const LimitsConfig& stated, const scheduler::ScheduleConfig& schedule,
                                  const carriers::Profile& profile, const NamedHolidays& named,
                                  const LimitsSource& source, std::vector<ProfileError>& errors) {
  const carriers::ProfileLimits& limits = profile.limits();
  const auto refuse = [&](std::string_view key, long at_most, std::string_view whose) {
    errors.push_back({source.config_file.string(), source.carrier_line,
                      "carriers." + source.carrier + "." + std::string(key),
                      "expected at most " + std::to_string(at_most) + ", the profile's" + std::string(whose)});
  };
  scheduler::LaneConfig lane;
  lane.carrier = source.carrier;
  lane.requests_per_second = stated.requests_per_second.value_or(limits.requests_per_second);
  lane.requests_per_minute = either(stated.requests_per_minute, limits.requests_per_minute);
  lane.requests_per_hour = either(stated.requests_per_hour, limits.requests_per_hour);
  lane.requests_per_day = either(stated.requests_per_day, limits.requests_per_day);
  lane.leaves_tenth_for_creates = profile.can_create();
  StatedHours hours = read_hours(stated, limits, source, errors);
  const std::shared_ptr<const Calendar> calendar = carrier_calendar(stated, profile, named, source, errors);
  lane.hours = open_hours(std::move(hours), calendar);
  lane.interval = schedule.interval;
  std::vector<scheduler::PublicationHint> hints = publication_hints(stated, profile, source, errors);
  if (schedule.mode == scheduler::Mode::adaptive)
    lane.adaptive = std::make_shared<const scheduler::AdaptiveConfig>(
        scheduler::AdaptiveConfig{.calendar = calendar,
                                  .budget = schedule.budget,
                                  .max_interval = schedule.max_interval,
                                  .hints = std::move(hints)});
  lane.concurrency = stated.concurrency.value_or(limits.concurrency);
  lane.batch_max = stated.batch_max.value_or(limits.batch_max);
  if (lane.batch_max > limits.batch_max) refuse("batch_max", limits.batch_max, "");
  const long connections = profile.transport_options()->connections_per_host_max;
  if (lane.concurrency > connections) refuse("concurrency", connections, " transport.connections_per_host_max");
  return lane;
}

std::vector<ProfileError> hours_errors(const carriers::Profile& profile, const std::filesystem::path& profile_file) {
  std::vector<ProfileError> errors;
  const LimitsSource source{{}, profile_file, profile.name(), 0};
  read_hours({}, profile.limits(), source, errors);
  carrier_calendar({}, profile, {}, source, errors);
  publication_hints({}, profile, source, errors);
  return errors;
}

}  // namespace remitod::daemon
