// What was expected of an answer against what was read from it. Private to carriers/.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "carriers/check.h"
#include "carriers/mapping.h"
#include "carriers/profile_lines.h"

namespace remitod::carriers {

/// How the answer was read.
struct Replay {
  std::string operation;          ///< whose tables decided
  bool newest_first = false;      ///< the profile's
  std::vector<RulesTaken> taken;  ///< of map_track
  const ProfileLines& lines;
};

/// Both in the shape of Expectation::read. Reports are matched by remito, events by position; of messages the
/// expectation holds a part, of a refusal's text the beginning.
std::vector<Deviation> differences(const nlohmann::json& expected, const nlohmann::json& read, const Replay& replay);

}  // namespace remitod::carriers
