// Expectations, written: what was read from an answer, as a sample states it.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "carriers/body_charset.h"
#include "carriers/sample.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Of each kind, in the order of its enum.
constexpr std::array report_kinds{"events", "snapshot", "not_found_yet", "gone"};
constexpr std::array create_kinds{"granted", "refused", "unknown", "accepted", "number_refused", "try_again"};
constexpr std::array confirm_kinds{"granted", "refused", "pending", "unclear"};
constexpr std::array find_kinds{"found", "several", "not_found", "unclear"};
constexpr std::array cancel_kinds{"accepted", "refused", "unclear", "try_again"};
constexpr std::array lookup_kinds{"found", "unclear"};
constexpr std::array quote_kinds{"quoted", "refused", "unclear"};

template <std::size_t count, class Kind>
const char* word(const std::array<const char*, count>& words, Kind kind) {
  return words.at(static_cast<std::size_t>(kind));
}

/// On one line. Carriers send headers whose bytes are no text.
template <class Json>
std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

json to_json(const TrackingEvent& event) {
  json object{{"code", event.code}, {"text", event.text}, {"status", name(event.status)}, {"position", event.position}};
  if (event.reason != Reason::none) object["reason"] = name(event.reason);
  if (!event.place.empty()) object["place"] = event.place;
  if (event.occurred_at) {
    object["occurred_at"] = to_iso8601(event.occurred_at->at);
    object["zone"] = name(event.occurred_at->zone);
    if (event.occurred_at->date_only) object["date_only"] = true;
  }
  return object;
}

/// The order in which a person reads an event.
std::string event_line(const json& event) {
  ordered_json line;
  for (const char* key : {"code", "text", "status", "reason", "occurred_at", "zone", "date_only", "place", "position"})
    if (event.contains(key)) line[key] = event[key];
  return text_of(line);
}

std::string report_lines(const json& report) {
  std::string text =
      "    {\"remito\": " + text_of(report["remito"]) + ", \"kind\": " + text_of(report["kind"]) + ", \"events\": [";
  const char* between = "\n";
  for (const json& event : report["events"]) {
    text += between + ("      " + event_line(event));
    between = ",\n";
  }
  return text + (report["events"].empty() ? "]}" : "\n    ]}");
}

/// The members of an expectation that say what is read.
std::string read_lines(const json& read) {
  std::string text;
  if (read.contains("reports")) {
    text += "  \"reports\": [";
    const char* between = "\n";
    for (const json& report : read["reports"]) {
      text += between + report_lines(report);
      between = ",\n";
    }
    text += read["reports"].empty() ? "],\n" : "\n  ],\n";
    return text + "  \"missing\": " + text_of(read["missing"]) + ",\n  \"extra\": " + text_of(read["extra"]) +
           ",\n  \"errors\": " + text_of(read["errors"]) + "\n";
  }
  const char* between = "";
  for (const auto& [key, value] : read.items()) {
    text += between + ("  " + text_of(json(key)) + ": " + text_of(value));
    between = ",\n";
  }
  return text + "\n";
}

/// One header a line, and one line of the body.
std::string request_lines(const json& request) {
  std::string text = "  \"request\": {";
  const char* between = "\n";
  for (const char* key : {"method", "url", "headers", "body"}) {
    std::string value = request[key].dump(2, ' ', false, json::error_handler_t::replace);
    for (std::size_t at = 0; (at = value.find('\n', at)) != value.npos; at += 5) value.insert(at + 1, "    ");
    text += between + ("    " + text_of(json(key)) + ": " + value);
    between = ",\n";
  }
  return text + "\n  }";
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1))
    lines.emplace_back(text.substr(0, end));
  lines.emplace_back(text);
  return lines;
}

