#include "carriers/remito_fields.h"

#include <utility>

namespace remitod::carriers {
namespace {

constexpr std::size_t remito_bytes_max = 100;
constexpr std::size_t refusal_code_bytes_max = 100;
constexpr std::size_t refusal_text_bytes_max = 500;

}  // namespace

std::expected<std::string, std::string> read_remito(const std::optional<Field>& remito, const Document& document) {
  // One character more than a remito may have.
  std::string number = read(remito, document.tree(), remito_bytes_max + 4);
  if (number.size() > remito_bytes_max) return std::unexpected("a number of over 100 bytes: " + number);
  return number;
}

RefusalWords read_refusal(const std::optional<Field>& code, const std::optional<Field>& text, const Document& document,
                          std::string words) {
  RefusalWords refusal{read(code, document.tree(), refusal_code_bytes_max),
                       read(text, document.tree(), refusal_text_bytes_max)};
  if (refusal.text.empty()) refusal.text = std::move(words);
  return refusal;
}

}  // namespace remitod::carriers
