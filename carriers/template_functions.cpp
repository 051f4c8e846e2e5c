#include "carriers/template_functions.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "carriers/charset.h"
#include "carriers/digest.h"
#include "carriers/escape.h"
#include "carriers/number_expression.h"
#include "carriers/written_time.h"

namespace remitod::carriers {
namespace {

enum class Kind : std::uint8_t {
  hash,
  hmac,
  key,
  base64,
  base64_url,
  upper,
  lower,
  digits,
  first,
  last,
  url,
  form,
  number,
  time,
};
enum class Moment : std::uint8_t { now, since, until, registered };

struct Function : FunctionRow {
  Kind kind;
  Digest digest = Digest::md5;
  Moment moment = Moment::now;
  bool utc = false;
  std::optional<int> places{};  ///< of a number
};

constexpr Function hash_row(std::string_view name, Digest digest, bool raw) {
  return {{.name = name, .gives_bytes = raw, .gives_digest = true}, Kind::hash, digest};
}
constexpr Function hmac_row(std::string_view name, Digest digest, bool raw) {
  return {{.name = name, .takes_key = true, .gives_bytes = raw, .gives_digest = true}, Kind::hmac, digest};
}
constexpr Function text_row(std::string_view name, Kind kind) {
  return {{.name = name}, kind};
}
constexpr Function count_row(std::string_view name, Kind kind) {
  return {{.name = name, .takes_count = true}, kind};
}
constexpr Function number_row(std::string_view name, std::optional<int> places) {
  return {{.name = name}, Kind::number, Digest::md5, Moment::now, false, places};
}
constexpr Function time_row(std::string_view name, Moment moment, bool utc, FunctionScope scope) {
  return {{.name = name, .scope = scope, .takes_format = true}, Kind::time, Digest::md5, moment, utc};
}

constexpr std::array functions{
    hash_row("md5", Digest::md5, false),
    hash_row("md5_raw", Digest::md5, true),
    hash_row("sha1", Digest::sha1, false),
    hash_row("sha1_raw", Digest::sha1, true),
    hash_row("sha256", Digest::sha256, false),
    hash_row("sha256_raw", Digest::sha256, true),
    hash_row("sha512", Digest::sha512, false),
    hash_row("sha512_raw", Digest::sha512, true),
    hmac_row("hmac_md5", Digest::md5, false),
    hmac_row("hmac_md5_raw", Digest::md5, true),
    hmac_row("hmac_sha1", Digest::sha1, false),
    hmac_row("hmac_sha1_raw", Digest::sha1, true),
    hmac_row("hmac_sha256", Digest::sha256, false),
    hmac_row("hmac_sha256_raw", Digest::sha256, true),
    hmac_row("hmac_sha512", Digest::sha512, false),
    hmac_row("hmac_sha512_raw", Digest::sha512, true),
    Function{{.name = "key", .scope = FunctionScope::hmac}, Kind::key},
    text_row("base64", Kind::base64),
    text_row("base64_url", Kind::base64_url),
    text_row("upper", Kind::upper),
    text_row("lower", Kind::lower),
    text_row("digits", Kind::digits),
    count_row("first_30", Kind::first),
    count_row("last_9", Kind::last),
    text_row("url_encoded", Kind::url),
    text_row("form_encoded", Kind::form),
    number_row("number", std::nullopt),
    number_row("number_0", 0),
    number_row("number_1", 1),
    number_row("number_2", 2),
    number_row("number_3", 3),
    number_row("number_4", 4),
    time_row("now", Moment::now, false, FunctionScope::everywhere),
    time_row("now_utc", Moment::now, true, FunctionScope::everywhere),
    time_row("registered", Moment::registered, false, FunctionScope::shipment),
    time_row("since", Moment::since, false, FunctionScope::window),
    time_row("since_utc", Moment::since, true, FunctionScope::window),
    time_row("until", Moment::until, false, FunctionScope::window),
    time_row("until_utc", Moment::until, true, FunctionScope::window),
};

constexpr auto rows = [] {
  std::array<FunctionRow, functions.size()> table{};
  std::ranges::copy(functions, table.begin());
  return table;
}();

std::string mapped(std::string_view text, char (*map)(char)) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), map);
  return result;
}

char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A text that has no digit is none of the numbers that this is for: a required field would go out empty.
std::expected<std::string, std::string> digits_of(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), is_digit);
  if (digits.empty() && !is_blank(text)) return std::unexpected("has no digit: '" + std::string(text) + "'");
  return digits;
}

