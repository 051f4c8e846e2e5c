#include "daemon/reload.h"

#include <utility>

namespace remitod::daemon {
namespace {

std::vector<ConfigError> changes_that_want_a_restart(const Config& running, const Config& wanted) {
  std::vector<ConfigError> errors;
  const auto refuse = [&](const char* key) {
    errors.push_back(wanted.error(key, "expected as at the start; to change it, restart the service"));
  };
  if (wanted.database.engine != running.database.engine || wanted.database.connect != running.database.connect)
    refuse("database.url");
  if (wanted.time_scale != running.time_scale) refuse("daemon.time_scale");
  if (wanted.time_origin != running.time_origin) refuse("daemon.time_origin");
  return errors;
}

}  // namespace

std::expected<Loaded, std::vector<ConfigError>> load_again(const Config& running) {
  auto config = load_config(running.file);
  if (!config) return std::unexpected(std::move(config).error());
  if (auto errors = changes_that_want_a_restart(running, *config); !errors.empty())
    return std::unexpected(std::move(errors));
  auto carriers = load_carriers(*config, Secrets::required);
  if (!carriers) return std::unexpected(std::move(carriers).error());
  auto sinks = load_sinks(*config, Secrets::required);
  if (!sinks) return std::unexpected(std::move(sinks).error());
  auto token = load_listen_token(*config, Secrets::required);
  if (!token) return std::unexpected(std::move(token).error());
  return Loaded{std::move(*config), std::move(*carriers), std::move(*sinks), std::move(*token)};
}

}  // namespace remitod::daemon
