// The words that name what a resync shall ask about.
#include <algorithm>

#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr std::string_view order_prefix = "order:";

/// Blanks inside are a carrier's or a platform's own business; around the word they are a slip of the hand.
bool is_word(std::string_view text) {
  const auto is_control = [](unsigned char character) { return character < ' ' || character == 0x7f; };
  return !text.empty() && text.front() != ' ' && text.back() != ' ' && std::ranges::none_of(text, is_control);
}

}  // namespace

std::optional<ResyncTarget> ResyncTarget::parse(std::string_view text) {
  if (text == "all") return ResyncTarget{};
  if (text.starts_with(order_prefix)) {
    const std::string_view order = text.substr(order_prefix.size());
    if (!is_word(order)) return std::nullopt;
    return ResyncTarget{.kind = Kind::order, .carrier = {}, .value = std::string(order)};
  }
  const std::size_t colon = text.find(':');
  const std::string_view carrier = text.substr(0, colon);
  if (!is_word(carrier)) return std::nullopt;
  if (colon == std::string_view::npos)
    return ResyncTarget{.kind = Kind::carrier, .carrier = std::string(carrier), .value = {}};
  const std::string_view remito = text.substr(colon + 1);
  if (!is_word(remito)) return std::nullopt;
  return ResyncTarget{.kind = Kind::shipment, .carrier = std::string(carrier), .value = std::string(remito)};
}

std::string ResyncTarget::to_string() const {
  switch (kind) {
    case Kind::all:
      return "all";
    case Kind::carrier:
      return carrier;
    case Kind::shipment:
      return carrier + ':' + value;
    case Kind::order:
      return std::string(order_prefix) + value;
  }
  return {};
}

}  // namespace remitod::db
