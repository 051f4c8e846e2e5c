// The results as a person reads them.
#pragma once

#include <string>

#include "tests/acceptance/run_corpus.h"

namespace remitod::acceptance {

/// One line for each carrier (right/wrong/unread in each column), the total, and what is not as expected.
std::string table_of(const std::string& kind, const std::vector<CarrierResult>& results);
/// The deviations that were met, with their reasons, and those that were not, of which the file should be rid.
std::string list_of(const std::vector<Deviation>& deviations);
int count_entirely_right(const std::vector<CarrierResult>& results);

}  // namespace remitod::acceptance
