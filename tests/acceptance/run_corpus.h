// Profiles over the case files of a corpus.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/acceptance/deviations.h"
#include "tests/acceptance/judge.h"

namespace remitod::acceptance {

struct CarrierResult {
  std::string carrier;
  int cases = 0;
  Counts counts{};
  long deviations = 0;                  ///< so many, all met, are counted as right
  std::vector<std::string> complaints;  ///< one line for each thing that is not as expected
  bool entirely_right() const { return cases > 0 && complaints.empty(); }
};

/// By what the files hold ("tracking", "shipment"), in the order of the carriers' names.
using Results = std::map<std::string, std::vector<CarrierResult>>;

/// Every *.json below `corpus` that has the form of a case file; the profile of a file is the folder of its name in
/// `profiles`. Marks the deviations that were met.
Results run_corpus(const std::filesystem::path& corpus, const std::filesystem::path& profiles,
                   const std::vector<Deviation>& deviations);

}  // namespace remitod::acceptance
