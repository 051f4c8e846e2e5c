// A carrier as data: carriers/profiles/<carrier>/carrier.toml, loaded, checked and compiled once. README.md of this
// folder teaches the language. A Profile is immutable and may be used from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carriers/transport.h"

namespace remitod::carriers {

/// What an installation states beside the profile: where the carrier is and who we are there.
struct CarrierSettings {
  std::string name;                            ///< the carrier's name here, the key of [carriers.NAME]
  std::string base_url;                        ///< empty: the profile's
  std::map<std::string, std::string> values;   ///< {{settings.KEY}}: account numbers and the like
  std::map<std::string, std::string> secrets;  ///< {{secrets.KEY}}: never logged, never shown
};

/// What is wrong with a file, and where. `line` and `column` count from 1; 0 where unknown.
struct ProfileError {
  std::string file;
  int line = 0;
  std::string key;      ///< "track.response.events"
  std::string message;  ///< what was expected, with the nearest valid word where there is one
  std::string to_string() const;
};

/// The limits a profile states for its carrier; an installation may tighten or widen them.
struct ProfileLimits {
  double requests_per_second = 2;
  int concurrency = 4;
  int batch_max = 1;  ///< shipments in one track request
};

/// How far a profile is proven.
enum class Verified : std::uint8_t { documentation, recorded_answers, live };

struct CompiledProfile;  ///< templates, queries and rules; private to carriers/

class Profile {
 public:
  Profile(std::shared_ptr<const CompiledProfile> compiled, std::string name);
  const std::string& name() const { return name_; }
  const std::string& title() const;  ///< "OCA e-Pak"
  std::uint64_t revision() const;    ///< hash of the file's bytes and settings; fingerprints cover it
  const ProfileLimits& limits() const;
  const std::string& zone() const;  ///< IANA name, "America/Lima"
  bool can_create() const;
  bool can_track() const;
  /// How long before its registration an event may lie and still belong to this shipment (re-used numbers).
  std::chrono::hours registration_grace() const;
  std::chrono::hours give_up_after() const;  ///< a shipment that never ends is expired after this long
  std::chrono::hours tail() const;           ///< how long a terminal shipment is still asked about
  Verified verified() const;
  std::shared_ptr<const TransportOptions> transport_options() const;
  const CompiledProfile& compiled() const { return *compiled_; }

 private:
  std::shared_ptr<const CompiledProfile> compiled_;
  std::string name_;
};

/// Reads DIR/carrier.toml. All errors of the file are returned, not only the first.
std::expected<std::shared_ptr<const Profile>, std::vector<ProfileError>> load_profile(const std::filesystem::path& dir,
                                                                                      const CarrierSettings& settings);

}  // namespace remitod::carriers
