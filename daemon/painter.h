// Colours for a terminal, or none: everything that a person reads is written through it.
#pragma once

#include <cstdint>
#include <string>

namespace remitod::daemon {

enum class Colour : std::uint8_t { red = 31, green = 32, yellow = 33, cyan = 36, grey = 90 };

class Painter {
 public:
  explicit Painter(bool colours) : colours_(colours) {}
  std::string operator()(Colour colour, const std::string& text) const {
    if (!colours_ || text.empty()) return text;
    return "\033[" + std::to_string(static_cast<int>(colour)) + "m" + text + "\033[0m";
  }

 private:
  bool colours_;
};

}  // namespace remitod::daemon
