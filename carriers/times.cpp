#include "carriers/times.h"

#include <date/tz.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <variant>

#include "carriers/excerpt.h"
#include "carriers/time_cursor.h"
#include "carriers/time_format.h"

namespace remitod::carriers {
namespace {

using std::chrono::microseconds;

/// Null where the system knows no such zone, or no zones at all.
const date::time_zone* find_zone(std::string_view name) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

/// How local times become moments: by the clock of a place, or at a fixed distance from UTC.
using Zone = std::variant<const date::time_zone*, std::chrono::minutes>;

/// Names without a '/' are abbreviations: EST is New York's, Brisbane's and, to some, Lima's.
std::optional<Zone> zone_of(std::string_view text) {
  TimeCursor cursor(text);
  if (const auto offset = cursor.offset(); offset && cursor.at_end()) return *offset;
  if (!text.contains('/')) return std::nullopt;
  if (const date::time_zone* const named = find_zone(text)) return named;
  return std::nullopt;
}

/// The moment of a local time; of two, the earlier; of none, the one at which the clock jumped over it.
OccurredAt resolve(std::chrono::local_time<microseconds> local, const date::time_zone& zone) {
  const microseconds since_epoch = local.time_since_epoch();
  const date::local_info info = zone.get_info(date::local_time<microseconds>{since_epoch});
  OccurredAt occurred{.at = Instant{since_epoch - info.first.offset}};
  if (info.result == date::local_info::nonexistent) occurred.at = info.first.end;
  occurred.resolved_by_rule = info.result != date::local_info::unique;
  return occurred;
}

OccurredAt resolve(std::chrono::local_time<microseconds> local, const Zone& zone, ZoneSource source) {
  const auto* const offset = std::get_if<std::chrono::minutes>(&zone);
  OccurredAt occurred = offset ? OccurredAt{.at = Instant{local.time_since_epoch() - *offset}}
                               : resolve(local, *std::get<const date::time_zone*>(zone));
  occurred.zone = source;
  return occurred;
}

/// Years that systems write for "none" (0001, 1900, 1970), a two-digit year read as four, milliseconds read as seconds.
bool is_plausible(Instant at) {
  using std::chrono::sys_days, std::chrono::January, std::chrono::year;
  return at >= sys_days{year{1990} / January / 1} && at < sys_days{year{2200} / January / 1};
}

}  // namespace

struct TimeReader::Impl {
  Zone profile_zone;
  std::vector<TimeFormat> formats;
  std::vector<std::pair<std::string, Zone>> words;

  std::optional<Zone> find(std::string_view text) const {
    const auto word = std::ranges::find(words, text, &std::pair<std::string, Zone>::first);
    return word != words.end() ? word->second : zone_of(text);
  }

  /// Nothing where the text itself names a zone that nobody knows.
  std::optional<OccurredAt> moment_of(const WrittenTime& written, std::string_view zone) const {
    if (written.offset) return resolve(written.local, *written.offset, ZoneSource::offset);
    const std::string_view named = written.zone.empty() ? zone : written.zone;
    if (named.empty()) return resolve(written.local, profile_zone, ZoneSource::profile);
    if (const std::optional<Zone> known = find(named)) return resolve(written.local, *known, ZoneSource::offset);
    if (!written.zone.empty()) return std::nullopt;
    return resolve(written.local, profile_zone, ZoneSource::assumed);
  }
};

TimeReader::TimeReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TimeReader::TimeReader(TimeReader&&) noexcept = default;
TimeReader& TimeReader::operator=(TimeReader&&) noexcept = default;
TimeReader::~TimeReader() = default;

std::expected<TimeReader, std::string> TimeReader::make(std::vector<std::string> formats, std::string_view zone,
                                                        const ZoneWords& words) {
  auto impl = std::make_unique<Impl>();
  const date::time_zone* const profile_zone = find_zone(zone);
  if (profile_zone == nullptr) return std::unexpected("unknown time zone '" + std::string(zone) + "'");
  impl->profile_zone = profile_zone;
  for (const auto& [word, meant] : words) {
    const std::optional<Zone> known = zone_of(meant);
    if (!known) return std::unexpected("unknown time zone '" + meant + "'");
    impl->words.emplace_back(word, *known);
  }
  if (formats.empty()) return std::unexpected("no time format");
  for (std::string& text : formats) {
    auto format = TimeFormat::make(std::move(text));
    if (!format) return std::unexpected(std::move(format.error()));
    impl->formats.push_back(*std::move(format));
  }
  return TimeReader(std::move(impl));
}

std::expected<OccurredAt, std::string> TimeReader::read(std::string_view text, std::string_view zone) const {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  text = text.substr(0, text.find_last_not_of(blanks) + 1);
  for (const TimeFormat& format : impl_->formats) {
    const std::optional<WrittenTime> written = format.read(text);
    if (!written) continue;
    std::optional<OccurredAt> occurred = impl_->moment_of(*written, zone);
    if (!occurred || !is_plausible(occurred->at)) continue;
    occurred->date_only = written->date_only;
    return *occurred;
  }
  std::string message = "'" + excerpt(text, 0, 60) + "' is not a time in ";
  for (const TimeFormat& format : impl_->formats)
    message += (&format == &impl_->formats.front() ? "'" : " or '") + format.text() + "'";
  return std::unexpected(std::move(message));
}

bool names_zone(std::string_view text) {
  return zone_of(text).has_value();
}

bool is_zone(std::string_view name) {
  return find_zone(name) != nullptr;
}

std::chrono::year_month_day local_day(Instant at, std::string_view zone) {
  const date::time_zone* const known = find_zone(zone);
  const std::chrono::seconds offset = known == nullptr ? std::chrono::seconds{0} : known->get_info(at).offset;
  return std::chrono::floor<std::chrono::days>(at + offset);
}

}  // namespace remitod::carriers
