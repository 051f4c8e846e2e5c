#include "carriers/session_answer.h"

#include <algorithm>
#include <charconv>

#include "carriers/answer_rules.h"
#include "carriers/escape.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t value_bytes_max = 16 * 1024;
constexpr std::size_t answer_bytes_max = 1 << 20;
constexpr std::size_t words_bytes_max = 200;
constexpr std::chrono::seconds lifetime_max = std::chrono::days{3653};

std::unexpected<CarrierTrouble> trouble(CarrierTrouble::Kind kind, const std::string& message) {
  return std::unexpected(CarrierTrouble{kind, "login: " + message});
}

CarrierTrouble::Kind kind_of(int http_status) {
  if (http_status == 429) return CarrierTrouble::Kind::throttled;
  // Carriers refuse a bad login with 400, too: RFC 6749 says so for OAuth2.
  if (http_status >= 400 && http_status <= 499) return CarrierTrouble::Kind::auth;
  return CarrierTrouble::Kind::http_status;
}

/// Only what the profile reads: the beginning of the body, shown elsewhere, might be a token here.
std::string words_of(const LoginStep& step, const Document* document) {
  return document ? read(step.answer.error, document->tree(), words_bytes_max) : std::string{};
}

std::optional<CarrierTrouble> failure(const LoginStep& step, const HttpAnswer& answer, const Document* document) {
  const auto told = [&](CarrierTrouble::Kind kind, std::string what) {
    const std::string words = words_of(step, document);
    if (!words.empty()) what += ": " + words;
    return CarrierTrouble{kind, "login: " + what};
  };
  if (document && says(step.answer.throttled, *document))
    return told(CarrierTrouble::Kind::throttled, "the carrier wants to rest");
  if (document && says(step.answer.auth_error, *document)) return told(CarrierTrouble::Kind::auth, "refused");
  if (!is_success(step.answer, answer.status))
    return told(kind_of(answer.status), "HTTP " + std::to_string(answer.status));
  if (document && step.answer.success && !says(step.answer.success, *document))
    return told(CarrierTrouble::Kind::auth, "refused");
  return std::nullopt;
}

std::string captured(const RE2& pattern, std::string_view text) {
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece input(text.data(), text.size());
  if (!pattern.Match(input, 0, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) return {};
  return std::string(groups.back().data(), groups.back().size());
}

std::string from_header(const SessionSource& source, const HttpAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (name != source.header) continue;
    std::string found = source.pattern ? captured(*source.pattern, value) : value;
    if (!found.empty()) return found;
  }
  return {};
}

std::string where(const SessionSource& source) {
  return source.header.empty() ? source.field->name : "header " + source.header;
}

std::expected<std::optional<Instant>, std::string> end_of_session(const LoginStep& step, const Document* document,
                                                                  Instant now) {
  constexpr std::size_t time_bytes_max = 100;
  if (!document) return std::nullopt;
  constexpr std::string_view number_of_nothing = "NaN";  // XPath 1.0, 4.4: what minutes that are not there are times 60
  if (const std::string text = read(step.lifetime, document->tree(), time_bytes_max);
      !text.empty() && text != number_of_nothing) {
    double count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || !(count > 0))
      return std::unexpected("the lifetime '" + text + "' is no number of seconds");
    const auto seconds =
        std::chrono::seconds{static_cast<std::int64_t>(std::min(count, static_cast<double>(lifetime_max.count())))};
    return now + seconds;
  }
  const std::string text = read(step.expires_at, document->tree(), time_bytes_max);
  if (text.empty() || !step.times) return std::nullopt;
  const auto at = step.times->read(text);
  if (!at) return std::unexpected(at.error());
  return at->at;
}

}  // namespace

std::expected<LoginAnswer, CarrierTrouble> read_login(const LoginStep& step, const HttpAnswer& answer,
                                                      std::optional<std::size_t> optional_value, Instant now) {
  using enum CarrierTrouble::Kind;
  std::optional<Document> document;
  if (step.reads_document) {
    if (answer.body.size() > answer_bytes_max) return trouble(malformed, "the answer is larger than a megabyte");
    auto decoded = decode(step.answer, answer);
    if (decoded) document = *std::move(decoded);
  }
  const Document* tree = document ? &*document : nullptr;
  if (auto failed = failure(step, answer, tree)) return std::unexpected(*std::move(failed));
  if (step.reads_document && !document) return trouble(malformed, "the answer cannot be read");

  LoginAnswer result;
  for (std::size_t i = 0; i < step.sources.size(); ++i) {
    const SessionSource& source = step.sources[i];
    std::string value =
        source.header.empty() ? read(source.field, tree->tree(), value_bytes_max + 4) : from_header(source, answer);
    if (value.empty() && optional_value != step.first_value + i)
      return trouble(malformed, "the answer has nothing at " + where(source));
    if (value.size() > value_bytes_max || has_control_characters(value))
      return trouble(malformed, "no token: over 16 KiB or with control characters at " + where(source));
    result.values.push_back(std::move(value));
  }
  const auto ends_at = end_of_session(step, tree, now);
  if (!ends_at) return trouble(malformed, ends_at.error());
  result.ends_at = *ends_at;
  return result;
}

}  // namespace remitod::carriers
