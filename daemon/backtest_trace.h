// The traces that --backtest reads: what carriers published, and when. CSV, one row per published status:
//
//   ship,carrier,created,published,status,final
//   4711,olva,1767225600,1767301200,in_transit,0
//
// ship, carrier and status: any text without commas. created, published: seconds since the epoch, before 2100. final: 1
// where the status closes the shipment, else 0. A byte order mark before the header and CRLF are as good.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scheduler/backtest.h"

namespace remitod::daemon {

struct Trace {
  std::vector<scheduler::TraceRow> rows;
  std::unordered_map<std::int64_t, std::string> ships, carriers;  ///< as the trace calls them, by their number here
};

/// The error names the line and what was expected in it.
std::expected<Trace, std::string> parse_trace(std::string_view csv);
/// A file, gzipped or not.
std::expected<Trace, std::string> read_trace(const std::string& path);

}  // namespace remitod::daemon
