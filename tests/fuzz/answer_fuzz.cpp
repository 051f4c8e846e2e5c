// Whatever bytes a carrier sends: decoding and mapping end, stay in bounds and never throw. The first byte chooses the
// profile; the rest is the answer.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/profile.h"

namespace {

using namespace remitod;

std::vector<std::shared_ptr<const carriers::Profile>> load() {
  const std::string folder = std::string(REMITOD_SOURCE_DIR) + "/carriers/profiles/";
  const std::vector<carriers::CarrierSettings> installations{
      {"oca", "", {{"account", "1"}, {"user", "u"}, {"operativa", "1"}}, {{"password", "p"}}},
      {"correios", "", {{"user", "u"}}, {{"password", "p"}}},
      {"chazki", "", {{"store", "1"}, {"branch", "1"}}, {{"api_key", "k"}}},
      {"olva", "", {}, {{"api_key", "k"}}},
  };
  std::vector<std::shared_ptr<const carriers::Profile>> profiles;
  for (const carriers::CarrierSettings& installation : installations) {
    auto profile = carriers::load_profile(folder + installation.name, installation);
    if (!profile) {
      std::cerr << profile.error().front().to_string() << '\n';
      std::abort();
    }
    profiles.push_back(std::move(*profile));
  }
  return profiles;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto profiles = load();
  if (size == 0) return 0;
  const carriers::Profile& profile = *profiles[data[0] % profiles.size()];
  carriers::HttpAnswer answer;
  answer.status = 200;
  answer.content_type = data[0] % 2 == 0 ? "text/xml" : "application/json; charset=iso-8859-1";
  answer.body.assign(data + 1, data + size);
  const std::vector<carriers::TrackItem> asked{{"1217400000000000001", Instant{}}, {"BE000000001BR", Instant{}}};
  const auto items = std::span(asked).first(profile.limits().batch_max == 1 ? 1 : 2);
  if (const auto track = carriers::map_track(profile, answer, items); track && track->reports.size() > items.size())
    std::abort();  // never a report of a shipment that was not asked about
  if (profile.can_create())
    carriers::map_create(profile, answer, {.order_number = "1", .service = "", .client_ref = "R1-1", .payload = "{}"});
  return 0;
}
