// The tables [sinks.NAME] of remitod.toml. sinks.md of this folder says what for, README.md lists the keys.
#pragma once

#include <toml++/impl/forward_declarations.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace remitod::carriers {
class TableReader;
}  // namespace remitod::carriers

namespace remitod::daemon {

struct SinkConfig {
  enum class Type : std::uint8_t { webhook, command };
  std::string name;  ///< of letters, digits, '-' and '_'
  Type type = Type::webhook;
  std::string url;                   ///< webhook: https, or http to this machine
  std::vector<std::string> secrets;  ///< webhook: "credential:NAME" or "file:PATH", the newest first; one or more
  int secrets_line = 0;
  std::vector<std::string> command;                ///< command: the program and its arguments
  int concurrency = 1;                             ///< [1, 256]; default 16 for a webhook, 1 for a command
  std::chrono::milliseconds timeout{20'000};       ///< [100 ms, 5 min]; for one event
  std::vector<std::chrono::milliseconds> retries;  ///< at most 50; default: those of Standard Webhooks
};
std::string_view name(SinkConfig::Type type);

/// The tables of [sinks] in `root`, whose reader is `reader`. What is wrong goes to the reader's log.
std::vector<SinkConfig> read_sinks(const toml::table& root, carriers::TableReader& reader);

}  // namespace remitod::daemon
