#include "daemon/config_places.h"

#include <cstdlib>
#include <system_error>
#include <utility>

#include "daemon/service_notify.h"
#include "daemon/socket_file.h"

namespace remitod::daemon {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// RuntimeDirectory= and StateDirectory= of the unit, and of its instances one further down. The service itself, which
// systemd tells of them, has them; a shell may look before the first start.
bool is_made_at_a_start(const fs::path& folder) {
  if (std::getenv("RUNTIME_DIRECTORY") != nullptr) return false;
  for (const char* made : {"/run/remitod", "/var/lib/remitod"})
    if (folder == made || folder.parent_path() == made) return true;
  return false;
}

std::string missing_before_a_start(const fs::path& file) {
  return is_made_at_a_start(folder_of(file)) ? std::string() : missing_folder(file);
}

}  // namespace

std::string missing_folder(const fs::path& file) {
  const fs::path folder = folder_of(file);
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) return "the folder " + folder.string() + " does not exist";
  if (fs::exists(status) && !fs::is_directory(status)) return folder.string() + " is no folder";
  return {};
}

std::vector<ConfigError> place_errors(const Config& config) {
  std::vector<ConfigError> errors;
  const auto tell = [&](const char* key, std::string problem) {
    if (!problem.empty()) errors.push_back(config.error(key, std::move(problem)));
  };
  if (config.database.engine == db::DatabaseUrl::Engine::sqlite)
    tell("database.url", missing_before_a_start(config.database.connect));
  if (passed_listener("control")) return errors;
  const std::string problem = socket_path_problem(config.control_socket);
  tell(control_socket_key, problem.empty() ? missing_before_a_start(config.control_socket) : problem);
  return errors;
}

}  // namespace remitod::daemon