/// Behind the string or the one character that begins at `at`.
std::size_t behind(std::string_view text, std::size_t at) {
  if (text[at] != '"') return at + 1;
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

/// Without `"request": {}` among the members of the object that the text is, and the comma that belongs to it.
std::string without_empty_request(std::string text) {
  constexpr std::string_view key = "\"request\"", blanks = " \t\r\n";
  const auto skip = [&text, blanks](std::size_t at, char expected) {
    at = text.find_first_not_of(blanks, at);
    return at != text.npos && text[at] == expected ? at + 1 : text.npos;
  };
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); at = behind(text, at)) {
    if (text[at] == '{' || text[at] == '[') ++depth;
    if (text[at] == '}' || text[at] == ']') --depth;
    if (depth != 1 || text.compare(at, key.size(), key) != 0) continue;
    std::size_t end = at + key.size();
    for (const char expected : {':', '{', '}'})
      if (end != text.npos) end = skip(end, expected);
    if (end == text.npos) continue;
    std::size_t begin = text.find_last_not_of(blanks, at - 1) + 1;
    if (const std::size_t comma = skip(end, ','); comma != text.npos)
      end = comma;
    else if (text[begin - 1] == ',')
      --begin;
    return text.erase(begin, end - begin);
  }
  return text;
}

}  // namespace

json told(const HttpRequest& request) {
  const std::string text = readable_body(request);
  json body = text;
  if (text.contains('\n')) body = lines_of(text);
  return {{"method", request.method}, {"url", request.url}, {"headers", request.headers}, {"body", std::move(body)}};
}

std::string completed_expectation(std::string_view given, const json& request, const json& read) {
  std::string text = request.is_null() ? std::string(given) : without_empty_request(std::string(given));
  text.resize(text.rfind('}'));
  std::string completed(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
  completed += completed.ends_with('{') ? "\n" : ",\n";
  if (!request.is_null()) completed += request_lines(request) + (read.is_null() ? "\n" : ",\n");
  if (!read.is_null()) completed += read_lines(read);
  return completed + "}\n";
}

json told(const std::expected<TrackAnswer, CarrierTrouble>& answer) {
  if (!answer) {
    json trouble{{"kind", name(answer.error().kind)}, {"message_contains", answer.error().message}};
    return {{"trouble", std::move(trouble)}};
  }
  json reports = json::array();
  for (const Report& report : answer->reports) {
    json events = json::array();
    for (const TrackingEvent& event : report.events) events.push_back(to_json(event));
    reports.push_back(
        json{{"remito", report.remito}, {"kind", word(report_kinds, report.kind)}, {"events", std::move(events)}});
  }
  json errors = json::array();
  for (const RowError& error : answer->errors)
    errors.push_back(json{{"remito", error.remito}, {"message_contains", error.message}});
  return {{"reports", std::move(reports)},
          {"missing", answer->missing},
          {"extra", answer->extra},
          {"errors", std::move(errors)}};
}

json told(const CreateAnswer& answer) {
  json created{{"kind", word(create_kinds, answer.kind)},
               {"remito", answer.remito},
               {"refusal_code", answer.refusal_code},
               {"refusal_text", answer.refusal_text}};
  return {{"created", std::move(created)}};
}

json told(const ConfirmAnswer& answer) {
  json confirmed{{"kind", word(confirm_kinds, answer.kind)},
                 {"remito", answer.remito},
                 {"refusal_code", answer.refusal_code},
                 {"refusal_text", answer.refusal_text}};
  return {{"confirmed", std::move(confirmed)}};
}

json told(const FindAnswer& answer) {
  json found{{"kind", word(find_kinds, answer.kind)}, {"remito", answer.remito}, {"text", answer.text}};
  if (answer.parcels) found["parcels"] = *answer.parcels;
  return {{"found", std::move(found)}};
}

json told(const CancelAnswer& answer) {
  json cancelled{{"kind", word(cancel_kinds, answer.kind)},
                 {"refusal_code", answer.refusal_code},
                 {"refusal_text", answer.refusal_text}};
  return {{"cancelled", std::move(cancelled)}};
}

json told(const CancelLookupAnswer& answer) {
  json found{{"kind", word(lookup_kinds, answer.kind)}, {"shipment_id", answer.shipment_id}, {"text", answer.text}};
  return {{"looked_up", std::move(found)}};
}

json told(const QuoteAnswer& answer) {
  json quoted{{"kind", word(quote_kinds, answer.kind)},
              {"price", answer.price},
              {"currency", answer.currency},
              {"text", answer.text}};
  if (answer.days) quoted["days"] = *answer.days;
  return {{"quoted", std::move(quoted)}};
}

std::string expectation_text(const ordered_json& expectation, const json& read) {
  std::string text = "{\n";
  for (const auto& [key, value] : expectation.items())
    text += "  " + text_of(json(key)) + ": " + text_of(value) + ",\n";
  return text + read_lines(read) + "}\n";
}

}  // namespace remitod::carriers
