// Log lines: an event's name, then key=value fields. Values from outside are quoted and escaped, so that no carrier can
// forge a line. Under systemd they go to the journal with their level and with fields of their own (journal.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace remitod::daemon {

enum class Level : std::uint8_t { debug, info, warning, error };

/// One key=value. Numbers as they are; text quoted where it holds anything but plain characters.
class Field {
 public:
  Field(std::string_view key, std::string_view value);
  Field(std::string_view key, const std::string& value) : Field(key, std::string_view{value}) {}
  Field(std::string_view key, const char* value) : Field(key, std::string_view{value}) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view key, Number value) : Field(Plain{}, key, plain(value)) {}
  const std::string& text() const { return text_; }
  std::string_view key() const { return std::string_view(text_).substr(0, key_bytes_); }
  /// As it stands in the text, without the quotes.
  std::string_view value() const;

 private:
  struct Plain {};
  Field(Plain, std::string_view key, std::string value);
  static std::string plain(bool value) { return value ? "true" : "false"; }
  template <class Number>
  static std::string plain(Number value) {
    return std::to_string(value);
  }
  std::string text_;
  std::size_t key_bytes_;
};

/// Whether stderr goes to the journal, which then takes a level from the line's head: "<3>" is an error (sd-daemon(3)).
bool stderr_is_journal();
/// "info" and so on; anything else is refused.
bool set_up_log(std::string_view level);
/// Whether lines of this level are written: asked where there would be one for each poll.
bool logs(Level level);
/// Writes "EVENT key=value ...". Thread-safe.
void log(Level level, std::string_view event, std::initializer_list<Field> fields);
/// For tests and for the demo: how a line reads.
std::string log_line(std::string_view event, std::initializer_list<Field> fields);
/// Escapes quotes, control characters (ESC, those of eight bits and those that turn the direction of text included) and
/// bytes that are no UTF-8; shortens over 300 bytes.
std::string printable(std::string_view text);

}  // namespace remitod::daemon
