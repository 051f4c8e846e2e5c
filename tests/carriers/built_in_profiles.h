// The profiles of this tree, loaded with an invented account.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "carriers/profile.h"

namespace remitod::test {

/// The folders of carriers/profiles, sorted.
std::vector<std::string> built_in_carriers();
/// Throws with the errors of the file, so that the test that asked for it says them.
std::shared_ptr<const carriers::Profile> built_in_profile(const std::string& carrier);

}  // namespace remitod::test
