// Did you mean: the valid word nearest to one that is not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// The candidate with the smallest edit distance, if it is near enough to be what was meant (at most a third of the
/// longer word, and two letters of a short one). The first of equals.
std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> candidates);

/// " (did you mean 'events'?)" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// What is said of a key that is none of these: which was meant, else which there are, as far as a line holds them.
std::string not_a_key(std::string_view key, std::span<const std::string> keys);

}  // namespace remitod::carriers
