// iconv, and the names that it is given. Private to carriers/.
#pragma once

#include <iconv.h>

#include <string>
#include <string_view>

namespace remitod::carriers {

/// The name may come from a carrier, and iconv gives a meaning to '/' and ','.
bool is_charset_name(std::string_view charset);

/// From one charset to another. Nothing is replaced: what cannot be converted stops it. A name that comes from a
/// carrier has passed is_charset_name.
class CharsetConverter {
 public:
  CharsetConverter(const std::string& to, const std::string& from);
  CharsetConverter(const CharsetConverter&) = delete;
  CharsetConverter& operator=(const CharsetConverter&) = delete;
  ~CharsetConverter();
  bool known() const;  ///< iconv knows both

  /// Appends to `text`. Returns what iconv says: 0 when all was converted, else its errno; `bytes` is what is left.
  int convert(std::string_view& bytes, std::string& text);

 private:
  iconv_t handle_;
};

}  // namespace remitod::carriers
