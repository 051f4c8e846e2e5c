#include "carriers/charset_converter.h"

#include <algorithm>
#include <cerrno>

namespace remitod::carriers {

bool is_charset_name(std::string_view charset) {
  return !charset.empty() && charset.size() <= 40 && std::ranges::all_of(charset, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("-_.:+()").contains(c);
  });
}

CharsetConverter::CharsetConverter(const std::string& to, const std::string& from)
    : handle_(iconv_open(to.c_str(), from.c_str())) {}

CharsetConverter::~CharsetConverter() {
  if (known()) iconv_close(handle_);
}

bool CharsetConverter::known() const {
  // NOLINTNEXTLINE(performance-no-int-to-ptr, cppcoreguidelines-pro-type-cstyle-cast): iconv's own error value
  return handle_ != reinterpret_cast<iconv_t>(-1);
}

int CharsetConverter::convert(std::string_view& bytes, std::string& text) {
  char* in = const_cast<char*>(bytes.data());  // iconv's signature; it does not write there
  std::size_t in_left = bytes.size();
  std::size_t used = text.size();
  int error = E2BIG;
  while (error == E2BIG) {
    text.resize(used + in_left + in_left / 4 + 64);
    char* out = text.data() + used;
    std::size_t out_left = text.size() - used;
    error = iconv(handle_, &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1) ? errno : 0;
    // Some charsets hold a character back until they know that no accent follows it, or have to be led back to ASCII.
    if (error == 0 && iconv(handle_, nullptr, nullptr, &out, &out_left) == static_cast<std::size_t>(-1)) error = errno;
    used = text.size() - out_left;
  }
  text.resize(used);
  bytes.remove_prefix(bytes.size() - in_left);
  return error;
}

}  // namespace remitod::carriers
