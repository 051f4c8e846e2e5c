// A sample of an answer in several pages: would each page have been asked for, and none after the last? Private to
// carriers/.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carriers/check.h"
#include "carriers/mapping.h"
#include "carriers/profile_lines.h"
#include "carriers/sample.h"

namespace remitod::carriers {

/// The shipments that a sample was asked about; they point into `expectation`.
std::vector<TrackItem> asked_items(const Expectation& expectation);

/// Adds what is not as the pages promise. The result says why pages cannot be followed at all. A single page that
/// has no number in its file's name promises nothing: what would come after it may be left out of a sample.
struct SamplePages {
  std::span<const HttpAnswer> answers;
  std::span<const std::string> files;  ///< their names
};
std::optional<std::string> pages_problem(const Profile& profile, const Expectation& expectation,
                                         const SamplePages& pages, std::vector<Deviation>& deviations,
                                         const ProfileLines& lines);

}  // namespace remitod::carriers
