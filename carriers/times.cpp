#include "carriers/times.h"

#include <date/tz.h>

#include <algorithm>
#include <stdexcept>

#include "carriers/excerpt.h"
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

/// The moment of a local time; of two, the earlier; of none, the one at which the clock jumped over it.
OccurredAt resolve(std::chrono::local_time<microseconds> local, const date::time_zone& zone) {
  const microseconds since_epoch = local.time_since_epoch();
  const date::local_info info = zone.get_info(date::local_time<microseconds>{since_epoch});
  OccurredAt occurred{.at = Instant{since_epoch - info.first.offset}, .zone = ZoneSource::profile};
  if (info.result == date::local_info::nonexistent) occurred.at = info.first.end;
  occurred.resolved_by_rule = info.result != date::local_info::unique;
  return occurred;
}

/// Years that systems write for "none" (0001, 1900, 1970), a two-digit year read as four, milliseconds read as seconds.
bool is_plausible(Instant at) {
  using std::chrono::sys_days, std::chrono::January, std::chrono::year;
  return at >= sys_days{year{1990} / January / 1} && at < sys_days{year{2200} / January / 1};
}

}  // namespace

struct TimeReader::Impl {
  const date::time_zone* zone;
  std::vector<TimeFormat> formats;
};

TimeReader::TimeReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TimeReader::TimeReader(TimeReader&&) noexcept = default;
TimeReader& TimeReader::operator=(TimeReader&&) noexcept = default;
TimeReader::~TimeReader() = default;

std::expected<TimeReader, std::string> TimeReader::make(std::vector<std::string> formats, std::string_view zone) {
  auto impl = std::make_unique<Impl>();
  impl->zone = find_zone(zone);
  if (impl->zone == nullptr) return std::unexpected("unknown time zone '" + std::string(zone) + "'");
  if (formats.empty()) return std::unexpected("no time format");
  for (std::string& text : formats) {
    auto format = TimeFormat::make(std::move(text));
    if (!format) return std::unexpected(std::move(format.error()));
    impl->formats.push_back(*std::move(format));
  }
  return TimeReader(std::move(impl));
}

std::expected<OccurredAt, std::string> TimeReader::read(std::string_view text) const {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  text = text.substr(0, text.find_last_not_of(blanks) + 1);
  for (const TimeFormat& format : impl_->formats) {
    const std::optional<WrittenTime> written = format.read(text);
    if (!written) continue;
    OccurredAt occurred;
    if (written->offset)
      occurred = {.at = Instant{written->local.time_since_epoch() - *written->offset}, .zone = ZoneSource::offset};
    else
      occurred = resolve(written->local, *impl_->zone);
    occurred.date_only = written->date_only;
    if (is_plausible(occurred.at)) return occurred;
  }
  std::string message = "'" + excerpt(text, 0, 60) + "' is not a time in ";
  for (const TimeFormat& format : impl_->formats)
    message += (&format == &impl_->formats.front() ? "'" : " or '") + format.text() + "'";
  return std::unexpected(std::move(message));
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
