// When is one value as good as another? The rules of the corpus' README.md, one function each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "carriers/tracking.h"
#include "tests/acceptance/case_file.h"

namespace remitod::acceptance {

/// Local times as the carrier wrote them: the same minute in the zone of the profile, or at an offset from UTC that
/// stands in the answer.
bool same_time(const ExpectedEvent& expected, const std::optional<OccurredAt>& read, std::string_view zone,
               std::span<const std::string> answers);
/// The local time in the profile's zone, as messages and deviations have it: "2026-11-24 09:15".
std::string local_text(const std::optional<OccurredAt>& read, std::string_view zone);
std::string local_text(const ExpectedEvent& expected);

/// The same but for blanks; `read` may be followed by the reason of the event, and a text that only repeats the code
/// need not be read as well.
bool same_text(std::string_view expected, const TrackingEvent& read);

/// The same words, in whatever order and with whatever between them: how parts are joined is each reader's own.
bool same_place(std::string_view expected, std::string_view read);

/// Does the carrier's own table have this event's code or text?
bool is_in_table(const ExpectedEvent& event, const StatusTable& statuses, const TrackingEvent& read);

enum class Judgement : std::uint8_t { right, wrong, unread };
/// The carrier's own table decides where it has the code; else `unmapped` is right unless the peer knows that the
/// shipment is delivered.
Judgement judge_status(const ExpectedShipment& shipment, const ExpectedEvent& event, const StatusTable& statuses,
                       const TrackingEvent& read);

}  // namespace remitod::acceptance
