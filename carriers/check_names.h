// What a profile asks an installation for, or reads of a login, and names in no template. Private to carriers/.
#pragma once

#include <string_view>
#include <vector>

#include "carriers/check.h"
#include "carriers/profile_lines.h"

namespace remitod::carriers {

/// `toml`: the text of a profile that loads.
std::vector<Remark> unused_names(std::string_view toml, const ProfileLines& lines);

}  // namespace remitod::carriers
