#include "carriers/redactor.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "carriers/body_charset.h"
#include "carriers/charset.h"
#include "carriers/compiled.h"
#include "carriers/digest.h"
#include "carriers/escape.h"
#include "carriers/template_functions.h"

namespace remitod::carriers {
namespace {

constexpr std::string_view replacement = "[secret]";
constexpr std::size_t secret_bytes_min = 4;
constexpr std::size_t part_bytes_min = 6;  // of a secret that was cut
constexpr std::string_view cut_mark = "...";
constexpr std::size_t message_bytes_max = 4096;  // our own words, in which things are cut, are shorter
constexpr std::size_t sessions_max = 12;         // each step of a login makes one
constexpr std::size_t run_bytes_max = 256;

std::vector<std::string> escaped_forms(std::string_view text) {
  std::vector<std::string> forms;
  for (const Escape escape : {Escape::xml, Escape::json, Escape::url})
    append_escaped(forms.emplace_back(), text, escape);
  forms.push_back(*apply_function(*find_function("form_encoded"), text, "", {}));
  // JSON as it is often written, so that it can stand in HTML.
  std::string& slashes = forms.emplace_back();
  for (const char c : forms[1]) slashes += c == '/' ? "\\/" : std::string(1, c);
  return forms;
}

// ------------------------------------------------------------------ characters, however they are written

/// The character at the beginning of a text, and its bytes; a byte that begins none stands for itself.
struct Character {
  std::uint32_t code = 0;
  std::string_view bytes;
};

Character first_character(std::string_view text) {
  const std::size_t length = std::max<std::size_t>(utf8_sequence(text, 0), 1);
  return {code_point(text.substr(0, length)), text.substr(0, length)};
}

/// A number at the beginning of a text, and the bytes that it takes; none: no such digits.
std::optional<std::pair<std::uint32_t, std::size_t>> number_at(std::string_view text, int base,
                                                               std::size_t digits_max) {
  std::uint32_t number = 0;
  const std::string_view digits = text.substr(0, digits_max);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc{}) return std::nullopt;
  return std::pair{number, static_cast<std::size_t>(end - digits.data())};
}

/// Longer runs than escaping makes are cut: each of their characters is looked at as a beginning.
std::size_t run_of(std::string_view text, std::string_view part) {
  text = text.substr(0, run_bytes_max);
  std::size_t bytes = 0;
  while (text.substr(bytes).starts_with(part)) bytes += part.size();
  return bytes;
}

// The next ones return how many bytes at the beginning of a text spell a character; 0: they spell none or another.

/// &quot; &#39; &#x27; and these inside of XML, &amp;#39;
std::size_t reference_bytes(std::string_view text, const Character& character) {
  constexpr std::array<std::pair<std::string_view, char>, 4> names{
      {{"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}}};
  if (!text.starts_with('&')) return 0;
  const std::size_t begin = 1 + run_of(text.substr(1), "amp;");
  if (character.code == '&' && begin != 1) return begin;
  const std::string_view name = text.substr(begin);
  for (const auto& [written, meant] : names)
    if (name.starts_with(written) && character.code == static_cast<unsigned char>(meant)) return begin + written.size();
  if (!name.starts_with('#')) return 0;
  const std::size_t mark = name.starts_with("#x") || name.starts_with("#X") ? 2 : 1;
  const auto number = number_at(name.substr(mark), mark == 2 ? 16 : 10, 8);
  const bool is_meant =
      number && number->first == character.code && name.substr(mark + number->second).starts_with(';');
  return is_meant ? begin + mark + number->second + 1 : 0;
}

/// \" \/ \u0027 and these inside of JSON, \\u0027
std::size_t json_bytes(std::string_view text, const Character& character) {
  const std::size_t slashes = run_of(text, "\\");
  if (slashes == 0) return 0;
  if (character.code == '\\' && slashes > 1) return slashes;
  const std::string_view rest = text.substr(slashes);
  if (rest.starts_with('u')) {
    const auto number = number_at(rest.substr(1), 16, 4);
    const bool is_whole = number && number->second == 4;
    if (is_whole && number->first == character.code) return slashes + 5;
    const bool is_first_half = is_whole && character.code > 0xFFFF && number->first >> 10 == 0xD800U >> 10;
    const std::size_t again = is_first_half ? run_of(rest.substr(5), "\\") : 0;
    if (again != 0 && rest.substr(5 + again).starts_with('u')) {
      const auto second = number_at(rest.substr(6 + again), 16, 4);
      const auto code = 0x10000 + ((number->first & 0x3FFU) << 10) + (second ? second->first & 0x3FFU : 0);
      if (second && second->second == 4 && code == character.code) return slashes + 5 + again + 5;
    }
  }
  if (rest.starts_with(character.bytes)) return slashes + character.bytes.size();
  const std::size_t reference = reference_bytes(rest, character);
  return reference == 0 ? 0 : slashes + reference;
}

/// %2F %2f and these inside of a URL, %252F
std::size_t url_bytes(std::string_view text, const Character& character) {
  if (character.code == ' ' && text.starts_with('+')) return 1;
  std::size_t at = 0;
  for (const char c : character.bytes) {
    if (!text.substr(at).starts_with('%')) return 0;
    const std::size_t again = run_of(text.substr(at + 1), "25");
    at += 1 + again;
    if (c == '%' && again != 0) continue;
    const auto number = number_at(text.substr(at), 16, 2);
    if (!number || number->second != 2 || number->first != static_cast<unsigned char>(c)) return 0;
    at += 2;
  }
  return at;
}

std::size_t spelt_bytes(std::string_view text, const Character& character) {
  for (const auto bytes_of : {reference_bytes, json_bytes, url_bytes})
    if (const std::size_t bytes = bytes_of(text, character); bytes != 0) return bytes;
  return text.starts_with(character.bytes) ? character.bytes.size() : 0;
}

/// Likewise of a whole secret.
std::size_t spelt_bytes(std::string_view text, std::string_view secret) {
  std::size_t at = 0;
  while (!secret.empty()) {
    const Character character = first_character(secret);
    const std::size_t bytes = spelt_bytes(text.substr(at), character);
    if (bytes == 0) return 0;
    at += bytes;
    secret.remove_prefix(character.bytes.size());
  }
  return at;
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void replace_spelt(std::string& text, const std::string& secret) {
  const char first = secret.front();
  const std::string spellings = std::string("&\\%+") + first;
  const auto next = [&](std::size_t at) {
    // Letters and digits are written as they are, whatever is done to the rest.
    return is_letter_or_digit(first) ? text.find(first, at) : text.find_first_of(spellings, at);
  };
  for (std::size_t at = 0; (at = next(at)) != text.npos;) {
    const std::size_t bytes = spelt_bytes(std::string_view{text}.substr(at), secret);
    if (bytes != 0) text.replace(at, bytes, replacement);
    at += bytes != 0 ? replacement.size() : 1;
  }
}

bool is_escapable(std::string_view secret) {
  return !std::ranges::all_of(secret, is_letter_or_digit);
}

// ------------------------------------------------------------------ forms

/// In UTF-16 of either order, and a byte for a character where that is possible.
void add_charset_forms(std::vector<std::string>& forms, std::string_view secret) {
  std::string little, big, latin;
  bool is_latin = true;
  for (std::string_view rest = secret; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.bytes.size());
    if (character.code > 0xFFFF) return;
    const auto low = static_cast<char>(character.code & 0xFF), high = static_cast<char>(character.code >> 8);
    little += {low, high};
    big += {high, low};
    latin += low;
    is_latin = is_latin && high == 0;
  }
  forms.push_back(std::move(little));
  forms.push_back(std::move(big));
  if (is_latin && latin.size() >= secret_bytes_min) forms.push_back(std::move(latin));
}

/// In a charset that bodies leave in, plainly and in a form.
void add_forms_in(std::vector<std::string>& forms, const std::string& secret, const std::string& charset) {
  const auto written = to_charset(secret, charset, Escape::none);
  if (!written || *written == secret || secret.size() < secret_bytes_min) return;
  std::vector<std::string> all = escaped_forms(*written);
  all.push_back(*written);
  for (std::string& form : all)
    if (form.size() >= secret_bytes_min) forms.push_back(std::move(form));
}

/// What of it can be seen in the base64 of a longer text, "user:secret": that depends on how many bytes stand before
/// it.
std::vector<std::string> inside_base64(std::string_view secret) {
  std::vector<std::string> seen;
  for (const std::size_t before : {0U, 1U, 2U}) {
    const std::string shifted = std::string(before, '\0') + std::string(secret);
    for (std::string text : {to_base64_url(shifted), to_base64(shifted)}) {
      text.resize(std::min(text.find('='), text.size()));
      if (shifted.size() % 3 != 0) text.pop_back();  // its last bits are those of the next byte
      text.erase(0, before == 0 ? 0 : before + 1);   // likewise of the byte before
      if (text.size() >= part_bytes_min) seen.push_back(std::move(text));
    }
  }
  return seen;
}

void add_forms(std::vector<std::string>& forms, std::string_view secret) {
  if (secret.size() < secret_bytes_min) return;
  forms.emplace_back(secret);
  add_charset_forms(forms, secret);
  for (const std::string& seen : inside_base64(secret)) {
    forms.push_back(seen);
    append_escaped(forms.emplace_back(), seen, Escape::url);
  }
  for (const std::string& form : escaped_forms(secret)) {
    forms.push_back(form);
    // A request that is repeated inside of a document has been escaped twice.
    for (std::string& twice : escaped_forms(form)) forms.push_back(std::move(twice));
  }
  for (const std::string& form : {to_base64(secret), to_base64_url(secret)}) {
    forms.push_back(form);
    for (std::string& escaped : escaped_forms(form)) forms.push_back(std::move(escaped));
  }
  const std::string hex = to_hex(secret);
  forms.push_back(hex);
  forms.push_back(*apply_function(*find_function("upper"), hex, "", {}));
}

std::vector<std::string> forms_of(const std::vector<std::string>& secrets, const std::vector<std::string>& charsets) {
  std::vector<std::string> forms;
  for (const std::string& secret : secrets) {
    add_forms(forms, secret);
    for (const std::string& charset : charsets) add_forms_in(forms, secret, charset);
    // A key in PEM form is shown line by line.
    for (std::string_view rest = secret; rest.contains('\n');) {
      const std::size_t end = rest.find('\n');
      if (end > 16) add_forms(forms, rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
  std::ranges::sort(forms, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  const auto repeated = std::ranges::unique(forms);
  forms.erase(repeated.begin(), repeated.end());
  return forms;
}

std::uint32_t beginning_of(const char* form) {
  std::uint32_t four_bytes = 0;
  static_assert(sizeof(four_bytes) == secret_bytes_min);
  std::memcpy(&four_bytes, form, sizeof(four_bytes));
  return four_bytes;
}

std::vector<std::uint32_t> beginnings_of(const std::vector<std::string>& forms) {
  std::vector<std::uint32_t> beginnings;
  for (const std::string& form : forms) beginnings.push_back(beginning_of(form.data()));
  std::ranges::sort(beginnings);
  return beginnings;
}

/// Most texts hold none, and one look at them tells: there are dozens of forms, and bodies are long.
bool may_hold_one(std::string_view text, std::span<const std::uint32_t> beginnings) {
  std::bitset<4096> marked;
  const auto mark_of = [](std::uint32_t beginning) { return beginning * 2654435761U >> 20; };
  for (const std::uint32_t beginning : beginnings) marked.set(mark_of(beginning));
  for (std::size_t at = 0; at + secret_bytes_min <= text.size(); ++at) {
    const std::uint32_t beginning = beginning_of(text.data() + at);
    if (marked[mark_of(beginning)] && std::ranges::binary_search(beginnings, beginning)) return true;
  }
  return false;
}

void replace_all(std::string& text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets)
    for (std::size_t at = text.find(secret); at != text.npos; at = text.find(secret, at + replacement.size()))
      text.replace(at, secret.size(), replacement);
}

/// How many bytes of the beginning of `secret` the text ends with, where it was cut there.
std::size_t beginning_at_end(std::string_view text, std::string_view secret) {
  for (std::size_t bytes = std::min(secret.size() - 1, text.size()); bytes >= part_bytes_min; --bytes)
    if (text.ends_with(secret.substr(0, bytes))) return bytes;
  return 0;
}

/// Likewise of its end, with which the text begins.
std::size_t end_at_beginning(std::string_view text, std::string_view secret) {
  for (std::size_t bytes = std::min(secret.size() - 1, text.size()); bytes >= part_bytes_min; --bytes)
    if (text.starts_with(secret.substr(secret.size() - bytes))) return bytes;
  return 0;
}

/// From the last cut to the first, so that what is replaced moves only what is done.
void replace_cut(std::string& text, const std::string& secret) {
  std::size_t cut = text.size();
  for (;;) {
    if (const std::size_t bytes = beginning_at_end(std::string_view{text}.substr(0, cut), secret); bytes != 0)
      text.replace(cut - bytes, bytes, replacement);
    if (cut == 0 || text.size() > message_bytes_max) return;
    cut = text.rfind(cut_mark, cut - 1);
    if (cut == text.npos) return;
    const std::size_t after = cut + cut_mark.size();
    if (const std::size_t bytes = end_at_beginning(std::string_view{text}.substr(after), secret); bytes != 0)
      text.replace(after, bytes, replacement);
  }
}

void replace_cut(std::string& text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) replace_cut(text, secret);
}

bool holds_credentials(std::string_view header) {
  constexpr std::array names{"authorization:", "proxy-authorization:", "cookie:", "x-amz-security-token:"};
  return std::ranges::any_of(names, [header](std::string_view name) {
    return header.size() >= name.size() && std::ranges::equal(header.substr(0, name.size()), name, {}, [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
           });
  });
}

std::vector<std::string> charsets_of_bodies(const CompiledProfile& profile) {
  std::vector<std::string> charsets;
  const auto add = [&](const auto& operation) {
    if (operation && !operation->request.body_charset.empty()) charsets.push_back(operation->request.body_charset);
  };
  add(profile.track);
  add(profile.create);
  if (profile.create && profile.create->range) add(profile.create->range->operation);
  add(profile.confirm);
  add(profile.find);
  add(profile.cancel);
  if (profile.cancel) add(profile.cancel->lookup);
  add(profile.quote);
  add(profile.feed);
  if (profile.session)
    for (const LoginStep& step : profile.session->login) add(&step);
  std::ranges::sort(charsets);
  const auto repeated = std::ranges::unique(charsets);
  charsets.erase(repeated.begin(), repeated.end());
  return charsets;
}

}  // namespace

Redactor::Redactor(const Profile& profile)
    : charsets_(charsets_of_bodies(profile.compiled())), secrets_(secrets_of(profile.compiled().secrets)) {}

Redactor::Secrets Redactor::secrets_of(const std::vector<std::string>& values) const {
  Secrets secrets{forms_of(values, charsets_), {}, {}};
  secrets.beginnings = beginnings_of(secrets.forms);
  std::ranges::copy_if(values, std::back_inserter(secrets.escapable), [](const std::string& value) {
    return value.size() >= secret_bytes_min && is_escapable(value);
  });
  return secrets;
}

void Redactor::add_session(const std::vector<std::string>& values) {
  sessions_.push_front(secrets_of(values));
  if (sessions_.size() > sessions_max) sessions_.pop_back();
}

std::string Redactor::redact(std::string text) const {
  std::vector<const Secrets*> all{&secrets_};
  for (const Secrets& session : sessions_) all.push_back(&session);
  for (const Secrets* secrets : all)
    if (may_hold_one(text, secrets->beginnings)) replace_all(text, secrets->forms);
  for (const Secrets* secrets : all)
    for (const std::string& secret : secrets->escapable) replace_spelt(text, secret);
  for (const Secrets* secrets : all) replace_cut(text, secrets->forms);
  return text;
}

std::string Redactor::redact(const HttpRequest& request) const {
  std::string text = request.method + " " + redact(request.url) + "\n";
  for (const std::string& header : request.headers)
    text += holds_credentials(header) ? header.substr(0, header.find(':')) + ": " + std::string(replacement) + "\n"
                                      : redact(header) + "\n";
  return text + "\n" + redact(readable_body(request));
}

}  // namespace remitod::carriers
