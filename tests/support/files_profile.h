// A carrier that tells by CSV files, for tests: rows of remito, state, local time and place.
#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "carriers/profile.h"
#include "tests/support/paths.h"

namespace remitod::test {

/// `feed` are the lines of [feed] beside kind.
inline std::string files_profile_text(const std::string& feed) {
  return R"(title = "Files Express"
zone = "America/Lima"
secrets = ["password", "key"]
[feed]
kind = "files"
)" + feed +
         R"(
[feed.answer]
format = "csv"
csv = { separator = ";" }
shipments = "/csv/row"
remito = "remito"
events = "."
[feed.event]
code = "estado"
time = "fecha"
formats = ["%d/%m/%Y %H:%M"]
place = "ciudad"
[[feed.status]]
codes = ["REC"]
status = "picked_up"
[[feed.status]]
codes = ["ENT"]
status = "delivered"
)";
}

inline carriers::CarrierSettings files_account(const std::string& key = "no key") {
  return {.name = "files_express",
          .base_url = "",
          .values = {},
          .secrets = {{"password", "only for this test"}, {"key", key}}};
}

/// Throws with the errors of the file.
inline std::shared_ptr<const carriers::Profile> files_profile(const std::string& feed,
                                                              const std::string& key = "no key") {
  const TemporaryFolder folder;
  write_file(folder.path() / "carrier.toml", files_profile_text(feed));
  auto profile = carriers::load_profile(folder.path(), files_account(key));
  if (profile) return *profile;
  std::string errors;
  for (const carriers::ProfileError& error : profile.error()) errors += error.to_string() + "\n";
  throw std::runtime_error(errors);
}

}  // namespace remitod::test
