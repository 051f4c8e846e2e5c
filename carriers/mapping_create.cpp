// What became of a create request. The one question that decides: can the carrier have made a shipment?
#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/field.h"
#include "carriers/mapping.h"
#include "carriers/remito_fields.h"

namespace remitod::carriers {

namespace {

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

CreateAnswer try_again(std::string seen) {
  return {CreateAnswer::Kind::try_again, "", "", std::move(seen)};
}

/// Nothing is wrong with the order: refused, it would be lost to the merchant by an account that has expired. Only HTTP
/// itself says that nothing was done (401); of the profile's words for a bad login that would be a promise
/// (`try_again`).
CreateAnswer bad_login(CreateAnswer::Kind kind, std::string seen) {
  return {kind, "", std::string(CreateAnswer::code_auth), std::move(seen)};
}

bool is_refused(const CreateOperation& create, const Document& document) {
  return says(create.refused, document) || says(create.number_refused, document);
}

CreateAnswer refused(const CreateOperation& create, const Document& document, std::string words) {
  RefusalWords refusal = read_refusal(create.refusal_code, create.refusal_text, document, std::move(words));
  const auto kind =
      says(create.number_refused, document) ? CreateAnswer::Kind::number_refused : CreateAnswer::Kind::refused;
  return {kind, "", std::move(refusal.code), std::move(refusal.text)};
}

CreateAnswer map_failed_status(const CreateOperation& create, const HttpAnswer& answer) {
  const std::expected<Document, DecodeError> document = decode(create.answer, answer);
  std::string words = carrier_words(create.answer, answer, document ? &*document : nullptr);
  const std::string status = std::to_string(answer.status);
  std::string seen = words.empty() ? "HTTP " + status : "HTTP " + status + ": " + words;
  if (document && says(create.try_again, *document)) {
    if (says(create.granted, *document) || says(create.accepted, *document)) return unknown(std::move(seen));
    return try_again(std::move(seen));
  }
  if (answer.status != 401 && document && says(create.answer.auth_error, *document))
    return bad_login(CreateAnswer::Kind::unknown, std::move(seen));
  if (document && is_refused(create, *document)) return refused(create, *document, std::move(words));
  const auto& trying_again = create.try_again_statuses;
  if (std::ranges::find(trying_again, answer.status) != trying_again.end()) return try_again(std::move(seen));
  const bool is_throttled = document && says(create.answer.throttled, *document);  // as by 429
  if (answer.status == 401 && !is_throttled) return bad_login(CreateAnswer::Kind::try_again, std::move(seen));
  if (is_throttled || !made_nothing(answer.status)) return unknown(std::move(seen));
  return {CreateAnswer::Kind::refused, "", "http " + status, std::move(words)};
}

/// Does the answer name another number than the one of the range that the carrier was given?
bool renames(const CreateOperation& create, const std::string& remito, const CreateOrder& order) {
  return create.range && !remito.empty() && remito != order.remito;
}

CreateAnswer renamed(const std::string& what, const std::string& remito, const CreateOrder& order) {
  return unknown(what + " as " + remito + ", but it was given the number " + std::string(order.remito));
}

CreateAnswer map_granted(const CreateOperation& create, const Document& document, const CreateOrder& order) {
  if (create.remito_is_order_number) {
    return {CreateAnswer::Kind::granted, std::string{order.order_number}, "", ""};
  }
  auto remito = read_remito(create.remito, document);
  if (!remito) return unknown("accepted with " + remito.error());
  if (renames(create, *remito, order)) return renamed("granted", *remito, order);
  if (create.range) return {CreateAnswer::Kind::granted, std::string(order.remito), "", ""};
  if (remito->empty()) return unknown("accepted without a number");
  return {CreateAnswer::Kind::granted, *std::move(remito), "", ""};
}

/// The number may come with the acceptance, with the grant, or be known before.
CreateAnswer map_accepted(const CreateOperation& create, const Document* document, const CreateOrder& order) {
  auto remito = document ? read_remito(create.remito, *document) : std::string{};
  if (!remito) return unknown("accepted with " + remito.error());
  if (renames(create, *remito, order)) return renamed("accepted", *remito, order);
  if (remito->empty()) *remito = create.remito_is_order_number ? order.order_number : order.remito;
  return {CreateAnswer::Kind::accepted, *std::move(remito), "", ""};
}

}  // namespace

CreateAnswer map_create(const Profile& profile, const HttpAnswer& answer, const CreateOrder& order) {
  if (!profile.can_create()) std::abort();
  const CreateOperation& create = *profile.compiled().create;
  if (!is_success(create.answer, answer.status)) return map_failed_status(create, answer);
  const auto& accepting = create.accepted_statuses;
  const bool accepts = std::ranges::find(accepting, answer.status) != accepting.end();
  const std::expected<Document, DecodeError> document = decode(create.answer, answer);
  if (!document && accepts) return map_accepted(create, nullptr, order);
  if (!document) return unknown("unreadable answer: " + describe(document.error()));

  const auto words = [&] { return carrier_words(create.answer, answer, &*document); };
  const bool is_granted = says(create.granted, *document);
  const bool is_accepted = says(create.accepted, *document) || (accepts && !is_granted);
  if (says(create.try_again, *document)) {
    if (is_granted || is_accepted) return unknown("both taken and to be tried again: " + words());
    return try_again(words());
  }
  if (says(create.answer.auth_error, *document)) return bad_login(CreateAnswer::Kind::unknown, words());
  if (is_refused(create, *document)) {
    if (is_granted || says(create.accepted, *document)) return unknown("both granted and refused: " + words());
    return refused(create, *document, words());
  }
  if (says(create.answer.throttled, *document)) return unknown("throttled: " + words());
  if (create.answer.success && !says(create.answer.success, *document)) return unknown(words());
  if (is_granted && is_accepted) return unknown("both granted and accepted: " + words());
  if (is_accepted) return map_accepted(create, &*document, order);
  if (!is_granted) return unknown("neither granted nor refused: " + words());
  return map_granted(create, *document, order);
}

}  // namespace remitod::carriers
