// How a carrier's wording is compared: carriers change case, accents and spacing from one release to the next, and mean
// the same.
#pragma once

#include <string>
#include <string_view>

namespace remitod::carriers {

/// UTF-8 in, UTF-8 out: blanks (no-break ones too) collapsed to one and trimmed, lower case, the accents of Latin-1 and
/// Latin Extended-A letters removed, combining accents dropped. "  ENTREGÓ  en domicilio" becomes "entrego en
/// domicilio". Other letters and bytes that are no UTF-8 stay as they are.
std::string fold(std::string_view text);

}  // namespace remitod::carriers
