// Times as carriers write them -> moments, with how their zone is known.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::carriers {

/// The carrier's words for zones and what they mean: {"EST", "America/New_York"}, {"20", "UTC"}, {"LT", "-05:00"}.
using ZoneWords = std::vector<std::pair<std::string, std::string>>;

/// Formats are those of strptime ("%d/%m/%Y %H:%M", "%FT%T%Ez"), and besides: "iso" (RFC 3339; offset, seconds and time
/// optional, fraction of any length), "epoch_s", "epoch_ms", "json_date" (Microsoft's "/Date(1541763000000-0300)/"). A
/// format without hours is date-only. The whole text must match; blanks around it are ignored, letters match in either
/// case. Formats are tried in order. What they may hold:
///   %Y %y %m %d %e %H %I %M   digits, leading zeros optional unless digits stand beside; %y is 1969 to 2068
///   %S                        seconds with a fraction of any length, cut off at microseconds
///   %f                        the digits of a fraction without its mark
///   %p                        AM, p.m., "p. m."; with %H an hour up to 12 is one of twelve, a later one stands
///   %b %B %h                  a month in English, Spanish, French, German or Portuguese, by three letters at least
///   %a %A                     a weekday, whichever the word
///   %z %Ez                    Z, UTC, GMT, -05, -5, -0500, -05:00, GMT-5
///   %Z                        a zone: UTC, GMT, one of the zone words, an IANA name with its '/'
///   %T %X %R %r %F %D %%      as strptime
/// 24:00 is the next midnight.
///
/// Years before 1990 and after 2199 are refused: they are how systems write "none" (0001, 1900, 1970), or were misread.
///
/// A time without an offset is local: in the zone that is given beside it, else in the profile's. A zone that nobody
/// knows leaves the profile's, marked as assumed. A local time that a clock change repeats or skips takes the earlier
/// reading (skipped: the moment of the change) and is marked resolved_by_rule. Immutable; any thread.
class TimeReader {
 public:
  /// Errors name the format or zone that is wrong.
  static std::expected<TimeReader, std::string> make(std::vector<std::string> formats, std::string_view zone,
                                                     const ZoneWords& words = {});
  /// `zone` is what the carrier says of the zone: one of the zone words, an offset or an IANA name; empty: nothing. The
  /// message quotes the text (at most 60 characters) and the formats.
  std::expected<OccurredAt, std::string> read(std::string_view text, std::string_view zone = {}) const;

  TimeReader(TimeReader&&) noexcept;
  TimeReader& operator=(TimeReader&&) noexcept;
  ~TimeReader();

 private:
  struct Impl;
  explicit TimeReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Is this an offset ("-05:00", "GMT-5") or an IANA zone name with a '/' that the system knows?
bool names_zone(std::string_view text);
/// Is this an IANA zone name that the system knows?
bool is_zone(std::string_view name);
/// The local calendar day of a moment; UTC for an unknown zone.
std::chrono::year_month_day local_day(Instant at, std::string_view zone);

}  // namespace remitod::carriers
