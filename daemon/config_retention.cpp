#include "daemon/config_retention.h"

#include <string_view>

#include "carriers/table_reader.h"
#include "scheduler/limits_hours.h"

namespace remitod::daemon {
namespace {

using carriers::TableReader;
using std::chrono::hours;

constexpr hours shortest{24}, longest{24 * 3650};
constexpr int mib_max = 102'400;

void read_age(TableReader& reader, std::string_view key, hours& age) {
  const auto stated = reader.hours(key);
  if (!stated) return;
  if (*stated < shortest || *stated > longest)
    reader.error(key, "expected \"1 d\" to \"3650 d\"");
  else
    age = *stated;
}

void read_hours(TableReader& reader, RetentionConfig& retention) {
  if (auto text = reader.text("hours")) {
    if (const auto rule = scheduler::HoursRule::parse(*text); !rule)
      reader.error("hours", rule.error());
    else
      retention.hours = *std::move(text);
  }
  if (auto zone = reader.text("zone")) {
    if (const auto calendar = scheduler::Calendar::make(*zone, {}); !calendar)
      reader.error("zone", calendar.error());
    else
      retention.zone = *std::move(zone);
  }
}

}  // namespace

RetentionConfig read_retention(TableReader& root) {
  RetentionConfig retention;
  auto reader = root.table("retention");
  if (!reader) return retention;
  read_hours(*reader, retention);
  read_age(*reader, "payloads", retention.payloads);
  read_age(*reader, "raw_answers", retention.raw_answers);
  read_age(*reader, "tracking_events", retention.tracking_events);
  read_age(*reader, "transitions", retention.transitions);
  read_age(*reader, "requests", retention.requests);
  read_age(*reader, "resyncs", retention.resyncs);
  read_age(*reader, "sink_letters", retention.sink_letters);
  read_age(*reader, "shipments", retention.shipments);
  read_age(*reader, "legacy_statuses", retention.legacy_statuses);
  read_age(*reader, "erasures", retention.erasures);
  read_age(*reader, "unmapped_codes", retention.unmapped_codes);
  retention.raw_answers_mib =
      static_cast<int>(reader->integer("raw_answers_mib", 1, mib_max).value_or(retention.raw_answers_mib));
  // An answer that is read again meets its shipment's events and transitions, or would tell anew what they told.
  if (retention.raw_answers > retention.tracking_events || retention.raw_answers > retention.transitions)
    reader->error("raw_answers", "expected no more than tracking_events and transitions");
  reader->refuse_other_keys();
  return retention;
}

}  // namespace remitod::daemon
