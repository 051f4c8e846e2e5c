#include "daemon/check_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/painter.h"

namespace remitod::daemon {
namespace {

using carriers::Decider;
using carriers::ProfileCheck;
using carriers::SampleCheck;
using nlohmann::json;

/// "carrier.toml:83 track.status.4"
std::string where(const ProfileCheck& check, const Decider& decider) {
  const std::string line = decider.line == 0 ? "" : check.file.string() + ":" + std::to_string(decider.line);
  return line + (line.empty() || decider.key.empty() ? "" : " ") + decider.key;
}

std::string deviation_text(const ProfileCheck& check, const carriers::Deviation& deviation, const Painter& paint) {
  const auto shown = [](const std::string& text) { return text.empty() ? "nothing" : text; };
  std::string text = "    " + deviation.what + "\n";
  text += paint(Colour::green, "      - expected " + shown(deviation.expected)) + "\n";
  text += paint(Colour::red, "      + read     " + shown(deviation.read)) + "\n";
  for (const Decider& decider : deviation.deciders)
    text += paint(Colour::grey, "        decided by " + where(check, decider)) + "\n";
  return text;
}

std::string indented(const std::string& text, const std::string& by) {
  std::string result = by;
  for (const char c : text.substr(0, text.find_last_not_of('\n') + 1))
    result += c == '\n' ? "\n" + by : std::string(1, c);
  return result + "\n";
}

std::string sample_text(const ProfileCheck& check, const SampleCheck& sample, const Painter& paint) {
  if (sample.passed()) return "";
  std::string text = "  " + paint(Colour::red, "FAILED") + " samples/" + sample.name + "\n";
  if (!sample.problem.empty()) text += "    " + sample.problem + "\n";
  for (const carriers::Deviation& deviation : sample.deviations) text += deviation_text(check, deviation, paint);
  if (!sample.tree.empty())
    text += "    the tree that there is to read:\n" + paint(Colour::grey, indented(sample.tree, "      "));
  if (!sample.proposal.empty())
    text +=
        "    the expectation does not say what has to be read. This is read now; keep it once every line is right:\n" +
        sample.proposal;
  return text;
}

std::string summary(const ProfileCheck& check, const Painter& paint) {
  const auto passed = std::ranges::count_if(check.samples, &SampleCheck::passed);
  return (check.passed() ? paint(Colour::green, "ok    ") : paint(Colour::red, "FAILED")) + " " + check.name + ": " +
         (check.errors.empty()
              ? std::to_string(passed) + " of " + std::to_string(check.samples.size()) + " samples as expected"
              : "the profile cannot be used") +
         (check.remarks.empty() ? "" : ", " + std::to_string(check.remarks.size()) + " to look at") + "\n";
}

std::string request_text(const carriers::ShownRequest& request, const Painter& paint) {
  const std::string head =
      "  " + paint(Colour::cyan, "request") + " of [" + request.operation + "], with an invented order: ";
  if (!request.problem.empty()) return head + paint(Colour::yellow, request.problem) + "\n";
  const std::string leaves = request.body_charset.empty() ? "" : "; its body leaves in " + request.body_charset;
  return head + "a sample with \"payload\" would hold it" + leaves + "\n" + indented(request.text, "    ");
}

json to_json(const Decider& decider) {
  return {{"key", decider.key}, {"line", decider.line}};
}

json to_json(const SampleCheck& sample) {
  json deviations = json::array();
  for (const carriers::Deviation& deviation : sample.deviations) {
    json deciders = json::array();
    for (const Decider& decider : deviation.deciders) deciders.push_back(to_json(decider));
    deviations.push_back(json{{"what", deviation.what},
                              {"expected", deviation.expected},
                              {"read", deviation.read},
                              {"deciders", std::move(deciders)}});
  }
  return {{"name", sample.name},       {"ok", sample.passed()},
          {"problem", sample.problem}, {"deviations", std::move(deviations)},
          {"tree", sample.tree},       {"proposal", sample.proposal}};
}

}  // namespace

std::string check_text(const ProfileCheck& check, bool colours) {
  const Painter paint(colours);
  std::string text;
  for (const carriers::ProfileError& error : check.errors) text += "  " + error.to_string() + "\n";
  for (const SampleCheck& sample : check.samples) text += sample_text(check, sample, paint);
  for (const carriers::ShownRequest& request : check.requests) text += request_text(request, paint);
  for (const carriers::Remark& remark : check.remarks) {
    const std::string place = where(check, remark.where);
    text += "  " + paint(Colour::yellow, "look at") + " " + place + (place.empty() ? "" : ": ") + remark.text + "\n";
  }
  return text + summary(check, paint);
}

std::string check_json(const ProfileCheck& check) {
  json errors = json::array();
  for (const carriers::ProfileError& error : check.errors)
    errors.push_back(json{{"file", error.file}, {"line", error.line}, {"key", error.key}, {"message", error.message}});
  json samples = json::array();
  for (const SampleCheck& sample : check.samples) samples.push_back(to_json(sample));
  json remarks = json::array();
  for (const carriers::Remark& remark : check.remarks) {
    json object = to_json(remark.where);
    object["text"] = remark.text;
    remarks.push_back(std::move(object));
  }
  json requests = json::array();
  for (const carriers::ShownRequest& request : check.requests)
    requests.push_back(json{{"operation", request.operation},
                            {"text", request.text},
                            {"problem", request.problem},
                            {"body_charset", request.body_charset}});
  const json object{{"carrier", check.name},          {"file", check.file.string()},   {"ok", check.passed()},
                    {"errors", std::move(errors)},    {"samples", std::move(samples)}, {"remarks", std::move(remarks)},
                    {"requests", std::move(requests)}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace remitod::daemon
