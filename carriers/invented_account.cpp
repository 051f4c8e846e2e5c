#include "carriers/invented_account.h"

#include <toml++/toml.h>

#include <algorithm>

namespace remitod::carriers {
namespace {

/// {{settings.NAME}} is one of these keys of [transport].
bool is_used(const toml::table& profile, const std::string& name, std::initializer_list<const char*> keys) {
  return std::ranges::any_of(keys, [&](const char* key) {
    return profile["transport"][key].value_or(std::string_view{}).contains("{{settings." + name + "}}");
  });
}

/// Loading a profile insists on the form of a server's fingerprint and of a proxy's address, and on files that are
/// there: one surely is.
std::string invented_value(const toml::table& profile, const std::string& name) {
  if (name == "host_key") return "SHA256:" + std::string(43, 'A');
  if (is_used(profile, name, {"proxy"})) return "http://proxy.example:417";
  if (is_used(profile, name, {"ca_file", "client_certificate", "client_key"})) return "carrier.toml";
  return name + "-417";
}

std::map<std::string, std::string> invented_values(const toml::table& profile, std::string_view group) {
  std::map<std::string, std::string> values;
  const toml::array* names = profile[group].as_array();
  if (!names) return values;
  for (const toml::node& node : *names)
    if (const auto name = node.value<std::string>()) values[*name] = invented_value(profile, *name);
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
