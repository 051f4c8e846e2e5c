#include "carriers/field.h"

#include <algorithm>
#include <array>

namespace remitod::carriers {

namespace {

constexpr std::size_t searched_bytes_max = 10'000;

std::string with_meaning(const Field& field, std::string text) {
  if (field.no_value && std::ranges::find(*field.no_value, text) != field.no_value->end()) return {};
  return text;
}

std::string captured(const RE2& pattern, const std::string& text) {
  std::array<re2::StringPiece, 2> groups;
  const int asked = 1 + pattern.NumberOfCapturingGroups();
  if (!pattern.Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(), asked)) return {};
  const re2::StringPiece& part = groups[static_cast<std::size_t>(asked) - 1];
  return {part.data(), part.size()};
}

/// How much of a text is read: a pattern looks for its part in more than is kept, since what carriers pack into one
/// text stands anywhere in it.
std::size_t read_bytes_max(const Field& field, std::size_t bytes_max) {
  return field.pattern ? searched_bytes_max : bytes_max;
}

/// What pattern and values make of a text.
std::string shaped(const Field& field, std::string text, std::size_t bytes_max) {
  if (field.pattern) text = tidy(captured(*field.pattern, text), bytes_max);
  const auto value = std::ranges::find(field.values, text, &std::pair<std::string, std::string>::first);
  if (value != field.values.end()) return tidy(value->second, bytes_max);
  return text;
}

std::string first_of(const Field& field, const pugi::xpath_node& node, std::size_t bytes_max) {
  for (const Field& part : field.parts) {
    std::string text = read(part, node, bytes_max);
    if (!text.empty()) return text;
  }
  return {};
}

/// Every node of a part that gives nodes, the text of any other.
class Joiner {
 public:
  Joiner(const Field& field, std::size_t bytes_max) : with_(*field.with), bytes_max_(bytes_max) {}

  void add(const Field& part, const pugi::xpath_node& node) {
    static const Query whole_text{"", "string(.)", pugi::xpath_query("string(.)")};
    if (!part.query || part.query->compiled.return_type() != pugi::xpath_type_node_set) {
      return add(read(part, node, bytes_max_));
    }
    for (const pugi::xpath_node& each : select(*part.query, node)) {
      if (joined_.size() >= bytes_max_) return;
      add(shaped(part, with_meaning(part, read(whole_text, each, read_bytes_max(part, bytes_max_))), bytes_max_));
    }
  }

  std::string take() && { return std::move(joined_); }

 private:
  void add(const std::string& text) {
    if (text.empty()) return;
    if (!joined_.empty()) joined_ += with_;
    joined_ += text;
  }

  const std::string& with_;
  std::size_t bytes_max_;
  std::string joined_;
};

std::string joined(const Field& field, const pugi::xpath_node& node, std::size_t bytes_max) {
  Joiner joiner{field, bytes_max};
  for (const Field& part : field.parts) joiner.add(part, node);
  return tidy(std::move(joiner).take(), bytes_max);
}

}  // namespace

std::string read(const Field& field, const pugi::xpath_node& node, std::size_t bytes_max) {
  const std::size_t wanted = read_bytes_max(field, bytes_max);
  std::string text = field.query  ? with_meaning(field, read(*field.query, node, wanted))
                     : field.with ? joined(field, node, wanted)
                                  : first_of(field, node, wanted);
  return shaped(field, std::move(text), bytes_max);
}

std::string read(const std::optional<Field>& field, const pugi::xpath_node& node, std::size_t bytes_max) {
  return field ? read(*field, node, bytes_max) : std::string{};
}

}  // namespace remitod::carriers
