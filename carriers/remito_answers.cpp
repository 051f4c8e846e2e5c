// Answers about numbers given ahead and about requests that were accepted.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/query.h"
#include "carriers/remito.h"
#include "carriers/remito_fields.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t number_bytes_max = 41;  // one more than a range takes in, so that it sees what is too long

using Kind = ConfirmAnswer::Kind;

ConfirmAnswer unclear(std::string seen) {
  return {Kind::unclear, "", "", std::move(seen)};
}

/// `is_ours`: the number that was proposed is one of a range, which the carrier does not change.
ConfirmAnswer map_readable(const ConfirmOperation& confirm, const Document& document, int http_status,
                           std::string_view proposed, bool is_ours, std::string words) {
  const bool is_granted = says(confirm.granted, document);
  if (says(confirm.answer.auth_error, document)) return unclear("auth: " + words);
  if (says(confirm.refused, document)) {
    if (is_granted) return unclear("both granted and refused: " + words);
    RefusalWords refusal = read_refusal(confirm.refusal_code, confirm.refusal_text, document, std::move(words));
    return {Kind::refused, "", std::move(refusal.code), std::move(refusal.text)};
  }
  if (!is_success(confirm.answer, http_status)) return unclear("HTTP " + std::to_string(http_status) + ": " + words);
  if (confirm.answer.success && !says(confirm.answer.success, document)) return unclear(std::move(words));
  if (!is_granted) {
    if (!confirm.pending || says(confirm.pending, document)) return {Kind::pending, "", "", ""};
    return unclear("neither granted, refused nor pending: " + words);
  }
  auto remito = read_remito(confirm.remito, document);
  if (!remito) return unclear("granted with " + remito.error());
  if (is_ours && !remito->empty() && *remito != proposed)
    return unclear("granted as " + *remito + ", but it was given the number " + std::string(proposed));
  if (remito->empty()) *remito = proposed;
  if (remito->empty()) return unclear("granted without a number: " + words);
  return {Kind::granted, *std::move(remito), "", ""};
}

}  // namespace

std::expected<std::vector<NumberBlock>, CarrierTrouble> map_range(const Profile& profile, const HttpAnswer& answer) {
  const auto& create = profile.compiled().create;
  if (!create || !create->range || !create->range->operation) std::abort();
  const RangeOperation& range = *create->range->operation;
  const std::expected<Document, CarrierTrouble> document = open_answer(range.answer, answer);
  if (!document) return std::unexpected(document.error());
  const auto malformed = [](std::string why) {
    return std::unexpected(CarrierTrouble{CarrierTrouble::Kind::malformed, std::move(why)});
  };
  std::vector<NumberBlock> blocks;
  if (range.numbers) {
    const pugi::xpath_node_set nodes = select(*range.numbers, document->tree());
    if (nodes.size() > number_blocks_max) return malformed("over " + std::to_string(number_blocks_max) + " numbers");
    for (const pugi::xpath_node& node : nodes) {
      const std::string number =
          tidy(node.attribute() ? node.attribute().value() : node.node().text().get(), number_bytes_max);
      blocks.push_back({number, number});
    }
  } else {
    blocks.push_back(
        {read(range.first, document->tree(), number_bytes_max), read(range.last, document->tree(), number_bytes_max)});
  }
  const bool has_gap =
      std::ranges::any_of(blocks, [](const NumberBlock& block) { return block.first.empty() || block.last.empty(); });
  if (blocks.empty() || has_gap) return malformed("no numbers: " + carrier_words(range.answer, answer, &*document));
  return blocks;
}

ConfirmAnswer map_confirm(const Profile& profile, const HttpAnswer& answer, const CreateOrder& order) {
  if (!profile.compiled().confirm) std::abort();
  const ConfirmOperation& confirm = *profile.compiled().confirm;
  if (std::ranges::find(confirm.pending_statuses, answer.status) != confirm.pending_statuses.end())
    return {Kind::pending, "", "", ""};
  const auto& create = profile.compiled().create;
  const std::expected<Document, DecodeError> document = decode(confirm.answer, answer);
  if (document)
    return map_readable(confirm, *document, answer.status, order.remito, create && create->range,
                        carrier_words(confirm.answer, answer, &*document));
  const std::string status = "HTTP " + std::to_string(answer.status) + ": ";
  return unclear((is_success(confirm.answer, answer.status) ? "" : status) + describe(document.error()));
}

}  // namespace remitod::carriers
