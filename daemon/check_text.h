// What --check-carrier prints. Pure.
#pragma once

#include <string>

#include "carriers/check.h"

namespace remitod::daemon {

/// What fails, each with the line of the profile that decided; then what deserves a look; at the end one line that sums
/// it up.
std::string check_text(const carriers::ProfileCheck& check, bool colours);
std::string check_json(const carriers::ProfileCheck& check);

}  // namespace remitod::daemon
