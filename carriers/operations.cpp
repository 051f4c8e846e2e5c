#include "carriers/operations.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <utility>
#include <vector>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t remito_bytes_max = 100;
constexpr std::size_t code_bytes_max = 100;
constexpr std::size_t text_bytes_max = 500;
constexpr std::size_t amount_bytes_max = 40;

/// An answer with what it says in the carrier's own words. Its HTTP status may be no success: many carriers refuse so,
/// and what the profile asks for decides.
struct Said {
  std::optional<Document> document;
  std::string words;     ///< what was seen, where the conditions do not decide
  bool is_good = false;  ///< HTTP and the profile's `success` say so
};

Said read_answer(const AnswerRules& rules, const HttpAnswer& answer) {
  Said said;
  auto decoded = decode(rules, answer);
  if (decoded) said.document = *std::move(decoded);
  said.words = said.document || !is_success(rules, answer.status)
                   ? carrier_words(rules, answer, said.document ? &*said.document : nullptr)
                   : describe(decoded.error());
  if (!is_success(rules, answer.status))
    said.words = "HTTP " + std::to_string(answer.status) + (said.words.empty() ? "" : ": " + said.words);
  said.is_good = said.document && is_success(rules, answer.status) && !says(rules.auth_error, *said.document) &&
                 !says(rules.throttled, *said.document) && (!rules.success || says(rules.success, *said.document));
  return said;
}

bool holds_in(const std::optional<Query>& condition, const Said& said) {
  return said.document && says(condition, *said.document);
}

/// Digits and one '.', from "S/ 1,234.50", "1.234,50" or "25,9": the last of ',' and '.' that has one or two digits
/// behind it parts the cents. Empty where that is not sure: "1,234" could be both.
std::string read_amount(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if ((c >= '0' && c <= '9') || c == '.' || c == ',' || c == '-') digits += c;
  while (!digits.empty() && (digits.front() == '.' || digits.front() == ',')) digits.erase(0, 1);  // of "S/."
  const std::size_t first = digits.find_first_of(".,"), last = digits.find_last_of(".,");
  const std::size_t places = last == digits.npos ? 0 : digits.size() - last - 1;
  const bool is_plain = first == last && last != digits.npos && digits[last] == '.';
  if (digits.empty() || digits.contains('-') || (last != digits.npos && places == 0)) return {};
  if (!is_plain && last != digits.npos && places > 2) return {};
  std::string amount;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool is_digit = digits[i] != '.' && digits[i] != ',';
    if (is_digit)
      amount += digits[i];
    else if (i == last)
      amount += '.';
    else if (digits[i] == digits[last])
      return {};
  }
  return amount;
}

/// A whole number that is not negative.
std::optional<int> read_count(std::string_view text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count < 0) return std::nullopt;
  return count;
}

std::optional<int> read_days(std::string_view text) {
  const std::optional<int> days = read_count(text);
  return days && *days <= 365 ? days : std::nullopt;
}

/// Which of the shipments in an answer is the one with our reference?
FindAnswer found_in(const FindOperation& find, const Document& document, std::string_view client_ref,
                    const std::string& words) {
  using enum FindAnswer::Kind;
  std::vector<pugi::xpath_node> nodes;
  if (find.shipments)
    std::ranges::copy(select(*find.shipments, document.tree()), std::back_inserter(nodes));
  else
    nodes.emplace_back(document.tree());
  if (nodes.empty()) return {unclear, "", "found, and no shipment is named: " + words, {}};
  FindAnswer answer{not_found, "", "", {}};
  bool any_nameless = false;
  for (const pugi::xpath_node& node : nodes) {
    if (find.reference && !client_ref.empty()) {
      const std::string reference = read(find.reference, node, client_ref.size() + 4);
      any_nameless = any_nameless || reference.empty();
      if (reference != client_ref) continue;
    }
    // Read more than a remito may have: a longer one is no number, and a part of it would be another's.
    std::string remito = read(find.remito, node, remito_bytes_max + 4);
    if (remito.empty()) return {unclear, "", "found without a number: " + words, {}};
    if (remito.size() > remito_bytes_max) return {unclear, "", "found with a number of over 100 bytes", {}};
    if (answer.kind == found && answer.remito == remito) continue;
    if (answer.kind == found) return {several, "", answer.remito + " and " + remito, {}};
    answer = {found, std::move(remito), "", read_count(read(find.parcels, node, amount_bytes_max))};
  }
  if (answer.kind == found) return answer;
  // To believe that ours is not there is to pay for another one.
  if (any_nameless) return {unclear, "", "found, and one that is found names no reference: " + words, {}};
  answer.text = "none of " + std::to_string(nodes.size()) + " names our reference";
  return answer;
}

