#include "carriers/trial.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "carriers/answer_rules.h"
#include "carriers/charset.h"
#include "carriers/compiled.h"
#include "carriers/digest.h"
#include "carriers/mapping.h"
#include "carriers/media_type.h"
#include "carriers/paging.h"
#include "carriers/sample.h"
#include "carriers/session_answer.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t tree_bytes_max = 1 << 20;

/// Takes the beginning of a tree.
class BoundedText final : public pugi::xml_writer {
 public:
  void write(const void* data, std::size_t bytes) override {
    const std::size_t room = tree_bytes_max - text_.size();
    text_.append(static_cast<const char*>(data), std::min(bytes, room));
    is_cut_ |= bytes > room;
  }
  std::string take() && {
    if (is_cut_) {
      text_.resize(std::min(text_.size(), find_invalid_utf8(text_)));  // not in the middle of a character
      text_ += "\n...\n";
    }
    return std::move(text_);
  }

 private:
  std::string text_;
  bool is_cut_ = false;
};

std::string text_of(const Document& document) {
  BoundedText tree;
  document.tree().save(tree, "  ", pugi::format_indent | pugi::format_no_declaration);
  return std::move(tree).take();
}

HttpAnswer redacted(const Redactor& redactor, HttpAnswer answer) {
  answer.body = redactor.redact(std::move(answer.body));
  answer.content_type = redactor.redact(std::move(answer.content_type));
  for (auto& [name, value] : answer.headers) value = redactor.redact(std::move(value));
  return answer;
}

/// What the bytes of an answer say, where they are no UTF-8. Empty: nobody knows.
std::string readable_text(const AnswerRules& rules, const HttpAnswer& answer) {
  std::string converted;
  const auto text = utf8_text(answer.body, answer.content_type, rules.decode, converted);
  return text ? std::string(*text) : "";
}

/// `answer` is redacted.
json describe_page(json page, const AnswerRules& rules, const HttpAnswer& answer) {
  page["http_status"] = answer.status;
  page["content_type"] = answer.content_type;
  page["elapsed_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(answer.elapsed).count();
  if (find_invalid_utf8(answer.body) == std::string_view::npos)
    page["body"] = answer.body;
  else
    page.update({{"body_base64", to_base64(answer.body)}, {"text", readable_text(rules, answer)}});
  for (const auto& [name, value] : answer.headers) page["headers"].push_back(name + ": " + value);
  const auto document = decode(rules, answer);
  if (!document) {
    page["tree_problem"] = describe(document.error());
    return page;
  }
  page["tree"] = text_of(*document);
  page["notes"] = document->notes();
  return page;
}

/// Instead of each run of 16 and more characters of which tokens are made, if there is a digit among them.
std::string without_tokens(const std::string& text) {
  constexpr std::string_view of_tokens = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=.~-";
  constexpr std::size_t token_bytes_min = 16;
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(of_tokens, at), text.size());
    const std::string_view run = std::string_view(text).substr(at, end - at);
    const bool is_token = run.size() >= token_bytes_min && run.find_first_of("0123456789") != run.npos;
    result += is_token ? "[secret]" : run;
    at = end;
    if (at < text.size()) result += text[at++];
  }
  return result;
}

/// Knows also what the steps of a login gave that did not come to its end.
Redactor knowing_login(const Redactor& redactor, const SessionRules& rules, std::span<const LoginExchange> exchanges) {
  std::vector<std::string> given;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (!exchanges[i].result) continue;
    const LoginStep& step = rules.login.at(std::min(i, rules.login.size() - 1));
    if (auto read = read_login(step, *exchanges[i].result, rules.refresh_token, Instant{}))
      std::ranges::move(read->values, std::back_inserter(given));
  }
  Redactor knowing = redactor;
  knowing.add_session(given);
  return knowing;
}

/// How the file of such an answer is called.
std::string suffix_of(const json& page) {
  const std::string content_type = page.value("content_type", "");
  const std::string_view type = media_type(content_type);
  for (const char* format : {"json", "xml", "csv", "html"})
    if (type.ends_with(format)) return format;
  const std::string body = page.value("body", "");
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == body.npos) return "txt";
  return body[first] == '<' ? "xml" : body[first] == '{' || body[first] == '[' ? "json" : "txt";
}

