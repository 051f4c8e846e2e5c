#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "carriers/charset.h"
#include "daemon/journal.h"

namespace remitod::daemon {
namespace {

constexpr std::size_t value_bytes_max = 300;

// Set once, before there are threads.
bool to_journal = false;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"-_.:/+@,#"}.find(c) != std::string_view::npos;
}

std::string hex(std::uint32_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0; --i, value >>= 4) text[i - 1] = "0123456789abcdef"[value & 15];
  return text;
}

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(character[i])}; };
  if (character.size() == 1) return byte(0);
  std::uint32_t result = byte(0) & (0x7FU >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) result = result << 6 | (byte(i) & 0x3F);
  return result;
}

// What steers a terminal or makes a line look like another: C0 and C1 controls, line and paragraph separators, and
// marks that turn the direction of what follows.
bool is_steering(std::uint32_t character) {
  const auto within = [character](std::uint32_t low, std::uint32_t high) {
    return character >= low && character <= high;
  };
  return character < 0x20 || within(0x7F, 0x9F) || within(0x200E, 0x200F) || within(0x2028, 0x202E) ||
         within(0x2066, 0x2069);
}

void append_printable(std::string& out, std::string_view character) {
  const std::uint32_t code = code_point(character);
  if (code == '"' || code == '\\') {
    out += '\\';
    out += character;
  } else if (code == '\n') {
    out += "\\n";
  } else if (code == '\t') {
    out += "\\t";
  } else if (is_steering(code)) {
    out += code < 0x80 ? "\\x" + hex(code, 2) : "\\u" + hex(code, 4);
  } else {
    out += character;
  }
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(std::min(text.size(), value_bytes_max));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = carriers::utf8_sequence(text, at);
    if (at + std::max<std::size_t>(length, 1) > value_bytes_max) return result + "...";
    if (length == 0)
      result += "\\x" + hex(static_cast<unsigned char>(text[at]), 2);
    else
      append_printable(result, text.substr(at, length));
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

Field::Field(std::string_view key, std::string_view value) : text_(key), key_bytes_(key.size()) {
  text_ += '=';
  if (!value.empty() && value.size() <= value_bytes_max && std::ranges::all_of(value, is_plain)) {
    text_ += value;
  } else {
    text_ += '"';
    text_ += printable(value);
    text_ += '"';
  }
}

Field::Field(Plain, std::string_view key, std::string value) : text_(key), key_bytes_(key.size()) {
  text_ += '=';
  text_ += value;
}

std::string_view Field::value() const {
  std::string_view value = std::string_view(text_).substr(key_bytes_ + 1);
  if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
  return value;
}

std::string log_line(std::string_view event, std::initializer_list<Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.text();
  }
  return line;
}

bool logs(Level level) {
  return spdlog::should_log(to_spdlog(level));
}

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!logs(level)) return;
  if (to_journal && send_to_journal(journal_entry(level, event, fields))) return;
  spdlog::log(to_spdlog(level), "{}", log_line(event, fields));
}

bool stderr_is_journal() {
  // The variable alone says nothing: a shell that a service started inherits it, with a terminal for stderr.
  const char* journal = std::getenv("JOURNAL_STREAM");
  struct stat file{};
  if (!journal || ::fstat(STDERR_FILENO, &file) != 0) return false;
  return std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == journal;
}

bool set_up_log(std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") return false;
  to_journal = stderr_is_journal();
  auto logger = std::make_shared<spdlog::logger>("remitod", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  return true;
}

}  // namespace remitod::daemon
