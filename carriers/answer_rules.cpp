#include "carriers/answer_rules.h"

#include <algorithm>
#include <utility>

#include "carriers/excerpt.h"
#include "carriers/field.h"
#include "carriers/query.h"

namespace remitod::carriers {

namespace {

constexpr std::size_t words_bytes_max = 200;

std::string_view what(DecodeError::Kind kind) {
  switch (kind) {
    case DecodeError::Kind::empty:
      return "an empty body";
    case DecodeError::Kind::html:
      return "an HTML page instead of data";
    case DecodeError::Kind::truncated:
      return "cut off in the middle";
    case DecodeError::Kind::malformed:
      return "not well formed";
    case DecodeError::Kind::charset:
      return "not in the character set that it claims";
    case DecodeError::Kind::too_deep:
      return "nested too deep";
    case DecodeError::Kind::too_many_nodes:
      return "too many nodes";
  }
  std::unreachable();
}

CarrierTrouble::Kind trouble_of(int http_status) {
  switch (http_status) {
    case 429:
      return CarrierTrouble::Kind::throttled;
    case 401:
    case 403:
      return CarrierTrouble::Kind::auth;
    default:
      return CarrierTrouble::Kind::http_status;
  }
}

/// What the carrier may tell at any HTTP status: old SOAP servers tell a bad login as a Fault at 500, others at 200.
std::optional<CarrierTrouble::Kind> told_trouble(const AnswerRules& rules, const Document& document) {
  if (says(rules.auth_error, document)) return CarrierTrouble::Kind::auth;
  if (says(rules.throttled, document)) return CarrierTrouble::Kind::throttled;
  return std::nullopt;
}

CarrierTrouble status_trouble(const AnswerRules& rules, const HttpAnswer& answer) {
  const std::expected<Document, DecodeError> document = decode(rules, answer);
  CarrierTrouble trouble{trouble_of(answer.status), "HTTP " + std::to_string(answer.status)};
  if (document) trouble.kind = told_trouble(rules, *document).value_or(trouble.kind);
  const std::string words = carrier_words(rules, answer, document ? &*document : nullptr);
  if (!words.empty()) trouble.message += ": " + words;
  return trouble;
}

}  // namespace

bool is_success(const AnswerRules& rules, int http_status) {
  if (rules.success_statuses.empty()) return http_status >= 200 && http_status <= 299;
  return std::ranges::find(rules.success_statuses, http_status) != rules.success_statuses.end();
}

std::expected<Document, DecodeError> decode(const AnswerRules& rules, const HttpAnswer& answer) {
  return decode(answer.body, answer.content_type, rules.decode);
}

bool says(const std::optional<Query>& condition, const Document& document) {
  return condition && holds(*condition, document.tree());
}

std::string carrier_words(const AnswerRules& rules, const HttpAnswer& answer, const Document* document) {
  if (document && rules.error) {
    std::string words = read(*rules.error, document->tree(), words_bytes_max);
    if (!words.empty()) return words;
  }
  return excerpt(answer.body, 0, words_bytes_max);
}

std::expected<Document, CarrierTrouble> open_answer(const AnswerRules& rules, const HttpAnswer& answer) {
  if (!is_success(rules, answer.status)) return std::unexpected(status_trouble(rules, answer));
  std::expected<Document, DecodeError> document = decode(rules, answer);
  if (!document) return std::unexpected(CarrierTrouble{CarrierTrouble::Kind::malformed, describe(document.error())});
  std::optional<CarrierTrouble::Kind> trouble = told_trouble(rules, *document);
  if (!trouble && rules.success && !says(rules.success, *document)) trouble = CarrierTrouble::Kind::business;
  if (trouble) return std::unexpected(CarrierTrouble{*trouble, carrier_words(rules, answer, &*document)});
  return std::move(*document);
}

std::string describe(const DecodeError& error) {
  std::string text{what(error.kind)};
  if (!error.message.empty()) text += ": " + error.message;
  return text;
}

}  // namespace remitod::carriers
