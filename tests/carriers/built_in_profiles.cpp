#include "tests/carriers/built_in_profiles.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tests/carriers/invented_account.h"
#include "tests/support/paths.h"

namespace remitod::test {

namespace {

/// Of the carriers whose requests are compared letter by letter; the others' are invented_account().
const std::map<std::string, carriers::CarrierSettings>& accounts() {
  static const std::map<std::string, carriers::CarrierSettings> accounts{
      {"oca",
       {"oca",
        "",
        {{"account", "417032/001"}, {"user", "tienda@example.com"}, {"operativa", "61234"}},
        {{"password", "oca & secret"}}}},
      {"correios", {"correios", "", {{"user", "tienda"}}, {{"password", "sro-secret"}}}},
      {"chazki", {"chazki", "", {{"store", "10417"}, {"branch", "LIM-01"}}, {{"api_key", "chazki-secret"}}}},
      {"olva", {"olva", "", {}, {{"api_key", "olva-secret"}}}},
  };
  return accounts;
}

std::filesystem::path profiles_folder() {
  return source_dir() / "carriers" / "profiles";
}

}  // namespace

std::vector<std::string> built_in_carriers() {
  std::vector<std::string> carriers;
  for (const auto& entry : std::filesystem::directory_iterator(profiles_folder())) {
    if (entry.is_directory()) carriers.push_back(entry.path().filename());
  }
  std::ranges::sort(carriers);
  return carriers;
}

std::shared_ptr<const carriers::Profile> built_in_profile(const std::string& carrier) {
  const auto account = accounts().find(carrier);
  const std::filesystem::path folder = profiles_folder() / carrier;
  auto profile =
      carriers::load_profile(folder, account == accounts().end() ? invented_account(folder) : account->second);
  if (profile) return *profile;
  std::string errors;
  for (const carriers::ProfileError& error : profile.error()) errors += error.to_string() + "\n";
  throw std::runtime_error(errors);
}

}  // namespace remitod::test
