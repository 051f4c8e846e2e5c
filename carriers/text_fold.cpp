#include "carriers/text_fold.h"

#include <array>

namespace remitod::carriers {
namespace {

struct Letters {
  char32_t first, last;
  std::string_view plain;
};

// U+00C0..U+017F without × and ÷, in the order of the code points.
constexpr std::array<Letters, 50> letters{{
    {0xC0, 0xC5, "a"},   {0xC6, 0xC6, "ae"},  {0xC7, 0xC7, "c"},   {0xC8, 0xCB, "e"},      {0xCC, 0xCF, "i"},
    {0xD0, 0xD0, "d"},   {0xD1, 0xD1, "n"},   {0xD2, 0xD6, "o"},   {0xD8, 0xD8, "o"},      {0xD9, 0xDC, "u"},
    {0xDD, 0xDD, "y"},   {0xDE, 0xDE, "th"},  {0xDF, 0xDF, "ss"},  {0xE0, 0xE5, "a"},      {0xE6, 0xE6, "ae"},
    {0xE7, 0xE7, "c"},   {0xE8, 0xEB, "e"},   {0xEC, 0xEF, "i"},   {0xF0, 0xF0, "d"},      {0xF1, 0xF1, "n"},
    {0xF2, 0xF6, "o"},   {0xF8, 0xF8, "o"},   {0xF9, 0xFC, "u"},   {0xFD, 0xFD, "y"},      {0xFE, 0xFE, "th"},
    {0xFF, 0xFF, "y"},   {0x100, 0x105, "a"}, {0x106, 0x10D, "c"}, {0x10E, 0x111, "d"},    {0x112, 0x11B, "e"},
    {0x11C, 0x123, "g"}, {0x124, 0x127, "h"}, {0x128, 0x131, "i"}, {0x132, 0x133, "ij"},   {0x134, 0x135, "j"},
    {0x136, 0x138, "k"}, {0x139, 0x142, "l"}, {0x143, 0x14B, "n"}, {0x14C, 0x151, "o"},    {0x152, 0x153, "oe"},
    {0x154, 0x159, "r"}, {0x15A, 0x161, "s"}, {0x162, 0x167, "t"}, {0x168, 0x173, "u"},    {0x174, 0x175, "w"},
    {0x176, 0x178, "y"}, {0x179, 0x17E, "z"}, {0x17F, 0x17F, "s"}, {0x1E9E, 0x1E9E, "ss"}, {0x300, 0x36F, ""},
}};

/// What stands for a character of two bytes or more; nothing: the character itself.
const Letters* plain_letters(char32_t character) {
  for (const Letters& range : letters)
    if (character >= range.first && character <= range.last) return &range;
  return nullptr;
}

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;  ///< 1 for bytes that are no UTF-8
};

Character decode(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto follows = [&](std::size_t at) { return at < text.size() && (byte(at) & 0xC0u) == 0x80u; };
  const auto low_bits = [&](std::size_t at) { return static_cast<char32_t>(byte(at) & 0x3Fu); };
  const char32_t lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF && follows(1)) return {(lead & 0x1Fu) << 6 | low_bits(1), 2};
  if (lead >= 0xE0 && lead <= 0xEF && follows(1) && follows(2))
    return {(lead & 0x0Fu) << 12 | low_bits(1) << 6 | low_bits(2), 3};
  return {lead < 0x80 ? lead : 0xFFFD, 1};
}

bool is_blank(char32_t character) {
  return character == ' ' || (character >= '\t' && character <= '\r') || character == 0xA0 || character == 0x202F;
}

}  // namespace

std::string fold(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  bool blank_waits = false;
  while (!text.empty()) {
    const Character character = decode(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (is_blank(character.code)) {
      blank_waits = !folded.empty();
      continue;
    }
    if (blank_waits) folded += ' ';
    blank_waits = false;
    if (character.code >= 'A' && character.code <= 'Z')
      folded += static_cast<char>(character.code - 'A' + 'a');
    else if (const Letters* plain = character.bytes > 1 ? plain_letters(character.code) : nullptr)
      folded += plain->plain;
    else
      folded += bytes;
  }
  return folded;
}

}  // namespace remitod::carriers
