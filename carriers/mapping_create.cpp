// What became of a create request. The one question that decides: can the carrier have made a shipment?
#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/mapping.h"
#include "carriers/query.h"

namespace remitod::carriers {

namespace {

constexpr std::size_t remito_bytes_max = 100;
constexpr std::size_t refusal_code_bytes_max = 100;
constexpr std::size_t refusal_text_bytes_max = 500;

CreateAnswer unknown(std::string seen) {
  return {CreateAnswer::Kind::unknown, "", "", std::move(seen)};
}

/// A client error says that the request was not taken on, except where it speaks of time, of a conflict with an earlier
/// attempt, or of load: there a shipment may exist.
bool made_nothing(int http_status) {
  constexpr std::array may_have_made_one{408, 409, 425, 429};
  return http_status >= 400 && http_status <= 499 &&
         std::ranges::find(may_have_made_one, http_status) == may_have_made_one.end();
}

/// The carrier's own code and text of a refusal, with `words` where the profile reads no text.
CreateAnswer refused(const CreateOperation& create, const Document& document, std::string words) {
  CreateAnswer answer{CreateAnswer::Kind::refused, "",
                      read(create.refusal_code, document.tree(), refusal_code_bytes_max),
                      read(create.refusal_text, document.tree(), refusal_text_bytes_max)};
  if (answer.refusal_text.empty()) answer.refusal_text = std::move(words);
  return answer;
}

bool says(const std::optional<Query>& query, const Document& document) {
  return query && holds(*query, document.tree());
}

CreateAnswer map_failed_status(const CreateOperation& create, const HttpAnswer& answer) {
  const std::expected<Document, DecodeError> document = decode(create.answer, answer);
  std::string words = carrier_words(create.answer, answer, document ? &*document : nullptr);
  if (document && says(create.refused, *document)) return refused(create, *document, std::move(words));
  const std::string status = std::to_string(answer.status);
  if (made_nothing(answer.status) || (document && says(create.answer.auth_error, *document))) {
    return {CreateAnswer::Kind::refused, "", "http " + status, std::move(words)};
  }
  return unknown(words.empty() ? "HTTP " + status : "HTTP " + status + ": " + words);
}

CreateAnswer map_granted(const CreateOperation& create, const Document& document, const CreateOrder& order) {
  if (create.remito_is_order_number) {
    return {CreateAnswer::Kind::granted, std::string{order.order_number}, "", ""};
  }
  // Read one character more than a remito may have: a longer one is no number, and a part of it would be another's.
  std::string remito = read(create.remito, document.tree(), remito_bytes_max + 4);
  if (remito.empty()) return unknown("accepted without a number");
  if (remito.size() > remito_bytes_max) return unknown("accepted with a number of over 100 bytes: " + remito);
  return {CreateAnswer::Kind::granted, std::move(remito), "", ""};
}

}  // namespace

CreateAnswer map_create(const Profile& profile, const HttpAnswer& answer, const CreateOrder& order) {
  if (!profile.can_create()) std::abort();
  const CreateOperation& create = *profile.compiled().create;
  if (!is_success(create.answer, answer.status)) return map_failed_status(create, answer);
  const std::expected<Document, DecodeError> document = decode(create.answer, answer);
  if (!document) return unknown("unreadable answer: " + describe(document.error()));

  const auto words = [&] { return carrier_words(create.answer, answer, &*document); };
  if (says(create.answer.auth_error, *document)) return {CreateAnswer::Kind::refused, "", "auth", words()};
  const bool is_refused = says(create.refused, *document);
  const bool is_granted = says(create.granted, *document);
  if (is_refused && is_granted) return unknown("both granted and refused: " + words());
  if (is_refused) return refused(create, *document, words());
  if (create.answer.success && !says(create.answer.success, *document)) return unknown(words());
  if (create.granted && !is_granted) return unknown("neither granted nor refused: " + words());
  return map_granted(create, *document, order);
}

}  // namespace remitod::carriers