/// A cancellation that is sent twice does no harm, as a second shipment would: what tells that nobody looked at it is
/// believed without a promise.
bool was_not_served(const CancelOperation& cancel, int http_status, const Said& said) {
  const auto& statuses = cancel.try_again_statuses;
  return http_status == 401 || http_status == 429 || holds_in(cancel.answer.auth_error, said) ||
         holds_in(cancel.answer.throttled, said) || std::ranges::find(statuses, http_status) != statuses.end();
}

}  // namespace

FindAnswer map_find(const Profile& profile, const HttpAnswer& answer, std::string_view client_ref) {
  if (!profile.can_find()) std::abort();
  using enum FindAnswer::Kind;
  const FindOperation& find = *profile.compiled().find;
  const Said said = read_answer(find.answer, answer);
  const bool is_found = holds_in(find.found, said), is_not_found = holds_in(find.not_found, said);
  if (is_found && is_not_found) return {unclear, "", "both found and not found: " + said.words, {}};
  if (is_not_found) return {not_found, "", said.words, {}};
  if (!said.is_good) return {unclear, "", said.words, {}};
  if (!is_found) return {unclear, "", "neither found nor not found: " + said.words, {}};
  return found_in(find, *said.document, client_ref, said.words);
}

CancelAnswer map_cancel(const Profile& profile, const HttpAnswer& answer) {
  if (!profile.can_cancel()) std::abort();
  using enum CancelAnswer::Kind;
  const CancelOperation& cancel = *profile.compiled().cancel;
  const Said said = read_answer(cancel.answer, answer);
  const bool is_accepted = holds_in(cancel.accepted, said), is_refused = holds_in(cancel.refused, said);
  if (holds_in(cancel.try_again, said) && !is_accepted) return {try_again, "", said.words};
  if (is_accepted && is_refused) return {unclear, "", "both accepted and refused: " + said.words};
  if (is_refused) {
    const pugi::xml_document& tree = said.document->tree();
    std::string text = read(cancel.refusal_text, tree, text_bytes_max);
    return {refused, read(cancel.refusal_code, tree, code_bytes_max), text.empty() ? said.words : std::move(text)};
  }
  if (!is_accepted && was_not_served(cancel, answer.status, said)) return {try_again, "", said.words};
  if (!said.is_good) return {unclear, "", said.words};
  if (!is_accepted) return {unclear, "", "neither accepted nor refused: " + said.words};
  return {accepted, "", ""};
}

bool cancel_has_lookup(const Profile& profile) {
  return profile.can_cancel() && profile.compiled().cancel->lookup;
}

CancelLookupAnswer map_cancel_lookup(const Profile& profile, const HttpAnswer& answer) {
  if (!cancel_has_lookup(profile)) std::abort();
  using enum CancelLookupAnswer::Kind;
  const CancelLookup& lookup = *profile.compiled().cancel->lookup;
  const Said said = read_answer(lookup.answer, answer);
  if (!said.is_good) return {unclear, "", said.words};
  std::string shipment_id = read(lookup.shipment_id, said.document->tree(), remito_bytes_max + 4);
  if (shipment_id.empty()) return {unclear, "", "without a number: " + said.words};
  if (shipment_id.size() > remito_bytes_max) return {unclear, "", "with a number of over 100 bytes"};
  return {found, std::move(shipment_id), ""};
}

QuoteAnswer map_quote(const Profile& profile, const HttpAnswer& answer) {
  if (!profile.can_quote()) std::abort();
  const QuoteOperation& quote = *profile.compiled().quote;
  const Said said = read_answer(quote.answer, answer);
  QuoteAnswer result;
  result.text = said.words;
  if (holds_in(quote.refused, said)) {
    result.kind = QuoteAnswer::Kind::refused;
    std::string text = read(quote.refusal_text, said.document->tree(), text_bytes_max);
    if (!text.empty()) result.text = std::move(text);
    return result;
  }
  if (!said.is_good) return result;
  const pugi::xml_document& tree = said.document->tree();
  const std::string price = read(quote.price, tree, amount_bytes_max);
  result.price = read_amount(price);
  if (result.price.empty()) {
    result.text = price.empty() ? "no price: " + said.words : "'" + price + "' is no price";
    return result;
  }
  result.currency = quote.currency_is.empty() ? read(quote.currency, tree, code_bytes_max) : quote.currency_is;
  if (result.currency.size() != 3) {
    result.text = "'" + result.currency + "' is no currency";
    return result;
  }
  result.days = read_days(read(quote.days, tree, amount_bytes_max));
  result.kind = QuoteAnswer::Kind::quoted;
  result.text.clear();
  return result;
}

}  // namespace remitod::carriers