/// 1 to 999, as it is written without leading zeros; else 0.
std::size_t count_of(std::string_view text) {
  if (text.empty() || text.size() > 3 || text.front() == '0' || !std::ranges::all_of(text, is_digit)) return 0;
  std::size_t count = 0;
  for (const char c : text) count = count * 10 + static_cast<std::size_t>(c - '0');
  return count;
}

constexpr char behind_count = ':';

/// A part of "30:the text", so many characters long, never a part of one.
std::string part_of(std::string_view counted, Kind kind) {
  const std::size_t behind = counted.find(behind_count);
  const std::size_t count = count_of(counted.substr(0, behind));
  const std::string_view text = counted.substr(behind + 1);
  std::vector<std::size_t> begins;  // of each character
  for (std::size_t at = 0; at < text.size(); at += std::max<std::size_t>(utf8_sequence(text, at), 1))
    begins.push_back(at);
  if (begins.size() <= count) return std::string(text);
  return std::string(kind == Kind::first ? text.substr(0, begins[count]) : text.substr(begins[begins.size() - count]));
}

std::string url_encoded(std::string_view text) {
  std::string encoded;
  append_escaped(encoded, text, Escape::url);
  return encoded;
}

/// As java.net.URLEncoder writes it, over whose output carriers hash: '+' for a blank, '*' stays, '~' does not.
std::string form_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (c == ' ')
      encoded += '+';
    else if (c == '*')
      encoded += '*';
    else if (c == '~')
      encoded += "%7E";
    else
      append_escaped(encoded, {&c, 1}, Escape::url);
  }
  return encoded;
}

std::expected<std::string, std::string> write_moment(const Function& function, std::string_view format,
                                                     const TemplateTimes& times) {
  const std::string_view zone = function.utc ? "UTC" : times.zone;
  switch (function.moment) {
    case Moment::now:
      return write_time(times.now, format, zone);
    case Moment::since:
      return write_time(times.since, format, zone);
    case Moment::until:
      return write_time(times.until, format, zone);
    case Moment::registered:
      return write_time(times.registered, format, zone);
  }
  std::abort();
}

}  // namespace

std::span<const FunctionRow> template_functions() {
  return rows;
}

std::string_view counted_stem(const FunctionRow& row) {
  return row.takes_count ? row.name.substr(0, row.name.find('_') + 1) : "";
}

std::string_view listed_name(std::string_view name) {
  const auto row = std::ranges::find_if(rows, [&](const FunctionRow& candidate) {
    const std::string_view stem = counted_stem(candidate);
    return !stem.empty() && name.starts_with(stem) && count_of(name.substr(stem.size())) != 0;
  });
  return row == rows.end() ? name : row->name;
}

std::string counted_content(std::string_view count, std::string_view content) {
  return std::string(count) + behind_count + std::string(content);
}

std::optional<unsigned> find_function(std::string_view name) {
  const auto found = std::ranges::find(rows, listed_name(name), &FunctionRow::name);
  if (found == rows.end()) return std::nullopt;
  return static_cast<unsigned>(found - rows.begin());
}

unsigned key_function() {
  static const unsigned key = *find_function("key");
  return key;
}

std::expected<std::string, std::string> apply_function(unsigned number, std::string_view content, std::string_view key,
                                                       const TemplateTimes& times) {
  const Function& function = functions.at(number);
  switch (function.kind) {
    case Kind::hash: {
      std::string bytes = hash(function.digest, content);
      return function.gives_bytes ? bytes : to_hex(bytes);
    }
    case Kind::hmac: {
      std::string bytes = hmac(function.digest, key, content);
      return function.gives_bytes ? bytes : to_hex(bytes);
    }
    case Kind::key:
      return std::string(content);
    case Kind::base64:
      return to_base64(content);
    case Kind::base64_url:
      return to_base64_url(content);
    case Kind::upper:
      return mapped(content, to_upper);
    case Kind::lower:
      return mapped(content, to_lower);
    case Kind::digits:
      return digits_of(content);
    case Kind::first:
    case Kind::last:
      return part_of(content, function.kind);
    case Kind::url:
      return url_encoded(content);
    case Kind::form:
      return form_encoded(content);
    case Kind::number:
      return evaluate_number(content, function.places);
    case Kind::time:
      return write_moment(function, content, times);
  }
  std::abort();
}

}  // namespace remitod::carriers
