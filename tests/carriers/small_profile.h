// Small profiles, written where a test asks its question, and answers for them.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "carriers/profile.h"
#include "carriers/transport.h"
#include "tests/support/paths.h"

namespace remitod::test {

/// What every profile begins with: a carrier in Lima that takes ten numbers in a request.
inline constexpr std::string_view head = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
registration_grace = "48 h"
give_up_after = "60 d"
tail = "3 d"
[limits]
requests_per_second = 1.0
concurrency = 1
batch_max = 10
)toml";

/// Throws with the errors of the text.
inline std::shared_ptr<const carriers::Profile> load_small_profile(
    const std::string& toml, const std::map<std::string, std::string>& secrets = {}) {
  const TemporaryFolder folder;
  write_file(folder.path() / "carrier.toml", toml);
  auto profile = carriers::load_profile(folder.path(), carriers::CarrierSettings{"test", "", {}, secrets});
  if (profile) return *profile;
  std::string errors;
  for (const carriers::ProfileError& error : profile.error()) errors += error.to_string() + "\n";
  throw std::runtime_error(errors);
}

inline carriers::HttpAnswer json_answer(std::string body, int status = 200) {
  carriers::HttpAnswer answer;
  answer.status = status;
  answer.content_type = "application/json";
  answer.body = std::move(body);
  return answer;
}

}  // namespace remitod::test
