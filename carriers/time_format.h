// One format of TimeReader, compiled. Private to carriers/.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// What a text says, before a zone is thought of. Fractions beyond microseconds are cut off.
struct WrittenTime {
  std::chrono::local_time<std::chrono::microseconds> local{};
  std::optional<std::chrono::minutes> offset{};  ///< from UTC, where written
  std::string_view zone{};                       ///< a zone's name where one is written and no offset; of the text read
  bool date_only = false;
};

class TimeFormat {
 public:
  /// The error says what is wrong with the format.
  static std::expected<TimeFormat, std::string> make(std::string format);
  /// `text` has no blanks around it. Nothing unless all of it matches and is a date that exists.
  std::optional<WrittenTime> read(std::string_view text) const;
  const std::string& text() const { return text_; }

 private:
  enum class Kind : std::uint8_t { iso, epoch_seconds, epoch_milliseconds, json_date, pattern };
  std::string text_;
  std::string pattern_;  ///< text_ with %T and the like spelled out
  Kind kind_ = Kind::pattern;
  bool date_only_ = false;
};

}  // namespace remitod::carriers
