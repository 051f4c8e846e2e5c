// How segments are written: what EDIFACT (ISO 9735) and X12 (X12.5, X12.6) share, once the separators are known.
// Private to carriers/.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// The service characters, of ASCII and neither letters nor digits; NUL: there is none.
struct EdiSyntax {
  char element = '\0';
  char component = '\0';
  char repetition = '\0';
  char release = '\0';  ///< takes the next character's meaning away
  char terminator = '\0';
};

/// From the interchange header at the beginning of `text`, "ISA*...". The standard fixes its 106 characters, but some
/// programs trim the blanks out of it: its elements are counted instead.
/// `advice_bytes` is 0: the header is a segment too. Nothing where there is no whole header.
std::optional<EdiSyntax> x12_syntax(std::string_view text, std::size_t& advice_bytes);

/// From "UNA:+.? '" at the beginning of `text`, or as the standard has them where "UNB" stands there; else nothing.
/// `advice_bytes` is the size of UNA, which is no segment, or 0.
std::optional<EdiSyntax> edifact_syntax(std::string_view text, std::size_t& advice_bytes);

/// Cuts `text` at the first `separator` that is not released, and gives what stood before it. `text` is then what
/// stands after it, and nothing where there was none.
std::string_view cut(std::optional<std::string_view>& text, char separator, char release);

/// The place of the first `end` from `at` on that is not released; npos where there is none.
std::size_t find_unreleased(std::string_view text, std::size_t at, char end, char release);

/// Without release characters. Points into `text`, or into `scratch` where there were some.
std::string_view without_release(std::string_view text, char release, std::string& scratch);

}  // namespace remitod::carriers
