#include "daemon/shadow_compare.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

namespace remitod::daemon {
namespace {

using Kind = ShadowDifference::Kind;

/// Our word, or the Spanish label that people see.
std::optional<Status> status_of(std::string_view word) {
  if (const auto status = status_from(word)) return status;
  for (std::size_t i = 0; i < status_count; ++i)
    if (const auto status = static_cast<Status>(i); label(status) == word) return status;
  return std::nullopt;
}

/// What one system saw of one shipment.
struct Story {
  std::map<Status, Instant> first_seen;
  std::optional<Status> last;
  std::set<std::string> unknown;
};

std::map<std::string, Story> stories(std::vector<db::SeenStatus> seen) {
  std::ranges::stable_sort(seen, {}, &db::SeenStatus::seen_at);
  std::map<std::string, Story> by_remito;
  for (const db::SeenStatus& one : seen) {
    Story& story = by_remito[one.remito];
    const auto status = status_of(one.status);
    if (!status) {
      story.unknown.insert(one.status);
      continue;
    }
    story.first_seen.try_emplace(*status, one.seen_at);
    story.last = status;
  }
  return by_remito;
}

std::string word(std::optional<Status> status) {
  return status ? std::string(name(*status)) : std::string();
}

class Comparer {
 public:
  void compare(const std::string& remito, const Story& ours, const Story& theirs) {
    const std::size_t before = result_.differences.size();
    for (const std::string& unknown : theirs.unknown) differ(remito, Kind::unknown_word, "", unknown);
    if (ours.last != theirs.last) differ(remito, Kind::other_end, word(ours.last), word(theirs.last));
    for (const auto& [status, seen_at] : theirs.first_seen) {
      const auto found = ours.first_seen.find(status);
      if (found != ours.first_seen.end())
        leads_.push_back(std::chrono::duration_cast<std::chrono::seconds>(seen_at - found->second));
      else if (status != theirs.last && status != Status::registered)
        differ(remito, Kind::only_theirs, "", word(status));
    }
    for (const auto& [status, seen_at] : ours.first_seen)
      if (!theirs.first_seen.contains(status) && status != ours.last) differ(remito, Kind::only_ours, word(status), "");
    ++result_.shipments;
    if (result_.differences.size() == before) ++result_.same;
  }
  void only_ours() {
    ++result_.shipments;
    ++result_.only_ours;
  }
  void only_theirs() {
    ++result_.shipments;
    ++result_.only_theirs;
  }

  ShadowComparison take() {
    result_.both_saw = leads_.size();
    if (!leads_.empty()) {
      const auto middle = leads_.begin() + static_cast<std::ptrdiff_t>(leads_.size() / 2);
      std::ranges::nth_element(leads_, middle);
      result_.median_lead = *middle;
    }
    return std::move(result_);
  }

 private:
  void differ(const std::string& remito, Kind kind, std::string ours, std::string theirs) {
    result_.differences.push_back({remito, kind, std::move(ours), std::move(theirs)});
  }
  ShadowComparison result_;
  std::vector<std::chrono::seconds> leads_;
};

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  for (;;) {
    const std::size_t end = line.find(separator);
    std::string_view cell = line.substr(0, end);
    while (!cell.empty() && (cell.front() == ' ' || cell.front() == '"')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '"' || cell.back() == '\r')) cell.remove_suffix(1);
    cells.push_back(cell);
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

std::optional<Instant> moment_of(std::string_view text) {
  std::int64_t micros = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), micros);
  if (error == std::errc{} && end == text.data() + text.size() && text.size() > 8) return from_micros(micros);
  return from_iso8601(text);
}

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::other_end:
      return "other_end";
    case Kind::only_theirs:
      return "only_theirs";
    case Kind::only_ours:
      return "only_ours";
    case Kind::unknown_word:
      return "unknown_word";
  }
  return "";
}

ShadowComparison compare_shadow(const std::vector<db::SeenStatus>& ours, const std::vector<db::SeenStatus>& theirs) {
  const auto our_stories = stories(ours), their_stories = stories(theirs);
  Comparer comparer;
  for (const auto& [remito, story] : their_stories)
    if (const auto found = our_stories.find(remito); found != our_stories.end())
      comparer.compare(remito, found->second, story);
    else
      comparer.only_theirs();
  for (const auto& [remito, story] : our_stories)
    if (!their_stories.contains(remito)) comparer.only_ours();
  return comparer.take();
}

std::expected<std::vector<db::SeenStatus>, std::string> parse_legacy_csv(std::string_view text) {
  std::map<std::string_view, std::size_t> place;  // of a column, by its name
  std::vector<db::SeenStatus> rows;
  char separator = ',';
  for (int line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto wrong = [&](std::string_view what) {
      return std::unexpected("line " + std::to_string(line_number) + ": " + std::string(what));
    };
    if (line_number == 1) {
      separator = line.contains(';') ? ';' : ',';
      for (const std::string_view head : split(line, separator)) place.emplace(head, place.size());
      if (!place.contains("remito") || !place.contains("status") || !place.contains("seen_at"))
        return wrong("expected the names remito, status and seen_at, and if you like occurred_at");
      continue;
    }
    if (line.empty() || line == "\r") continue;
    const auto cells = split(line, separator);
    if (cells.size() != place.size()) return wrong("expected as many columns as the first line has");
    const auto seen_at = moment_of(cells[place["seen_at"]]);
    if (!seen_at) return wrong("seen_at is no moment such as 2026-11-23T10:00:00-05:00");
    const auto occurred_at = place.contains("occurred_at") ? moment_of(cells[place["occurred_at"]]) : std::nullopt;
    rows.push_back({std::string(cells[place["remito"]]), std::string(cells[place["status"]]), occurred_at, *seen_at});
  }
  return rows;
}

}  // namespace remitod::daemon
