#include "daemon/data_commands.h"

#include <sysexits.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ranges>
#include <sstream>
#include <thread>

#include "daemon/cli_commands.h"
#include "daemon/command_output.h"
#include "daemon/config_report.h"
#include "daemon/control_client.h"
#include "daemon/data_text.h"
#include "daemon/database_start.h"
#include "daemon/shadow_compare.h"
#include "daemon/text_table.h"
#include "db/backup.h"
#include "db/instance_lock.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds look_again{50};
constexpr int exit_differs = 1;
constexpr std::size_t differences_printed_max = 1000;

/// Asks the daemon, and prints what it says. The exit code.
int ask(const Options& options, const std::string& socket, const char* path, const json& wanted,
        std::string (*text)(const json&)) {
  const auto answer = call_control(socket, "POST", path, one_line(wanted));
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  const json report = json::parse(answer->body);
  std::cout << (options.json ? report.dump() + "\n" : text(report));
  return EX_OK;
}

std::vector<db::SeenStatus> seen_statuses(const json& rows) {
  std::vector<db::SeenStatus> seen;
  for (const json& row : rows) {
    const json& occurred_at = row.at("occurred_at");
    seen.push_back({row.at("remito"), row.at("status"),
                    occurred_at.is_string() ? from_iso8601(occurred_at.get<std::string>()) : std::nullopt,
                    from_iso8601(row.at("seen_at").get<std::string>()).value_or(Instant{})});
  }
  return seen;
}

std::string label_of(const std::string& word) {
  const auto status = status_from(word);
  return status ? std::string(label(*status)) : std::string();
}

json comparison_report(const json& rows, const ShadowComparison& compared) {
  json report{{"carrier", rows.at("carrier")},
              {"since", rows.at("since")},
              {"all", rows.at("all")},
              {"shipments", compared.shipments},
              {"same", compared.same},
              {"only_ours", compared.only_ours},
              {"only_theirs", compared.only_theirs},
              {"both_saw", compared.both_saw},
              {"median_lead_s", compared.median_lead ? json(compared.median_lead->count()) : json(nullptr)},
              {"differing", compared.differences.size()},
              {"differences", json::array()}};
  for (const ShadowDifference& difference : compared.differences | std::views::take(differences_printed_max))
    report["differences"].push_back({{"remito", difference.remito},
                                     {"kind", name(difference.kind)},
                                     {"ours", difference.ours},
                                     {"ours_label", label_of(difference.ours)},
                                     {"theirs", difference.theirs},
                                     {"theirs_label", label_of(difference.theirs)}});
  return report;
}

/// The rows of the file, or those that the platform put into the database.
std::expected<std::vector<db::SeenStatus>, std::string> legacy_rows(const Options& options, const json& rows) {
  if (options.legacy.empty()) return seen_statuses(rows.at("theirs"));
  std::ifstream in(options.legacy, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return std::unexpected("cannot read " + options.legacy);
  auto parsed = parse_legacy_csv(text.str());
  if (!parsed) return std::unexpected(options.legacy + ": " + parsed.error());
  const auto since = from_iso8601(rows.at("since").get<std::string>());
  std::erase_if(*parsed, [&](const db::SeenStatus& one) { return since && one.seen_at < *since; });
  return parsed;
}

/// The configuration alone, or its errors printed.
std::optional<Config> readable_config(const Options& options) {
  auto config = load_config(options.config_file);
  if (config) return std::move(*config);
  print_errors(config.error());
  return std::nullopt;
}

int failed(const db::DbError& error, int exit_code) {
  std::cerr << "remitod: " << error.message << '\n';
  return exit_code;
}

int exit_code_of_backup(const db::DbError& error) {
  switch (error.kind) {
    case db::DbError::Kind::constraint:
      return EX_USAGE;
    case db::DbError::Kind::connection:
      return EX_NOINPUT;
    case db::DbError::Kind::disk:
      return db::is_unusable_file(error) ? EX_NOINPUT : EX_CANTCREAT;
    default:
      return EX_TEMPFAIL;
  }
}

/// Of a database that cannot be taken up. A person has to look at some; others can be tried again.
int unusable(const db::DatabaseUrl& database, const db::DbError& error) {
  return failed(explained(database, error), wants_a_person(database, error) ? EX_CONFIG : EX_TEMPFAIL);
}

/// Until the reread has ended.
std::expected<ControlAnswer, NoAnswer> wait_for_reread(const std::string& socket, std::int64_t reread_id) {
  ProgressBar bar;
  for (;;) {
    auto answer = call_control(socket, "GET", "/reread?id=" + std::to_string(reread_id));
    const json progress = answer ? json::parse(answer->body, nullptr, false) : json();
    if (!answer || answer->status != 200 || progress.value("finished", false)) {
      bar.end();
      return answer;
    }
    bar.show(progress.value("done", std::size_t{0}), progress.value("answers", std::size_t{0}), "answers");
    std::this_thread::sleep_for(look_again);
  }
}

}  // namespace

