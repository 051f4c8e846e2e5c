// One answer about shipment "1", read by a profile of which only the tables in question are given.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/mapping.h"
#include "tests/carriers/small_profile.h"

namespace remitod::test {

/// A JSON carrier that takes one number a request. `answer` is the rest of [track.answer], `event` all of
/// [track.event], `rules` what follows.
inline std::string one_number_profile(std::string_view answer, std::string_view event, std::string_view rules = "") {
  std::string toml{head};
  toml.replace(toml.find("batch_max = 10"), 14, "batch_max = 1");
  toml += R"toml(
[track]
url = "{{base_url}}/{{remito}}"
[track.answer]
format = "json"
)toml";
  return toml.append(answer).append("\n[track.event]\n").append(event).append("\n").append(rules);
}

/// Throws where the answer as a whole says nothing.
inline carriers::TrackAnswer read_answer(const std::string& profile, const std::string& body, int status = 200) {
  const std::vector<carriers::TrackItem> asked{{"1", Instant{}}};
  auto answer = carriers::map_track(*load_small_profile(profile), json_answer(body, status), asked);
  if (!answer) throw std::runtime_error(answer.error().message);
  return *std::move(answer);
}

/// Throws where a line could not be read.
inline std::vector<TrackingEvent> read_events(const std::string& profile, const std::string& body) {
  carriers::TrackAnswer answer = read_answer(profile, body);
  if (!answer.errors.empty()) throw std::runtime_error(answer.errors[0].message);
  return answer.reports.at(0).events;
}

}  // namespace remitod::test
