#include "carriers/edi_syntax.h"

#include <algorithm>
#include <array>

namespace remitod::carriers {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// A part of a longer character would cut others into pieces. A letter or digit is data that has moved up, because a
/// character before it was lost: "UNA:+.?'UNB" without its blank.
bool can_separate(const EdiSyntax& syntax) {
  const auto characters = {syntax.element, syntax.component, syntax.repetition, syntax.release, syntax.terminator};
  return std::ranges::none_of(characters, [](char c) { return (c & 0x80) != 0 || is_letter_or_digit(c); });
}

}  // namespace

std::optional<EdiSyntax> x12_syntax(std::string_view text, std::size_t& advice_bytes) {
  constexpr std::size_t header_bytes_max = 200;
  constexpr std::size_t elements = 16;
  advice_bytes = 0;
  if (!text.starts_with("ISA") || text.size() < 4) return std::nullopt;
  text = text.substr(0, header_bytes_max);
  const char separator = text[3];
  std::array<std::size_t, elements> begins{};
  std::size_t at = 3;
  for (std::size_t& begin : begins) {
    at = text.find(separator, at);
    if (at == std::string_view::npos) return std::nullopt;
    begin = ++at;
  }
  if (at + 1 >= text.size()) return std::nullopt;
  EdiSyntax syntax{.element = separator, .component = text[at], .terminator = text[at + 1]};
  // Version 00402 gave the eleventh element its new meaning; before, it was the standard's name, "U".
  const std::string_view repetition = text.substr(begins[10], begins[11] - begins[10] - 1);
  const std::string_view version = text.substr(begins[11], begins[12] - begins[11] - 1);
  if (repetition.size() == 1 && !is_letter_or_digit(repetition[0]) && version >= "00402")
    syntax.repetition = repetition[0];
  return can_separate(syntax) ? std::optional(syntax) : std::nullopt;
}

std::optional<EdiSyntax> edifact_syntax(std::string_view text, std::size_t& advice_bytes) {
  constexpr std::string_view advice = "UNA";
  constexpr std::size_t advice_size = 9;
  advice_bytes = 0;
  if (text.starts_with(advice) && text.size() >= advice_size) {
    advice_bytes = advice_size;
    const auto character = [&](std::size_t place) { return text[place] == ' ' ? '\0' : text[place]; };
    const EdiSyntax syntax{.element = text[4],
                           .component = text[3],
                           .repetition = character(7),
                           .release = character(6),
                           .terminator = text[8]};
    return can_separate(syntax) ? std::optional(syntax) : std::nullopt;
  }
  if (!text.starts_with("UNB+")) return std::nullopt;
  EdiSyntax syntax{.element = '+', .component = ':', .release = '?', .terminator = '\''};
  const bool has_repetitions = text.size() > 9 && text[8] == ':' && text[9] >= '4' && text[9] <= '9';  // UNB+UNOC:4
  if (has_repetitions) syntax.repetition = '*';
  return syntax;
}

std::size_t find_unreleased(std::string_view text, std::size_t at, char end, char release) {
  if (release == '\0') return text.find(end, at);
  const char stops[] = {end, release};
  for (at = text.find_first_of({stops, 2}, at); at != std::string_view::npos;
       at = text.find_first_of({stops, 2}, at + 2))
    if (text[at] == end) return at;
  return std::string_view::npos;
}

std::string_view cut(std::optional<std::string_view>& text, char separator, char release) {
  const std::string_view whole = *text;
  const std::size_t end = separator == '\0' ? std::string_view::npos : find_unreleased(whole, 0, separator, release);
  if (end == std::string_view::npos) {
    text.reset();
    return whole;
  }
  text = whole.substr(end + 1);
  return whole.substr(0, end);
}

std::string_view without_release(std::string_view text, char release, std::string& scratch) {
  if (release == '\0' || !text.contains(release)) return text;
  scratch.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == release && i + 1 < text.size()) ++i;
    scratch += text[i];
  }
  return scratch;
}

}  // namespace remitod::carriers
