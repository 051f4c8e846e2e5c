// Identity of an event, as text that people can read in the database: TIME|CODE|PLACE.
#include <openssl/sha.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "db/history.h"
#include "db/reconcile.h"

namespace remitod::db {
namespace {

constexpr std::size_t key_bytes_max = 200;
constexpr std::size_t digest_bytes_shown = 16;

bool is_blank(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value <= 0x20 || value == 0x7f;
}

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

/// The code ends at the first bar that is not escaped, so that no code and place can pass for another pair.
std::string escape_bars(std::string_view code) {
  std::string escaped;
  for (const char byte : code) {
    if (byte == '|' || byte == '\\') escaped += '\\';
    escaped += byte;
  }
  return escaped;
}

/// A day is written as the interval that it is, so that it is not the event of its midnight.
std::string time_part(const TrackingEvent& event) {
  if (!event.occurred_at) return "-";
  const std::string moment = to_iso8601(event.occurred_at->at);
  return event.occurred_at->date_only ? moment + "/P1D" : moment;
}

/// Keeps the start of a key that is too long for an index, and names the rest by its digest. The key is stored, so the
/// digest has to be the same in every build for ever.
std::string shorten(const std::string& key) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  std::string suffix = "#";
  for (std::size_t i = 0; i < digest_bytes_shown; ++i) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", digest[i]);
    suffix += hex;
  }
  std::size_t cut = key_bytes_max - suffix.size();
  while (cut > 0 && continues_character(key[cut])) --cut;
  return key.substr(0, cut) + suffix;
}

}  // namespace

std::string collapse_blanks(std::string_view text) {
  std::string collapsed;
  collapsed.reserve(text.size());
  for (const char byte : text) {
    if (!is_blank(byte))
      collapsed += byte;
    else if (!collapsed.empty() && collapsed.back() != ' ')
      collapsed += ' ';
  }
  if (!collapsed.empty() && collapsed.back() == ' ') collapsed.pop_back();
  return collapsed;
}

std::string event_key(const TrackingEvent& event) {
  std::string key =
      time_part(event) + '|' + escape_bars(collapse_blanks(event.code)) + '|' + collapse_blanks(event.place);
  return key.size() <= key_bytes_max ? key : shorten(key);
}

}  // namespace remitod::db
