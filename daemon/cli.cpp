#include "daemon/cli.h"

#include <sysexits.h>
#include <CLI/CLI.hpp>

#include <iostream>
#include <utility>
#include <vector>

namespace remitod::daemon {
namespace {

// Option::needs() would want all of them.
void require_one_of(const CLI::Option& option, std::initializer_list<const CLI::Option*> modes) {
  if (option.count() == 0) return;
  std::string names;
  for (const CLI::Option* mode : modes) {
    if (mode->count() != 0) return;
    names += (names.empty() ? "" : " or ") + mode->get_name();
  }
  throw CLI::RequiresError(option.get_name(), names);
}

/// The modes that are about what the database holds.
struct DataModes {
  CLI::Option *reread, *forget, *erase, *compare_shadow, *backup, *migrate, *print_config;
};

DataModes add_data_modes(CLI::App& app, Options& options) {
  DataModes modes{};
  modes.reread =
      app.add_option("--reread", options.target,
                     "Read the kept answers of CARRIER again with today's profile, through the running daemon");
  modes.forget = app.add_option("--forget", options.target,
                                "Follow the shipment CARRIER:REMITO no longer; its status stays as it is");
  modes.erase = app.add_option("--erase", options.target, "Erase the personal data of the order with this number");
  modes.compare_shadow = app.add_option("--compare-shadow", options.target,
                                        "What the system before us and we made of the shipments of CARRIER. Exit 0 "
                                        "the same, 1 not");
  app.add_option("--legacy", options.legacy,
                 "With --compare-shadow: what that system saw, as CSV, instead of the table legacy_statuses")
      ->needs(modes.compare_shadow);
  modes.backup = app.add_option("--backup", options.target,
                                "Copy the SQLite database to this file, whole or not at all, beside a running daemon");
  modes.migrate =
      app.add_flag("--migrate")
          ->description("Bring the database to this program's schema, as the daemon does at its start, and end");
  modes.print_config = app.add_flag("--print-config")
                           ->description("Every key of the configuration with its value and where that comes from");
  return modes;
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  Options options;
  CLI::App app{
      "remitod keeps a marketplace's orders true to what its carriers know.\n"
      "Without a mode it runs as the daemon (under systemd: systemctl start remitod).",
      "remitod"};
  app.set_version_flag("--version", "remitod " REMITOD_VERSION);
  auto* config = app.add_option("-c,--config", options.config_file, "Configuration file")->capture_default_str();
  app.add_option("--socket", options.socket, "Control socket of the running daemon (default: the configuration's)");

  bool wanted_check = false;
  auto* check = app.add_flag("--check-config", wanted_check,
                             "Read the configuration and every profile, say what is wrong, exit 0 or 78");
  auto* resync =
      app.add_option("--resync", options.target,
                     "Ask carriers now, through the running daemon: CARRIER, CARRIER:REMITO, order:N or all");
  auto* status =
      app.add_option("--status", options.target,
                     "What the running daemon does: of everything (or all), CARRIER, CARRIER:REMITO or order:N. "
                     "Exit 0 ok, 1 degraded, 3 not running")
          ->expected(0, 1);
  auto* explain =
      app.add_option("--explain", options.target,
                     "What the running daemon has learned of CARRIER, what it spends and how late it is; or "
                     "why CARRIER:REMITO is next asked when it is");
  auto* check_carrier =
      app.add_option("--check-carrier", options.target,
                     "Read the samples of a profile offline and compare: DIR, NAME or all. Exit 0 as expected, 1 not, "
                     "78 a profile cannot be used");
  app.add_flag("--accept", options.accept,
               "With --check-carrier: write what is read into the expectations that do not say it yet")
      ->needs(check_carrier);
  auto* new_carrier = app.add_option("--new-carrier", options.target, "Write a folder for a new carrier to begin with");
  app.add_option("--in", options.folder, "With --new-carrier: where")->needs(new_carrier)->capture_default_str();
  auto* try_carrier = app.add_option(
      "--try-carrier", options.target,
      "Ask the carrier NAME about one shipment, now, within the running daemon's limits and session where "
      "one runs; print request, answer, tree and reports");
  auto* remito = app.add_option("--remito", options.remito, "With --try-carrier: the shipment")->needs(try_carrier);
  try_carrier->needs(remito);
  app.add_option("--save", options.save,
                 "With --try-carrier: keep the answer as a sample of the profile in this folder")
      ->needs(try_carrier);
  auto* replay = app.add_option("--replay", options.target,
                                "Send transitions again: SINK (its dead letters, and what waits is tried now), "
                                "SINK:SEQ..SEQ, or dead (the dead letters of every sink)");
  auto* settle =
      app.add_option("--settle", options.target,
                     "Settle a remito request that needs a person: its request_key or id, with one of --adopt, "
                     "--refuse, --resend");
  auto* adopt = app.add_option("--adopt", options.remito, "With --settle: the carrier made the shipment; its remito")
                    ->needs(settle);
  auto* refuse = app.add_option("--refuse", options.why, "With --settle: it made none; why, for the merchant")
                     ->needs(settle)
                     ->excludes(adopt);
  auto* resend = app.add_flag("--resend", options.resend, "With --settle: it made none; send the request anew")
                     ->needs(settle)
                     ->excludes(adopt)
                     ->excludes(refuse);
  auto* request_remito = app.add_option(
      "--request-remito", options.target,
      "Insert remito requests from FILE, or standard input (-): JSON objects with the table's columns, one, a "
      "list of them, or one a line");
  auto* enable_sink = app.add_option("--enable-sink", options.target, "Go on with a sink that is disabled");
  const DataModes data = add_data_modes(app, options);
  auto* export_trace = app.add_option(
      "--export-trace", options.target,
      "Write what CARRIER (or all) published, from the database, as the CSV that --backtest reads, to standard output");
  CLI::Option* backtest = add_backtest(app, options.backtest);
  const std::vector<std::pair<CLI::Option*, Options::Mode>> modes{{check, Options::Mode::check_config},
                                                                  {resync, Options::Mode::resync},
                                                                  {status, Options::Mode::status},
                                                                  {check_carrier, Options::Mode::check_carrier},
                                                                  {new_carrier, Options::Mode::new_carrier},
                                                                  {try_carrier, Options::Mode::try_carrier},
                                                                  {replay, Options::Mode::replay},
                                                                  {enable_sink, Options::Mode::enable_sink},
                                                                  {data.reread, Options::Mode::reread},
                                                                  {data.forget, Options::Mode::forget},
                                                                  {data.erase, Options::Mode::erase},
                                                                  {data.compare_shadow, Options::Mode::compare_shadow},
                                                                  {data.backup, Options::Mode::backup},
                                                                  {data.migrate, Options::Mode::migrate},
                                                                  {data.print_config, Options::Mode::print_config},
                                                                  {settle, Options::Mode::settle},
                                                                  {request_remito, Options::Mode::request_remito},
                                                                  {explain, Options::Mode::explain},
                                                                  {export_trace, Options::Mode::export_trace},
                                                                  {backtest, Options::Mode::backtest}};
  for (const auto& [mode, named] : modes)
    for (const auto& [other, other_named] : modes)
      if (mode != other) mode->excludes(other);
  auto* since = app.add_option("--since", options.since,
                               "A date or RFC 3339 time. With --resync: only shipments without a change since; with "
                               "--reread: only answers that came since; with --compare-shadow: what was seen since; "
                               "with --export-trace: only shipments followed since");
  auto* dry_run = app.add_flag("--dry-run", options.dry_run,
                               "With --resync, --reread, --erase: say what would be asked, told or erased, and do "
                               "nothing");
  auto* wait =
      app.add_flag("--wait", options.wait,
                   "With --resync: wait until every shipment was answered, with progress. With --request-remito: "
                   "wait until every request is decided");
  app.add_flag("--json", options.json, "Print JSON");
  app.footer(
      "Exit codes: 0 done; 1 --status: degraded, --check-carrier: a sample differs, --request-remito --wait: not every "
      "request was granted, --compare-shadow: there are differences; 3 --status: not running; 64 usage; 65 a request "
      "cannot be read or settled, or a trace cannot be read; 66 no such shipment, request, order, transition, sink, "
      "database or file; 69 no daemon or no carrier answers; 73 a file cannot be written; 75 try later; 76 the "
      "carrier's answer says nothing; 77 you may not open the control socket, or the carrier lets nobody in; 78 "
      "configuration.");

  try {
    app.parse(argc, argv);
    require_one_of(*since, {resync, data.reread, data.compare_shadow, export_trace});
    require_one_of(*dry_run, {resync, data.reread, data.erase});
    require_one_of(*wait, {resync, request_remito});
    if (settle->count() != 0 && adopt->count() + refuse->count() + resend->count() == 0)
      throw CLI::RequiresError("--settle", "--adopt, --refuse or --resend");
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return {std::nullopt, code == 0 ? EX_OK : EX_USAGE};
  }
  for (const auto& [option, mode] : modes)
    if (option->count() != 0) options.mode = mode;
  options.config_stated = config->count() != 0;
  options.backtest.json = options.json;
  return {options, EX_OK};
}

}  // namespace remitod::daemon
