// Whatever bytes a carrier sends: reading them with a real profile ends, stays in its limits, never throws, and reports
// nothing that was not asked for. The first byte chooses the built-in profile, by place in the order of their names;
// the rest is the answer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "carriers/invented_account.h"
#include "carriers/mapping.h"
#include "carriers/profile.h"

namespace {

using namespace remitod;

std::vector<std::shared_ptr<const carriers::Profile>> load() {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(REMITOD_SOURCE_DIR "/carriers/profiles"))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::ranges::sort(folders);
  std::vector<std::shared_ptr<const carriers::Profile>> profiles;
  for (const std::filesystem::path& folder : folders) {
    auto profile = carriers::load_profile(folder, carriers::invented_account(folder));
    if (!profile) {
      std::cerr << profile.error().front().to_string() << '\n';
      std::abort();
    }
    profiles.push_back(std::move(*profile));
  }
  return profiles;
}

void track(const carriers::Profile& profile, const carriers::HttpAnswer& answer) {
  const std::vector<carriers::TrackItem> asked{{"1217400000000000001", Instant{}}, {"BE000000001BR", Instant{}}};
  const auto items = std::span(asked).first(profile.limits().batch_max == 1 ? 1 : 2);
  const auto read = carriers::map_track(profile, answer, items);
  if (read && read->reports.size() > items.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto profiles = load();
  if (size == 0) return 0;
  const carriers::Profile& profile = *profiles[data[0] % profiles.size()];
  carriers::HttpAnswer answer;
  answer.status = 200;
  answer.body.assign(data + 1, data + size);
  if (profile.can_track()) track(profile, answer);
  if (profile.can_create())
    carriers::map_create(profile, answer, {.order_number = "1", .service = "", .client_ref = "R1-1", .payload = "{}"});
  return 0;
}
