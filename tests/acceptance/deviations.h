// Where a corpus expects what is not true: deviations.toml names each such place, what is read there instead, and why
// that is right.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/acceptance/judge.h"

namespace remitod::acceptance {

struct Deviation {
  std::string kind;  ///< of the case file: "tracking"
  std::string carrier;
  std::string of_case;  ///< the case's name
  Field field = Field::number;
  std::vector<std::string> is;  ///< what is read where the expectation is not met, one after another
  std::string reason;
  mutable bool met = false;  ///< found to be so in this run
};

struct Expectations {
  std::vector<Deviation> deviations;
  std::map<std::string, int> entirely_right;  ///< by kind of case file: so many carriers at least
};

/// The error says which file, and what is wrong with it.
std::expected<Expectations, std::string> read_expectations(const std::filesystem::path& file);

/// The case with the numbers that its carrier really knows the shipments by.
Case with_true_numbers(Case of, const std::vector<const Deviation*>& deviations);

/// Counts as right what is exactly as a deviation says. A deviation that says something else than what was read
/// excuses nothing.
Verdict excuse(Verdict verdict, const std::vector<const Deviation*>& deviations);

}  // namespace remitod::acceptance
