// What the journal keeps of a log line besides its text, so that nobody takes texts apart: fields to select by, and the
// id under which systemd/remitod.catalog explains it (systemd.journal-fields(7)). remitod(8) lists them for ops.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log.h"

namespace remitod::daemon {

/// "FIELD=value" each: MESSAGE, PRIORITY and REMITOD_EVENT; REMITOD_CARRIER, REMITOD_ORDER and REMITOD_SHIPMENT
/// (CARRIER:REMITO, as --status takes it) where the line names them; MESSAGE_ID of warnings and errors. Pure.
std::vector<std::string> journal_entry(Level level, std::string_view event, std::initializer_list<Field> fields);

/// 128 bits in hexadecimal that depend on the event's name alone: a new event has one without a list of them.
std::string message_id(std::string_view event);

/// False: no journal takes it. Thread-safe.
bool send_to_journal(const std::vector<std::string>& entry);

}  // namespace remitod::daemon
