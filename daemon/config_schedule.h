// The keys of [carriers.NAME] that say how its shipments are asked about.
#pragma once

#include "carriers/table_reader.h"
#include "scheduler/schedule_config.h"

namespace remitod::daemon {

/// What is wrong goes to the reader's log; `table` is what it reads.
scheduler::ScheduleConfig read_schedule(carriers::TableReader& reader, const toml::table& table);

}  // namespace remitod::daemon
