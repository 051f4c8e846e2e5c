#include "daemon/backtest_trace.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>

#include "carriers/tracking.h"

namespace remitod::daemon {
namespace {

using scheduler::Second;
using scheduler::TraceRow;

constexpr std::string_view header = "ship,carrier,created,published,status,final";
constexpr std::size_t columns = 6;
constexpr std::size_t bytes_max = std::size_t{1} << 30;
/// Spreadsheets begin their CSV with it.
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
/// 2100-01-01: a Second ends in 2106, and a schedule looks ahead.
constexpr Second moment_max = 4'102'444'800;

std::optional<std::array<std::string_view, columns>> split(std::string_view line) {
  std::array<std::string_view, columns> fields;
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t comma = line.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == columns)) return std::nullopt;
    fields[i] = line.substr(0, comma);
    if (fields[i].empty()) return std::nullopt;
    line.remove_prefix(i + 1 == columns ? line.size() : comma + 1);
  }
  return fields;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A number is itself; other text is its hash, which does not depend on what else the trace holds.
std::int64_t name(std::string_view text, std::unordered_map<std::int64_t, std::string>& names) {
  const std::int64_t id = number<std::int64_t>(text).value_or(static_cast<std::int64_t>(fingerprint(text)));
  names.try_emplace(id, text);
  return id;
}

class Reader {
 public:
  /// What is wrong with the line, if something is.
  std::optional<std::string> read(std::string_view line) {
    const auto fields = split(line);
    if (!fields) return "expected six fields: " + std::string(header);
    const auto& [ship, carrier, created, published, status, final] = *fields;
    TraceRow row{.ship = name(ship, trace.ships), .carrier = name(carrier, trace.carriers)};
    const auto created_at = number<Second>(created), published_at = number<Second>(published);
    const auto is_moment = [](std::optional<Second> at) { return at && *at != 0 && *at <= moment_max; };
    if (!is_moment(created_at) || !is_moment(published_at))
      return "created and published: expected seconds since the epoch, before 2100";
    if (final != "0" && final != "1") return "final: expected 0 or 1";
    row.created = *created_at;
    row.published = *published_at;
    row.final = final == "1";
    row.status = statuses_.try_emplace(std::string(status), static_cast<std::int32_t>(statuses_.size())).first->second;
    const auto [first, fresh] = first_rows_.try_emplace(row.ship, row);
    if (!fresh && (first->second.created != row.created || first->second.carrier != row.carrier))
      return "ship " + std::string(ship) + ": expected the same carrier and created as in its first row";
    trace.rows.push_back(row);
    return std::nullopt;
  }

  Trace trace;

 private:
  std::unordered_map<std::string, std::int32_t> statuses_;
  std::unordered_map<std::int64_t, TraceRow> first_rows_;
};

}  // namespace

std::expected<Trace, std::string> parse_trace(std::string_view csv) {
  Reader reader;
  if (csv.starts_with(byte_order_mark)) csv.remove_prefix(byte_order_mark.size());
  for (std::size_t line_number = 1; !csv.empty(); ++line_number) {
    const std::size_t end = csv.find('\n');
    std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::optional<std::string> wrong;
    if (line_number == 1) {
      if (line != header) wrong = "expected the header " + std::string(header);
    } else if (!line.empty()) {
      wrong = reader.read(line);
    }
    if (wrong) return std::unexpected("line " + std::to_string(line_number) + ": " + *wrong);
  }
  if (reader.trace.rows.empty()) return std::unexpected("no rows");
  return std::move(reader.trace);
}

std::expected<Trace, std::string> read_trace(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) return std::unexpected(path + ": cannot be opened");
  std::string text;
  std::array<char, 1 << 16> part;
  for (int read; (read = gzread(file.get(), part.data(), part.size())) != 0;) {
    if (read < 0) return std::unexpected(path + ": cannot be read");
    text.append(part.data(), static_cast<std::size_t>(read));
    if (text.size() > bytes_max) return std::unexpected(path + ": more than 1 GiB");
  }
  int error = Z_OK;  // of the last read, which gives what was there
  gzerror(file.get(), &error);
  if (error != Z_OK) return std::unexpected(path + ": ends in the middle of what was compressed");
  auto trace = parse_trace(text);
  if (!trace) return std::unexpected(path + ": " + trace.error());
  return trace;
}

}  // namespace remitod::daemon
