#include "carriers/volatile_spans.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "carriers/tracking.h"

namespace remitod::carriers {
namespace {

/// Cuts the body into what stays and what is volatile, by turns, in one pass: the text of each span is searched for
/// once from each place on.
template <typename Steady, typename Volatile>
void cut(std::string_view body, std::span<const VolatileSpan> spans, const Steady& steady, const Volatile& inside) {
  boost::container::small_vector<std::size_t, 4> next(spans.size(), 0);  // where each begins, at or after `from`
  const auto find = [&](std::size_t i, std::size_t from) { next[i] = body.find(spans[i].after, from); };
  for (std::size_t i = 0; i < spans.size(); ++i) find(i, 0);
  std::size_t from = 0;
  while (!spans.empty()) {
    const auto first = std::ranges::min_element(next);
    const std::size_t found = *first;
    if (found == std::string_view::npos) break;
    const auto which = static_cast<std::size_t>(first - next.begin());
    const std::size_t begin = found + spans[which].after.size();
    const std::size_t end = body.find(spans[which].before, begin);
    if (end == std::string_view::npos) {
      *first = end;  // nor does a later one of its kind end
      continue;
    }
    steady(body.substr(from, begin - from));
    inside(body.substr(begin, end - begin));
    from = end;
    for (std::size_t i = 0; i < spans.size(); ++i)
      if (next[i] < from) find(i, from);
  }
  steady(body.substr(from));
}

char other_value(char c) {
  if (c >= '0' && c <= '9') return c == '9' ? '1' : static_cast<char>(c + 1);
  if (c >= 'a' && c <= 'z') return c == 'z' ? 'a' : static_cast<char>(c + 1);
  if (c >= 'A' && c <= 'Z') return c == 'Z' ? 'A' : static_cast<char>(c + 1);
  return c;
}

/// What escapes is left, or the document would be none.
void append_other_values(std::string_view text, std::string& other) {
  bool in_reference = false, after_backslash = false;
  for (const char c : text) {
    in_reference = c == '&' || (in_reference && c != ';');
    other += in_reference || after_backslash ? c : other_value(c);
    after_backslash = c == '\\' && !after_backslash;
  }
}

}  // namespace

std::uint64_t steady_fingerprint(std::string_view body, std::span<const VolatileSpan> spans) {
  constexpr std::uint64_t prime = 1099511628211ULL;
  std::uint64_t hash = 0;
  cut(
      body, spans,
      [&](std::string_view steady) {
        const std::uint64_t own = remitod::fingerprint(steady);
        hash = hash == 0 ? own : (hash * prime) ^ own;
      },
      [](std::string_view) {});
  return hash;
}

std::string with_other_values(std::string_view body, std::span<const VolatileSpan> spans) {
  std::string other;
  other.reserve(body.size());
  cut(
      body, spans, [&](std::string_view steady) { other += steady; },
      [&](std::string_view inside) { append_other_values(inside, other); });
  return other;
}

bool has_span(std::string_view body, const VolatileSpan& span) {
  const std::size_t found = body.find(span.after);
  return found != std::string_view::npos && body.find(span.before, found + span.after.size()) != std::string_view::npos;
}

}  // namespace remitod::carriers
