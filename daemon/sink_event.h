// A transition as its consumers read it: CloudEvents 1.0 in JSON. README.md of this folder has an example, and
// sink_event.schema.json says the same to programs. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "db/sinks.h"

namespace remitod::daemon {

/// The transition's id, as text: what makes a repetition known as one. Equal in every sink and in every attempt.
std::string event_id(const db::Transition& transition);

/// Structured mode, on one line. `time` is when we could know of the change, which every transition has; what the
/// carrier claims is in the data.
std::string cloud_event(const db::ToldTransition& transition);

/// What has to arrive in order: the parcel group of an order, "1001/1". That is the request for its remito and then its
/// shipment, so one key holds both of them together.
std::string order_key(const db::Transition& transition);

/// The Spanish label of a status of shipments or orders; empty for any other text.
std::string_view transition_label(std::string_view status);

}  // namespace remitod::daemon
