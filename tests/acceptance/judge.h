// What was read from the answers of a case, against what is expected of it. Pure: it knows neither files nor profiles.
#pragma once

#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/operations.h"
#include "tests/acceptance/case_file.h"

namespace remitod::acceptance {

enum class Field : std::uint8_t { number, events, time, code, text, place, status, failure, cancel };
inline constexpr std::size_t field_count = 9;
std::string_view name(Field field);
std::optional<Field> field_from(std::string_view name);

struct Count {
  int right = 0;
  int wrong = 0;   ///< another value than expected, or one where none belongs
  int unread = 0;  ///< nothing where something is expected
  Count& operator+=(const Count& other);
};
using Counts = std::array<Count, field_count>;

/// One thing that is not as expected.
struct Finding {
  Field field = Field::number;
  bool unread = false;
  std::string expected;
  std::string read;  ///< empty: nothing
};

/// "code: expected 'E7', read 'E8'"
std::string describe(const Finding& finding);

struct Verdict {
  Counts counts{};
  std::vector<Finding> findings;  ///< shipments as expected lists them, the events of each from the oldest on
  bool entirely_right() const { return findings.empty(); }
};

using TrackReading = std::expected<carriers::TrackAnswer, carriers::CarrierTrouble>;

/// `readings`: one for each answer of the case. `zone` is the profile's.
Verdict judge_track(const Case& asked, const StatusTable& statuses, std::string_view zone,
                    std::span<const TrackReading> readings);
Verdict judge_create(const Case& asked, std::span<const carriers::CreateAnswer> readings);
/// A case of Kind::cancel.
Verdict judge_cancel(std::span<const carriers::CancelAnswer> readings);

}  // namespace remitod::acceptance
