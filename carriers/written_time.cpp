#include "carriers/written_time.h"

#include <date/tz.h>

#include <locale>
#include <sstream>
#include <stdexcept>

namespace remitod::carriers {
namespace {

const date::time_zone* find_zone(std::string_view name) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace

std::expected<std::string, std::string> write_time(Instant at, std::string_view format, std::string_view zone) {
  using namespace std::chrono;
  if (format == "epoch_s") return std::to_string(floor<seconds>(at).time_since_epoch().count());
  if (format == "epoch_ms") return std::to_string(floor<milliseconds>(at).time_since_epoch().count());

  std::ostringstream text;
  text.imbue(std::locale::classic());
  const std::string pattern{format};
  const date::sys_seconds moment = floor<seconds>(at);
  if (const date::time_zone* known = find_zone(zone))
    date::to_stream(text, pattern.c_str(), date::make_zoned(known, moment));
  else
    date::to_stream(text, pattern.c_str(), moment);
  // The library lets an unknown conversion stand as it is.
  const std::string written = text.str();
  if (text.fail() || written.empty() || written.contains('%') || !format.contains('%'))
    return std::unexpected("'" + pattern + "' is not a format of a time such as \"%Y-%m-%dT%H:%M:%S\"");
  return written;
}

}  // namespace remitod::carriers
