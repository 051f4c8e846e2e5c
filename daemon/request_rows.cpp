#include "daemon/request_rows.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "carriers/nearest_word.h"
#include "daemon/shallow_json.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

const std::vector<std::string> columns{"request_key", "order_number", "parcel_group", "carrier",
                                       "service",     "payload",      "requested_at"};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

class RowReader {
 public:
  explicit RowReader(const json& row) : row_(row) {}

  std::expected<db::PlatformRequest, std::string> read() {
    if (!row_.is_object()) return std::unexpected("expected an object with the columns of remito_requests");
    for (const auto& [key, value] : row_.items())
      if (std::ranges::find(columns, key) == columns.end())
        return std::unexpected(key + ": is no column that can be written" + carriers::did_you_mean(key, columns));
    db::PlatformRequest request;
    request.request_key = text("request_key", true);
    request.order_number = text("order_number", true);
    request.carrier = text("carrier", true);
    request.service = text("service", false);
    request.parcel_group = parcel_group();
    request.payload = payload();
    request.requested_at = requested_at();
    if (!problem_.empty()) return std::unexpected(problem_);
    return request;
  }

 private:
  void fail(const char* key, std::string_view what) {
    if (problem_.empty()) problem_ = std::string(key) + ": " + std::string(what);
  }

  std::string text(const char* key, bool is_required) {
    const auto found = row_.find(key);
    const bool is_text = found != row_.end() && found->is_string();
    if (found != row_.end() && !is_text) fail(key, "expected a text");
    std::string result = is_text ? found->get<std::string>() : std::string{};
    if (is_required && is_blank(result)) fail(key, "is missing or empty");
    return result;
  }

  int parcel_group() {
    const auto found = row_.find("parcel_group");
    if (found == row_.end()) return 1;
    if (!found->is_number_integer() || *found < 1 || *found > std::numeric_limits<int>::max()) {
      fail("parcel_group", "expected 1, 2, ...");
      return 1;
    }
    return found->get<int>();
  }

  std::string payload() {
    const auto found = row_.find("payload");
    if (found == row_.end()) return "{}";
    if (!found->is_object()) fail("payload", "expected an object (db/README.md)");
    return found->dump(-1, ' ', false, json::error_handler_t::replace);
  }

  std::optional<Instant> requested_at() {
    const auto found = row_.find("requested_at");
    if (found == row_.end()) return std::nullopt;
    if (found->is_number_integer()) return from_micros(found->get<std::int64_t>());
    const auto at = found->is_string() ? from_iso8601(found->get<std::string>()) : std::nullopt;
    if (!at) fail("requested_at", "expected a moment such as 2026-11-23T12:00:00-05:00, or microseconds");
    return at;
  }

  const json& row_;
  std::string problem_;
};

/// With the lines that they begin at.
std::vector<std::pair<std::size_t, json>> split(std::string_view text) {
  if (json whole = parse_shallow_json(text); !whole.is_discarded()) {
    std::vector<std::pair<std::size_t, json>> rows;
    if (whole.is_array())
      for (json& row : whole) rows.emplace_back(1, std::move(row));
    else
      rows.emplace_back(1, std::move(whole));
    return rows;
  }
  std::vector<std::pair<std::size_t, json>> rows;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    if (!is_blank(row)) rows.emplace_back(line, parse_shallow_json(row));
  }
  return rows;
}

}  // namespace

std::expected<db::PlatformRequest, std::string> read_request_row(const json& row) {
  return RowReader(row).read();
}

std::expected<std::vector<json>, std::vector<std::string>> read_request_file(std::string_view text) {
  std::vector<json> rows;
  std::vector<std::string> problems;
  for (auto& [line, row] : split(text)) {
    const auto read = row.is_discarded() ? std::unexpected<std::string>("is no JSON") : read_request_row(row);
    if (!read)
      problems.push_back(std::to_string(line) + ": " + read.error());
    else
      rows.push_back(std::move(row));
  }
  if (rows.empty() && problems.empty()) problems.emplace_back("1: holds no request");
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return rows;
}

}  // namespace remitod::daemon
