#include "tests/acceptance/judge_rules.h"

#include <date/tz.h>

#include <algorithm>
#include <map>

namespace remitod::acceptance {

namespace {

using std::chrono::minutes;

LocalMinute local_minute(const OccurredAt& at, std::string_view zone) {
  const auto local = date::locate_zone(zone)->to_local(at.at);
  return LocalMinute{date::floor<minutes>(local.time_since_epoch())};
}

/// Is this offset from UTC written anywhere in the answers, in one of the usual spellings?
bool is_written(minutes offset, std::span<const std::string> answers) {
  const int count = static_cast<int>(std::abs(offset.count()));
  if (count > 14 * 60) return false;
  const std::string sign = offset < minutes{0} ? "-" : "+";
  const auto two = [](int number) { return std::string(number < 10 ? "0" : "") + std::to_string(number); };
  std::vector<std::string> spellings{sign + two(count / 60) + ":" + two(count % 60),
                                     sign + two(count / 60) + two(count % 60)};
  if (count == 0) spellings.insert(spellings.end(), {"Z\"", "Z<", "UTC", "GMT"});
  return std::ranges::any_of(answers, [&](const std::string& answer) {
    return std::ranges::any_of(spellings, [&](const std::string& spelling) { return answer.contains(spelling); });
  });
}

std::string minute_text(LocalMinute at, bool day_only) {
  const date::local_time<minutes> local{at.time_since_epoch()};
  return date::format(day_only ? "%F" : "%F %H:%M", local);
}

/// Blanks collapsed and none at the ends.
std::string collapsed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank)
      result += c;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

std::vector<std::string> sorted_words(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (std::string_view{" \t\r\n,;/-()"}.contains(c)) {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  std::ranges::sort(words);
  return words;
}

/// What the peer's words for a status can be here. Theirs are coarser.
const std::set<Status>& statuses_of(const std::string& word) {
  using enum Status;
  static const std::map<std::string, std::set<Status>> words{
      {"pending", {registered}},
      {"picked_up", {picked_up}},
      {"in_transit", {in_transit}},
      {"out_for_delivery", {out_for_delivery}},
      {"ready_for_pickup", {available_for_pickup}},
      {"on_hold", {exception}},
      {"delivered", {delivered}},
      {"delivery_failed", {attempt_failed, exception, returning, returned, cancelled}},
      {"delivery_delayed", {exception, attempt_failed}},
      {"return_to_sender", {returning, returned}},
      {"cancelled", {cancelled}},
      {"unknown", {unmapped}},
  };
  static const std::set<Status> none;
  const auto found = words.find(word);
  return found == words.end() ? none : found->second;
}

bool means(const std::set<std::string>& words, Status status) {
  return std::ranges::any_of(words, [&](const std::string& word) { return statuses_of(word).contains(status); });
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// The words of the carrier's table for this event, by its code or its text.
std::set<std::string> table_words(const ExpectedEvent& event, const StatusTable& statuses, const TrackingEvent& read) {
  for (const std::string* key : {&read.code, &event.code, &event.text, &read.text}) {
    for (const auto& [code, words] : statuses) {
      if (!key->empty() && equal_without_case(code, *key)) return words;
    }
  }
  return {};
}

}  // namespace

bool same_time(const ExpectedEvent& expected, const std::optional<OccurredAt>& read, std::string_view zone,
               std::span<const std::string> answers) {
  if (!expected.at || !read) return !expected.at;
  const LocalMinute local = local_minute(*read, zone);
  if (expected.day_only || read->date_only)
    return expected.day_only && date::floor<date::days>(local.time_since_epoch()) ==
                                    date::floor<date::days>(expected.at->time_since_epoch());
  if (local == *expected.at) return true;
  const auto utc = date::floor<minutes>(read->at.time_since_epoch());
  return read->zone == ZoneSource::offset && is_written(expected.at->time_since_epoch() - utc, answers);
}

std::string local_text(const std::optional<OccurredAt>& read, std::string_view zone) {
  return read ? minute_text(local_minute(*read, zone), read->date_only) : "";
}

std::string local_text(const ExpectedEvent& expected) {
  return expected.at ? minute_text(*expected.at, expected.day_only) : "";
}

bool same_text(std::string_view expected, const TrackingEvent& read) {
  const std::string wanted = collapsed(expected);
  return wanted == read.text || read.text.starts_with(wanted + ": ") || (read.text.empty() && wanted == read.code);
}

bool same_place(std::string_view expected, std::string_view read) {
  return sorted_words(expected) == sorted_words(read);
}

bool is_in_table(const ExpectedEvent& event, const StatusTable& statuses, const TrackingEvent& read) {
  return !table_words(event, statuses, read).empty();
}

Judgement judge_status(const ExpectedShipment& shipment, const ExpectedEvent& event, const StatusTable& statuses,
                       const TrackingEvent& read) {
  using enum Judgement;
  const bool unmapped = read.status == Status::unmapped;
  const std::set<std::string> by_table = table_words(event, statuses, read);
  if (!by_table.empty()) return means(by_table, read.status) ? right : unmapped ? unread : wrong;
  if (means({shipment.status, event.status}, read.status)) return right;
  const bool delivered = read.status == Status::delivered;
  if (shipment.delivered && delivered != *shipment.delivered) return unmapped ? unread : wrong;
  return right;
}

}  // namespace remitod::acceptance
