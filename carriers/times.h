// Times as carriers write them -> moments, with how their zone is known.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::carriers {

/// Formats are those of strptime ("%d/%m/%Y %H:%M", "%FT%T%Ez"), and besides: "iso" (RFC 3339; offset, seconds and time
/// optional, fraction of any length), "epoch_s", "epoch_ms". A format without hours is date-only. The whole text must
/// match; blanks around it are ignored. Formats are tried in order. What they may hold:
///   %Y %y %m %d %e %H %I %M   digits, leading zeros optional; %y is 1969 to 2068
///   %S                        seconds with a fraction of any length, cut off at microseconds
///   %p                        AM, p.m., "p. m."
///   %b %B %h                  a month in English or Spanish, in full or its first three letters
///   %a %A                     a weekday, whichever the word
///   %z %Ez                    Z, -05, -0500, -05:00
///   %Z                        UTC or GMT; other abbreviations mean several zones
///   %T %X %R %r %F %D         as strptime spells them out
///
/// Years before 1990 and after 2199 are refused: they are how systems write "none" (0001, 1900, 1970), or were misread.
///
/// Local times are read in `zone`. A local time that a clock change repeats or skips takes the earlier reading
/// (skipped: the moment of the change) and is marked resolved_by_rule. Immutable; any thread.
class TimeReader {
 public:
  /// Errors name the format or zone that is wrong.
  static std::expected<TimeReader, std::string> make(std::vector<std::string> formats, std::string_view zone);
  /// The message quotes the text (at most 60 characters) and the formats.
  std::expected<OccurredAt, std::string> read(std::string_view text) const;

  TimeReader(TimeReader&&) noexcept;
  TimeReader& operator=(TimeReader&&) noexcept;
  ~TimeReader();

 private:
  struct Impl;
  explicit TimeReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Is this an IANA zone name that the system knows?
bool is_zone(std::string_view name);
/// The local calendar day of a moment; UTC for an unknown zone.
std::chrono::year_month_day local_day(Instant at, std::string_view zone);

}  // namespace remitod::carriers