/// Letters, digits and '_' of a remito, since a file has no other name than these.
std::string sample_name(const std::string& remito) {
  std::string name = "live_";
  for (const char c : remito) {
    const bool is_kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    name += is_kept ? c : '_';
  }
  return name;
}

/// As an expectation has them: one text where all pages have the same, else that of each.
json content_types(std::span<const HttpAnswer> pages) {
  json types = json::array();
  for (const HttpAnswer& page : pages) types.push_back(page.content_type);
  return std::ranges::all_of(types, [&](const json& type) { return type == types.front(); }) ? types.front() : types;
}

}  // namespace

std::string tree_text(const AnswerRules& rules, const HttpAnswer& answer) {
  const auto document = decode(rules, answer);
  return document ? text_of(*document) : describe(document.error()) + "\n";
}

json describe_request(const Redactor& redactor, const HttpRequest& request) {
  json page{{"request", redactor.redact(request)}};
  if (!request.body_charset.empty()) page["body_charset"] = request.body_charset;
  return page;
}

json describe_login(const Profile& profile, const Redactor& redactor, std::span<const LoginExchange> exchanges) {
  const auto& rules = profile.compiled().session;
  if (!rules || exchanges.empty()) return json::array();
  const Redactor knowing = knowing_login(redactor, *rules, exchanges);
  json shown = json::array();
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    json page = describe_request(knowing, exchanges[i].request);
    if (const FetchResult& result = exchanges[i].result; !result) {
      page["problem"] = knowing.redact(std::string(name(result.error().kind)) + ": " + result.error().message);
    } else {
      HttpAnswer answer = redacted(knowing, *result);
      answer.body = without_tokens(answer.body);
      for (auto& [name, value] : answer.headers) value = without_tokens(value);
      page = describe_page(std::move(page), rules->login.at(std::min(i, rules->login.size() - 1)).answer, answer);
    }
    shown.push_back(std::move(page));
  }
  return shown;
}

json describe_trial(const Profile& profile, const Redactor& redactor, std::span<const TrialPage> pages,
                    const TrackItem& asked, Instant asked_at) {
  std::vector<HttpAnswer> answers;
  for (const TrialPage& page : pages) answers.push_back(redacted(redactor, page.answer));
  json shown = json::array();
  for (std::size_t i = 0; i < pages.size(); ++i)
    shown.push_back(describe_page(describe_request(redactor, pages[i].request),
                                  profile.compiled().track->reports.answer, answers[i]));
  const json read = told(map_track_pages(profile, answers, std::span(&asked, 1)));
  const ordered_json expectation{{"operation", "track"},
                                 {"http_status", answers.back().status},
                                 {"content_type", content_types(answers)},
                                 {"asked", {asked.remito}},
                                 {"registered_at", to_iso8601(asked.registered_at)}};
  return {{"carrier", profile.name()}, {"remito", asked.remito}, {"asked_at", to_iso8601(asked_at)},
          {"pages", std::move(shown)}, {"read", read},           {"sample", expectation_text(expectation, read)}};
}

std::expected<std::vector<StarterFile>, std::string> trial_sample(const json& trial) {
  const json pages = trial.value("pages", json::array());
  const std::string expectation = trial.value("sample", "");
  if (pages.empty() || expectation.empty()) return std::unexpected("there is no answer to keep");
  const std::string name = sample_name(trial.value("remito", ""));
  std::vector<StarterFile> files;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    std::optional<std::string> body =
        pages[i].contains("body") ? pages[i].value("body", "") : from_base64(pages[i].value("body_base64", "="));
    if (!body) return std::unexpected("the answer's bytes cannot be read");
    const std::string number = pages.size() == 1 ? "" : "." + std::to_string(i + 1);
    files.push_back({name + number + "." + suffix_of(pages[i]), *std::move(body)});
  }
  files.push_back({name + std::string(expectation_suffix), expectation});
  return files;
}

}  // namespace remitod::carriers
