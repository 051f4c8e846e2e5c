// A profile of any folder, with an invented account.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "tests/carriers/invented_account.h"

namespace remitod::acceptance {

/// The errors are lines for a person: file, line, key, what was expected.
inline std::expected<std::shared_ptr<const carriers::Profile>, std::vector<std::string>> profile_of(
    const std::filesystem::path& folder) {
  auto profile = carriers::load_profile(folder, test::invented_account(folder));
  if (profile) return *std::move(profile);
  std::vector<std::string> lines;
  for (const carriers::ProfileError& error : profile.error()) lines.push_back(error.to_string());
  return std::unexpected(std::move(lines));
}

}  // namespace remitod::acceptance
