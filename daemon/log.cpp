#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace remitod::daemon {
namespace {

constexpr std::size_t value_bytes_max = 300;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"-_.:/+@,#"}.find(c) != std::string_view::npos;
}

// Cut where no UTF-8 sequence is torn.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
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
  const std::string_view shown = cut(text, value_bytes_max);
  std::string result;
  result.reserve(shown.size());
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      constexpr std::string_view digits = "0123456789abcdef";
      result += "\\x";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    } else {
      result += c;
    }
  }
  if (shown.size() < text.size()) result += "...";
  return result;
}

Field::Field(std::string_view key, std::string_view value) : text_(key) {
  text_ += '=';
  if (!value.empty() && value.size() <= value_bytes_max && std::ranges::all_of(value, is_plain)) {
    text_ += value;
  } else {
    text_ += '"';
    text_ += printable(value);
    text_ += '"';
  }
}

Field::Field(Plain, std::string_view key, std::string value) : text_(key) {
  text_ += '=';
  text_ += value;
}

std::string log_line(std::string_view event, std::initializer_list<Field> fields) {
  std::string line(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.text();
  }
  return line;
}

void log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  const auto spdlog_level = to_spdlog(level);
  if (!spdlog::should_log(spdlog_level)) return;
  spdlog::log(spdlog_level, "{}", log_line(event, fields));
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
  std::shared_ptr<spdlog::logger> logger;
  if (stderr_is_journal()) {
    logger = std::make_shared<spdlog::logger>("remitod", std::make_shared<spdlog::sinks::systemd_sink_mt>("remitod"));
  } else {
    logger = std::make_shared<spdlog::logger>("remitod", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  }
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  return true;
}

}  // namespace remitod::daemon
