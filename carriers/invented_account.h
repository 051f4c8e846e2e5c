// An account for any profile, so that it can be loaded without an installation: to replay samples, and in tests.
#pragma once

#include <filesystem>

#include "carriers/profile.h"

namespace remitod::carriers {

/// What an installation would state for the profile of this folder: an invented value for each setting and secret that
/// it asks for, and an address where it has none. Named after the folder. A file that cannot be parsed gives none;
/// loading it says what is wrong.
CarrierSettings invented_account(const std::filesystem::path& profile_dir);

}  // namespace remitod::carriers
