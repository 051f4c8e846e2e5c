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
  /// Where they are stated, for messages. Without a file they are told of at the profile's line that asks for them.
  struct Origin {
    std::string file{};                  ///< "/etc/remitod/remitod.toml"
    std::string path{};                  ///< "carriers.norte"
    int line = 0;                        ///< where the carrier begins
    std::map<std::string, int> lines{};  ///< of what is stated: "base_url", "settings", "settings.account"
  };
  Origin origin{};
};

/// What is wrong with a file, and where. `line` and `column` count from 1; 0 where unknown.
struct ProfileError {
  std::string file;
  int line = 0;
  std::string key;      ///< "track.response.events"
  std::string message;  ///< what was expected, with the nearest valid word where there is one
  std::string to_string() const;
};

/// A list of texts for another reader, who tells what is wrong with one at this line.
struct StatedTexts {
  std::vector<std::string> texts;
  int line = 0;
};

/// The limits a profile states for its carrier; an installation may tighten or widen them.
struct ProfileLimits {
  double requests_per_second = 2;
  std::optional<int> requests_per_minute, requests_per_hour, requests_per_day;  ///< at least 1
  int concurrency = 4;
  int batch_max = 1;  ///< shipments in one track request
  // In the carrier's zone; as scheduler/limits_hours.h and calendar.h read them.
  StatedTexts windows, blackouts, holidays;
};

/// How far a profile is proven.
enum class Verified : std::uint8_t { documentation, recorded_answers, live };

struct CompiledProfile;  ///< templates, queries and rules; private to carriers/

class Profile {
 public:
  Profile(std::shared_ptr<const CompiledProfile> compiled, std::string name);
  const std::string& name() const { return name_; }
  const std::string& title() const;  ///< the name for people: "Rápidos del Sur"
  std::uint64_t revision() const;    ///< hash of the file's bytes and settings; fingerprints cover it
  const ProfileLimits& limits() const;
  const std::string& zone() const;  ///< IANA name, "America/Lima"
  /// When it is known to publish, in its zone; as scheduler/publication_model_hints.h reads it.
  const StatedTexts& publishes() const;
  bool can_create() const;
  bool can_track() const;
  bool can_find() const;    ///< a shipment by our reference
  bool can_cancel() const;  ///< a shipment that is no longer wanted
  bool can_quote() const;
  bool can_feed() const;  ///< what changed in a window of time
  /// Requests need what a login gave (session.h).
  bool has_session() const;
  bool track_needs_random() const;
  /// From the wish to ask something to the end of the answer at the latest. A login on the way, and that the request is
  /// made once more after another one, are in it; waiting for the carrier's limits is not.
  std::chrono::milliseconds longest_call() const;
  /// The cost of reading a track answer may grow with the square of its length or worse (xpath_cost.h).
  bool track_is_costly() const;
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
