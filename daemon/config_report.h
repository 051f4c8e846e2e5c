// The configuration as it holds: every key with its value and where that comes from. For --print-config; nothing secret
// is in it.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace remitod::daemon {

struct EffectiveKey {
  std::string key;     ///< "carriers.oca.interval"
  std::string value;   ///< as the file would have it: "60 min", ["a", "b"]; "-": none
  std::string source;  ///< "line 12", "profile oca", "default"
};

/// `text` is the file that `config` was read from, and `carriers` are its own.
std::vector<EffectiveKey> effective_config(const Config& config, const std::string& text,
                                           const std::vector<ReadyCarrier>& carriers);

/// A database's URL without its password.
std::string without_password(std::string url);

}  // namespace remitod::daemon
