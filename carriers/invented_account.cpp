#include "carriers/invented_account.h"

#include <toml++/toml.h>

namespace remitod::carriers {
namespace {

/// The fingerprint of a server's key has a form that loading a profile insists on.
std::string invented_value(const std::string& name) {
  return name == "host_key" ? "SHA256:" + std::string(43, 'A') : name + "-417";
}

std::map<std::string, std::string> invented_values(const toml::table& profile, std::string_view group) {
  std::map<std::string, std::string> values;
  const toml::array* names = profile[group].as_array();
  if (!names) return values;
  for (const toml::node& node : *names)
    if (const auto name = node.value<std::string>()) values[*name] = invented_value(*name);
  return values;
}

}  // namespace

CarrierSettings invented_account(const std::filesystem::path& profile_dir) {
  CarrierSettings account;
  account.name = std::filesystem::absolute(profile_dir / "carrier.toml").lexically_normal().parent_path().filename();
  try {
    const toml::table profile = toml::parse_file((profile_dir / "carrier.toml").string());
    if (!profile["base_url"]) account.base_url = "https://carrier.example";
    account.values = invented_values(profile, "settings");
    account.secrets = invented_values(profile, "secrets");
  } catch (const toml::parse_error&) {
  }
  return account;
}

}  // namespace remitod::carriers
