#include "carriers/nearest_word.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace remitod::carriers {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> nearest;
  std::size_t nearest_distance = 0;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t distance_max = std::max<std::size_t>(longer > 3 ? 2 : 1, longer / 3);
    if (distance > distance_max || (nearest && distance >= nearest_distance)) continue;
    nearest = candidate;
    nearest_distance = distance;
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::optional<std::string> nearest = nearest_word(word, candidates);
  return nearest ? " (did you mean '" + *nearest + "'?)" : std::string{};
}

std::string not_a_key(std::string_view key, std::span<const std::string> keys) {
  constexpr std::size_t shown_max = 12;
  std::string said = "is not a key here";
  if (keys.empty()) return said;
  if (std::string meant = did_you_mean(key, keys); !meant.empty()) return said += meant;
  said += " (there are: ";
  for (std::size_t i = 0; i < std::min(keys.size(), shown_max); ++i) said += (i == 0 ? "" : ", ") + keys[i];
  return said += keys.size() > shown_max ? ", ...)" : ")";
}

}  // namespace remitod::carriers
