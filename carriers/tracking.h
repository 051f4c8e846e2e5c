// The nouns of the domain: what a carrier says of a shipment. Everything else speaks in these words.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace remitod {

/// A moment in UTC. Microseconds, because that is what crosses to the database (as one integer).
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// Where a shipment stands. The order of the enumerators is not an order of progress.
enum class Status : std::uint8_t {
  registered,
  picked_up,
  in_transit,
  out_for_delivery,
  available_for_pickup,
  attempt_failed,
  delivered,
  returning,
  returned,
  exception,
  cancelled,
  expired,
  unmapped,  ///< a code that the profile does not know; never shown as in_transit
};
inline constexpr std::size_t status_count = 13;

/// Why an attempt failed or an exception holds. Separate from the status; `none` where nothing is to be explained.
enum class Reason : std::uint8_t {
  none,
  recipient_absent,
  address_not_found,
  recipient_refused,  ///< the buyer desists
  rescheduled,
  access_restricted,
  payment_not_ready,
  business_closed,
  damaged,
  lost,
  out_of_coverage,
  weather,
  security,
  customs,
  other,
};
inline constexpr std::size_t reason_count = 15;

/// The word used in SQL, JSON, logs and profiles: "in_transit".
std::string_view name(Status status);
std::string_view name(Reason reason);  ///< `none` is ""
/// The Spanish label that ops and buyers read: "En Tránsito".
std::string_view label(Status status);
std::string_view label(Reason reason);
std::optional<Status> status_from(std::string_view name);
std::optional<Reason> reason_from(std::string_view name);

/// delivered, returned, cancelled, expired: nothing more is expected, though corrections happen.
bool is_terminal(Status status);

/// How the zone of a time is known.
enum class ZoneSource : std::uint8_t {
  offset,   ///< the carrier wrote it
  profile,  ///< local time in the zone that the profile states
  assumed,  ///< nothing says so: the moment at which we saw it, or for want of better the profile's zone or UTC
};
std::string_view name(ZoneSource source);
std::optional<ZoneSource> zone_source_from(std::string_view name);

/// What the carrier claims as the time of an event.
struct OccurredAt {
  Instant at{};
  ZoneSource zone = ZoneSource::assumed;
  bool date_only = false;         ///< the carrier gave a day; `at` is its local midnight
  bool resolved_by_rule = false;  ///< a clock change repeats or skips this local time: the earlier reading was taken
  friend bool operator==(const OccurredAt&, const OccurredAt&) = default;
};

/// One line of a carrier's tracking history.
struct TrackingEvent {
  std::string code;  ///< the carrier's own; its text where it has no codes
  std::string text;  ///< wording for people; never part of the identity of an event
  Status status = Status::unmapped;
  Reason reason = Reason::none;
  std::optional<OccurredAt> occurred_at;  ///< absent: a snapshot without a time
  std::string place;
  /// Place in the carrier's own list counted from its oldest event, whichever way round the carrier lists them.
  std::uint32_t position = 0;
  friend bool operator==(const TrackingEvent&, const TrackingEvent&) = default;
};

/// What one answer of a carrier says of one shipment.
struct Report {
  enum class Kind : std::uint8_t {
    events,         ///< a history, possibly empty
    snapshot,       ///< only the present state: one event
    not_found_yet,  ///< the carrier does not know the number (normal for hours after creation)
    gone,  ///< it knew the number and will say nothing more of it: deleted, archived. No events; changes nothing
  };
  std::string remito;
  Kind kind = Kind::events;
  std::vector<TrackingEvent> events;
  friend bool operator==(const Report&, const Report&) = default;
};

/// Does such a report say where the shipment stands? Others change nothing.
constexpr bool tells_events(Report::Kind kind) {
  return kind == Report::Kind::events || kind == Report::Kind::snapshot;
}

/// A fingerprint of what was read, for "equal reports: done". Stable within one process only.
std::uint64_t fingerprint(const Report& report);
std::uint64_t fingerprint(std::string_view bytes);

/// Microseconds since the epoch, as the database and JSON hold an instant.
std::int64_t to_micros(Instant instant);
Instant from_micros(std::int64_t micros);
/// "2026-11-23T21:04:05Z", with fractions only where there are any.
std::string to_iso8601(Instant instant);
/// RFC 3339 with an offset or Z, or a plain date (midnight UTC). Empty on anything else.
std::optional<Instant> from_iso8601(std::string_view text);

}  // namespace remitod
