// Ours beside the system that we take over from: which shipments come out the same, which differ and how, and who saw
// it first. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/shadow.h"

namespace remitod::daemon {

struct ShadowDifference {
  enum class Kind : std::uint8_t {
    other_end,     ///< the last status of the two is not the same
    only_theirs,   ///< they saw a status on the way that we did not
    only_ours,     ///< and the other way round
    unknown_word,  ///< theirs is no status that we know, in our words or in Spanish
  };
  std::string remito;
  Kind kind = Kind::other_end;
  std::string ours, theirs;  ///< status words; empty: none
};
std::string_view name(ShadowDifference::Kind kind);

struct ShadowComparison {
  std::size_t shipments = 0;                   ///< that either of the two saw change
  std::size_t same = 0;                        ///< of them: without a difference
  std::size_t only_ours = 0, only_theirs = 0;  ///< seen by one of the two alone
  std::vector<ShadowDifference> differences;   ///< by remito
  /// Of the statuses that both saw: how much earlier we did; negative: later. None: there are no such.
  std::size_t both_saw = 0;
  std::optional<std::chrono::seconds> median_lead;
};
ShadowComparison compare_shadow(const std::vector<db::SeenStatus>& ours, const std::vector<db::SeenStatus>& theirs);

/// Rows of CSV, with a line of names first: remito, status, seen_at, and if you like occurred_at; commas or semicolons.
/// Moments are RFC 3339 or microseconds since 1970. The error names the line.
std::expected<std::vector<db::SeenStatus>, std::string> parse_legacy_csv(std::string_view text);

}  // namespace remitod::daemon
