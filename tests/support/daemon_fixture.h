// An installation of remitod in a folder of its own: configuration, database, secrets, logs, and the real program.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/executor.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace remitod::test {

/// The public tables, as the platform reads and writes them. Throws on every error.
class Platform {
 public:
  explicit Platform(const std::string& database_url);
  ~Platform();
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  /// Statements without parameters, in one transaction.
  void execute(const std::string& script);
  /// The one integer, or text, that a query gives.
  std::int64_t number(const std::string& query);
  std::string text(const std::string& query);
  /// A query of one text column.
  std::vector<std::string> rows(const std::string& query);

  /// A request for a remito of OCA, complete unless `street` is empty. `postcode` is the recipient's.
  void ask_remito(const std::string& request_key, const std::string& order, const std::string& carrier = "oca",
                  const std::string& postcode = "1001", const std::string& street = "Av. Demo");
  void follow(const std::string& carrier, const std::string& remito, const std::string& order);

 private:
  db::OwnSession own_;
};

class Installation {
 public:
  struct Options {
    std::string database_url = "";  ///< empty: SQLite in the folder
    /// The daemon's time runs so much faster than the wall's, counted from the making of this object. Small: the
    /// schedule comes to nothing within a test, and only what is asked by hand is asked.
    double time_scale = 1;
  };
  explicit Installation(Options options);
  Installation() : Installation(Options{}) {}

  const std::filesystem::path& folder() const { return folder_.path(); }
  std::filesystem::path config_file() const { return folder() / "remitod.toml"; }
  const std::string& database_url() const { return database_url_; }
  double time_scale() const { return time_scale_; }
  std::string time_origin() const;
  Instant now() const;  ///< the daemon's

  /// A table [carriers.NAME] of a built-in profile, with all settings that one asks for. `more` are further lines.
  std::string carrier(const std::string& name, const std::string& base_url, const std::string& more = "") const;
  /// Writes remitod.toml. Profiles are looked for in the folder `profiles` first, then among the built-in ones.
  void configure(const std::string& carriers);

  /// Starts the daemon without waiting for anything.
  void launch();
  /// Starts the daemon and waits until it answers. Throws with its log when it does not.
  void start();
  Process& daemon() { return *daemon_; }
  void kill();  ///< SIGKILL
  int stop();   ///< SIGTERM; the exit code
  bool answers() const;

  /// remitod --config ... arguments.
  Finished remitod(const std::vector<std::string>& arguments) const;
  /// What GET /status says.
  nlohmann::json status() const;
  nlohmann::json carrier_status(std::string_view name) const;
  /// --resync TARGET --wait, which has to succeed.
  void resync(const std::string& target) const;

  std::string log() const;
  /// Lines of the log that hold all of these.
  std::vector<std::string> log_lines(const std::vector<std::string>& parts) const;
  Platform& platform();
  /// After a server has hung up on everybody: platform() connects anew.
  void forget_connections() { platform_.reset(); }

 private:
  TemporaryFolder folder_;
  std::string database_url_;
  double time_scale_;
  Instant time_origin_;
  std::unique_ptr<Process> daemon_;
  std::unique_ptr<Platform> platform_;
};

}  // namespace remitod::test
