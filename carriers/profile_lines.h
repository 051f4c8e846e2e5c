// Where the keys of a carrier.toml stand, for tools that point at them. Private to carriers/.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace remitod::carriers {

class ProfileLines {
 public:
  /// The text of the file. One that is no TOML has no keys: loading the profile says what is wrong with it.
  explicit ProfileLines(std::string_view toml);

  /// The line of "track.event.code", or of the second rule, "track.status.2", counted from 1; 0 where there is no such
  /// key.
  int of(std::string_view path) const;

 private:
  std::map<std::string, int, std::less<>> lines_;
};

}  // namespace remitod::carriers
