#include "tests/sim/profiles.h"

#include <re2/re2.h>

#include <map>
#include <stdexcept>

#include "tests/carriers/invented_account.h"
#include "tests/support/paths.h"

namespace remitod::sim {
namespace {

std::shared_ptr<const carriers::Profile> load(const std::string& carrier) {
  const std::filesystem::path own = test::source_dir() / "tests" / "sim" / "profiles" / carrier / "carrier.toml";
  const std::filesystem::path built_in = test::source_dir() / "carriers" / "profiles" / carrier / "carrier.toml";
  std::string text = test::read_file(std::filesystem::exists(own) ? own : built_in);
  static const RE2 stated_tail(R"((?m)^tail = ".*"$)");
  if (!RE2::Replace(&text, stated_tail, "tail = \"" + std::to_string(tail.count()) + " h\""))
    throw std::runtime_error(carrier + " states no tail");
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / carrier / "carrier.toml", text);
  auto profile = carriers::load_profile(folder.path() / carrier, test::invented_account(folder.path() / carrier));
  if (profile) return *profile;
  throw std::runtime_error(profile.error().front().to_string());
}

}  // namespace

std::shared_ptr<const carriers::Profile> sim_profile(const std::string& carrier) {
  static std::map<std::string, std::shared_ptr<const carriers::Profile>> loaded;
  auto& profile = loaded[carrier];
  if (!profile) profile = load(carrier);
  return profile;
}

}  // namespace remitod::sim
