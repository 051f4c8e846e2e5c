#include "daemon/try_text.h"

#include <nlohmann/json.hpp>
#include <set>

#include "daemon/painter.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t body_bytes_shown = 64 * 1024;

std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
      shown += c == '\x7F' ? '?' : c;
    else if (c != '\r')
      shown += '?';
  return shown;
}

std::string indented(const std::string& text) {
  std::string lines = "  ";
  for (const char c : printable(text)) lines += c == '\n' ? "\n  " : std::string(1, c);
  while (lines.ends_with(' ') || lines.ends_with('\n')) lines.pop_back();
  return lines.empty() ? "" : lines + "\n";
}

std::string headline(const Painter& paint, const std::string& words) {
  return paint(Colour::cyan, words) + "\n";
}

std::string body_text(const json& page) {
  const std::string body = page.value(page.contains("body_base64") ? "text" : "body", "");
  if (body.empty() && page.contains("body_base64"))
    return "  (bytes in a charset that nobody names: see the tree, or --json)\n";
  if (body.size() <= body_bytes_shown) return indented(body);
  return indented(body.substr(0, body_bytes_shown)) + "  ... (" + std::to_string(body.size()) +
         " bytes in all: --json or --save has them)\n";
}

/// `what`: "" or "login ".
std::string page_text(const json& page, const std::string& what, const std::string& number, const Painter& paint) {
  const std::string charset = page.value("body_charset", "");
  const std::string leaves = charset.empty() ? "" : ", its body in " + printable(charset);
  std::string text = headline(paint, what + "request" + number + leaves) + indented(page.value("request", ""));
  if (page.contains("problem")) text += paint(Colour::red, "  " + printable(page.value("problem", ""))) + "\n";
  if (!page.contains("http_status")) return text;
  text += headline(paint, what + "answer" + number + ": HTTP " + std::to_string(page.value("http_status", 0)) + " " +
                              printable(page.value("content_type", "")) + ", " +
                              std::to_string(page.value("elapsed_ms", 0)) + " ms");
  for (const json& header : page.value("headers", json::array()))
    text += "  " + printable(header.get<std::string>()) + "\n";
  text += body_text(page);
  if (page.contains("tree_problem"))
    return text + paint(Colour::red, "no tree" + number + ": " + printable(page.value("tree_problem", ""))) + "\n";
  text += headline(paint, what + "tree" + number) + indented(page.value("tree", ""));
  for (const json& note : page.value("notes", json::array()))
    text += paint(Colour::yellow, "  note: " + printable(note.get<std::string>())) + "\n";
  return text;
}

std::string event_text(const json& event, const Painter& paint) {
  const std::string status = event.value("status", "");
  const std::string reason = event.value("reason", "");
  std::string text = "  " + event.value("occurred_at", "(no time)") + "  " +
                     paint(status == "unmapped" ? Colour::yellow : Colour::green, status) +
                     (reason.empty() ? "" : "/" + reason) + "  " + printable(event.value("code", "")) + "  " +
                     printable(event.value("text", ""));
  if (event.contains("place")) text += "  (" + printable(event.value("place", "")) + ")";
  return text + "\n";
}

std::string reports_text(const json& read, const Painter& paint) {
  std::string text = headline(paint, "reports");
  for (const json& report : read.value("reports", json::array())) {
    text += "  " + printable(report.value("remito", "")) + ": " + report.value("kind", "") + "\n";
    for (const json& event : report.value("events", json::array())) text += "  " + event_text(event, paint);
  }
  for (const json& remito : read.value("missing", json::array()))
    text +=
        paint(Colour::yellow, "  " + printable(remito.get<std::string>()) + ": the answer does not speak of it") + "\n";
  for (const json& error : read.value("errors", json::array()))
    text += paint(Colour::yellow, "  left out: " + printable(error.value("message_contains", ""))) + "\n";
  return text;
}

/// What was read, and still asks for a look at the profile.
std::string doubts(const json& trial, const Painter& paint) {
  std::string text;
  const auto look_at = [&](const std::string& words) {
    text += paint(Colour::yellow, "look at ") + printable(words) + "\n";
  };
  std::set<std::string> unmapped;
  std::size_t ahead = 0;
  const json read = trial.value("read", json::object());
  const std::string until = trial.value("events_until", "");
  for (const json& report : read.value("reports", json::array())) {
    const std::string kind = report.value("kind", "");
    const json events = report.value("events", json::array());
    if ((kind == "events" || kind == "snapshot") && events.empty())
      look_at(std::string(kind == "events" ? "track.answer.events" : "track.event") + ": the answer tells of " +
              report.value("remito", "") + ", and no event is read from it, or each is ignored");
    for (const json& event : events) {
      if (event.value("status", "") == "unmapped")
        unmapped.insert(event.value("code", "") + "\", \"" + event.value("text", ""));
      if (!until.empty() && event.value("occurred_at", "") > until) ++ahead;
    }
  }
  if (ahead != 0)
    look_at(
        "track.event.time: " + std::to_string(ahead) + (ahead == 1 ? " event lies" : " events lie") +
        " in the future and would be left out until then: the zone, or what the carrier plans, for a rule with ignore");
  for (const std::string& words : unmapped) look_at("track.status: no rule knows code \"" + words + "\"");
  return text;
}

/// What came of it, in one line.
std::string verdict(const json& trial, const Painter& paint) {
  const std::string outcome = trial.value("outcome", "");
  const std::string carrier = trial.value("carrier", "");
  std::string problem = printable(trial.value("problem", ""));
  if (outcome == "read") return paint(Colour::green, "ok    ") + " " + carrier + " answers, and the answer is read\n";
  if (outcome == "not_told")
    return paint(Colour::red, "FAILED") + " " + carrier + " answers, and nothing is read of " +
           printable(trial.value("remito", "")) + "\n";
  if (outcome == "trouble" && problem.empty()) {
    const json trouble = trial.value("read", json::object()).value("trouble", json::object());
    problem = trouble.value("kind", "") + ": " + printable(trouble.value("message_contains", ""));
  }
  const std::string what = outcome == "not_asked" || outcome == "no_room" ? "was not asked"
                           : outcome == "no_login"
                               ? (trial.value("kind", "") == "auth" ? "lets nobody in" : "gives no session")
                           : outcome == "trouble" ? "answers with trouble"
                                                  : "gives no answer that can be read";
  return paint(Colour::red, "FAILED") + " " + carrier + " " + what + ": " + problem + "\n";
}

}  // namespace

std::string try_text(const json& trial, bool colours) {
  const Painter paint(colours);
  std::string text;
  const auto add_pages = [&](const json& pages, const std::string& what) {
    for (std::size_t i = 0; i < pages.size(); ++i)
      text += page_text(pages[i], what, pages.size() == 1 ? "" : " " + std::to_string(i + 1), paint);
  };
  add_pages(trial.value("login", json::array()), "login ");
  add_pages(trial.value("pages", json::array()), "");
  const std::string outcome = trial.value("outcome", "");
  if (outcome == "read" || outcome == "not_told") text += reports_text(trial["read"], paint);
  if (outcome == "read") text += doubts(trial, paint);
  return text + verdict(trial, paint);
}

}  // namespace remitod::daemon
