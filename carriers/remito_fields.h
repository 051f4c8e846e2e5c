// What an answer says of one request for a remito: the number, and why it was refused. Private to carriers/.
#pragma once

#include <expected>
#include <string>

#include "carriers/compiled.h"

namespace remitod::carriers {

/// Empty where the answer has none. The error: what it has is longer than any number, and a part of it would be
/// another's.
std::expected<std::string, std::string> read_remito(const std::optional<Field>& remito, const Document& document);

/// In the carrier's own words.
struct RefusalWords {
  std::string code;
  std::string text;
};
/// `words` where the profile reads no text.
RefusalWords read_refusal(const std::optional<Field>& code, const std::optional<Field>& text, const Document& document,
                          std::string words);

}  // namespace remitod::carriers
