// What a carrier allows, as its installation and its profile state it together.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "carriers/table_reader.h"
#include "scheduler/lane.h"
#include "scheduler/limits_hours.h"
#include "scheduler/schedule_config.h"

namespace remitod::daemon {

/// The keys of [carriers.NAME]. Each that is there stands in the place of the profile's.
struct LimitsConfig {
  std::optional<double> requests_per_second;                                    ///< [0.001, 10000]
  std::optional<int> requests_per_minute, requests_per_hour, requests_per_day;  ///< [1, 100000000]
  std::optional<int> concurrency;                                               ///< [1, 1024]
  std::optional<int> batch_max;                                                 ///< [1, 1000], not above the profile's
  std::optional<carriers::StatedTexts> windows, blackouts, holidays, publishes;
};
LimitsConfig read_limits(carriers::TableReader& reader);

/// Lists of holidays by name: [holidays]. One may have the name of a built-in list, and name that: so an installation
/// adds days to it.
using NamedHolidays = std::map<std::string, carriers::StatedTexts, std::less<>>;
NamedHolidays read_holidays(carriers::TableReader& root);

/// Where the two sides of lane_config() stand, for messages.
struct LimitsSource {
  std::filesystem::path config_file, profile_file;
  std::string carrier;
  int carrier_line = 0;
};
/// What is wrong with either side, or does not go together, is added to `errors`.
scheduler::LaneConfig lane_config(const LimitsConfig& stated, const scheduler::ScheduleConfig& schedule,
                                  const carriers::Profile& profile, const NamedHolidays& named,
                                  const LimitsSource& source, std::vector<carriers::ProfileError>& errors);

/// What is wrong with the windows, blackouts and holidays that a profile states.
std::vector<carriers::ProfileError> hours_errors(const carriers::Profile& profile,
                                                 const std::filesystem::path& profile_file);

}  // namespace remitod::daemon