int reread(const Options& options, const std::string& socket) {
  json wanted{{"carrier", options.target}, {"dry_run", options.dry_run}};
  if (options.since) wanted["since"] = *options.since;
  const auto begun = call_control(socket, "POST", "/reread", one_line(wanted));
  if (!begun) return no_daemon(begun.error());
  if (begun->status != 200) return complain(*begun);
  const auto answer = wait_for_reread(socket, json::parse(begun->body).at("reread_id").get<std::int64_t>());
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  const json report = json::parse(answer->body);
  std::cout << (options.json ? report.dump() + "\n" : reread_text(report));
  return report.value("error", "").empty() ? EX_OK : EX_TEMPFAIL;
}

int forget(const Options& options, const std::string& socket) {
  return ask(options, socket, "/forget", {{"target", options.target}}, forgotten_text);
}

int erase(const Options& options, const std::string& socket) {
  return ask(options, socket, "/erase", {{"order_number", options.target}, {"dry_run", options.dry_run}}, erased_text);
}

int compare_shadow(const Options& options, const std::string& socket) {
  const std::string since = options.since ? "&since=" + query_value(*options.since) : "";
  const auto answer = call_control(socket, "GET", "/shadow?carrier=" + query_value(options.target) + since);
  if (!answer) return no_daemon(answer.error());
  if (answer->status != 200) return complain(*answer);
  const json rows = json::parse(answer->body);
  const auto theirs = legacy_rows(options, rows);
  if (!theirs) {
    std::cerr << "remitod: " << theirs.error() << '\n';
    return EX_NOINPUT;
  }
  const ShadowComparison compared = compare_shadow(seen_statuses(rows.at("ours")), *theirs);
  const json report = comparison_report(rows, compared);
  std::cout << (options.json ? report.dump() + "\n" : shadow_text(report));
  return compared.differences.empty() && compared.only_ours + compared.only_theirs == 0 ? EX_OK : exit_differs;
}

int backup(const Options& options) {
  const auto config = readable_config(options);
  if (!config) return EX_CONFIG;
  if (config->database.engine == db::DatabaseUrl::Engine::postgresql) {
    std::cerr << "remitod: a PostgreSQL database is backed up by its own tools:\n  "
              << db::pg_dump_command(config->database, options.target) << '\n';
    return EX_USAGE;
  }
  const auto made = db::back_up_sqlite(config->database, options.target);
  if (!made) return failed(made.error(), exit_code_of_backup(made.error()));
  if (options.json)
    std::cout << one_line({{"file", options.target}, {"bytes", made->bytes}, {"schema_version", made->schema_version}})
              << '\n';
  else
    std::cout << options.target << ": " << made->bytes << " bytes, schema version " << made->schema_version
              << ", sound\n";
  return EX_OK;
}

int migrate(const Options& options) {
  const auto config = readable_config(options);
  if (!config) return EX_CONFIG;
  const auto lock = db::InstanceLock::acquire(config->database);
  if (!lock) return unusable(config->database, lock.error());
  auto own = db::OwnSession::open(config->database);
  if (!own) return unusable(config->database, own.error());
  const auto version = own->transact<int>([](db::Session& session) { return db::migrate(session); });
  if (!version) return unusable(config->database, version.error());
  if (options.json)
    std::cout << json{{"schema_version", *version}}.dump() << '\n';
  else
    std::cout << "the database has schema version " << *version << '\n';
  return EX_OK;
}

int print_config(const Options& options) {
  const auto config = readable_config(options);
  if (!config) return EX_CONFIG;
  const auto carriers = load_carriers(*config, Secrets::as_far_as_readable);
  if (!carriers) {
    print_errors(carriers.error());
    return EX_CONFIG;
  }
  std::ifstream in(config->file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::vector<EffectiveKey> keys = effective_config(*config, text, *carriers);
  if (options.json) {
    json rows = json::array();
    for (const EffectiveKey& key : keys)
      rows.push_back({{"key", key.key}, {"value", key.value}, {"source", key.source}});
    std::cout << one_line({{"file", config->file.string()}, {"keys", rows}}) << '\n';
    return EX_OK;
  }
  TextTable table({"key", "value", "from"});
  for (const EffectiveKey& key : keys) table.row({key.key, key.value, key.source});
  table.print(std::cout);
  return EX_OK;
}

}  // namespace remitod::daemon
