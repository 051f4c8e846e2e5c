#include "carriers/redactor.h"

#include <algorithm>
#include <array>

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
constexpr std::size_t sessions_max = 4;

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

void add_forms(std::vector<std::string>& forms, std::string_view secret) {
  if (secret.size() < secret_bytes_min) return;
  forms.emplace_back(secret);
  for (const std::string& form : escaped_forms(secret)) {
    forms.push_back(form);
    // A request that is repeated inside of a document has been escaped twice.
    for (std::string& twice : escaped_forms(form)) forms.push_back(std::move(twice));
  }
  for (const std::string& form : {to_base64(secret), to_base64_url(secret)}) {
    forms.push_back(form);
    for (std::string& escaped : escaped_forms(form)) forms.push_back(std::move(escaped));
  }
  forms.push_back(to_hex(secret));
}

std::vector<std::string> forms_of(const std::vector<std::string>& secrets) {
  std::vector<std::string> forms;
  for (const std::string& secret : secrets) {
    add_forms(forms, secret);
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

}  // namespace

Redactor::Redactor(const Profile& profile) : secrets_(forms_of(profile.compiled().secrets)) {}

void Redactor::add_session(const std::vector<std::string>& values) {
  sessions_.push_front(forms_of(values));
  if (sessions_.size() > sessions_max) sessions_.pop_back();
}

std::string Redactor::redact(std::string text) const {
  replace_all(text, secrets_);
  for (const auto& session : sessions_) replace_all(text, session);
  replace_cut(text, secrets_);
  for (const auto& session : sessions_) replace_cut(text, session);
  return text;
}

std::string Redactor::redact(const HttpRequest& request) const {
  std::string text = request.method + " " + redact(request.url) + "\n";
  for (const std::string& header : request.headers)
    text += holds_credentials(header) ? header.substr(0, header.find(':')) + ": " + std::string(replacement) + "\n"
                                      : redact(header) + "\n";
  return text + "\n" + redact(request.body);
}

}  // namespace remitod::carriers
