#include "daemon/cli.h"

#include <sysexits.h>
#include <CLI/CLI.hpp>

#include <iostream>

namespace remitod::daemon {

ParsedOptions parse_options(int argc, char** argv) {
  Options options;
  CLI::App app{
      "remitod keeps a marketplace's orders true to what its carriers know.\n"
      "Without a mode it runs as the daemon (under systemd: systemctl start remitod).",
      "remitod"};
  app.set_version_flag("--version", "remitod " REMITOD_VERSION);
  app.add_option("-c,--config", options.config_file, "Configuration file")->capture_default_str();
  app.add_option("--socket", options.socket, "Control socket of the running daemon (default: the configuration's)");

  bool wanted_check = false;
  auto* check = app.add_flag("--check-config", wanted_check,
                             "Read the configuration and every profile, say what is wrong, exit 0 or 78");
  auto* resync =
      app.add_option("--resync", options.target,
                     "Ask carriers now, through the running daemon: CARRIER, CARRIER:REMITO, order:N or all");
  auto* status = app.add_option("--status", options.target,
                                "What the running daemon does: of everything, CARRIER, CARRIER:REMITO or order:N. "
                                "Exit 0 ok, 1 degraded, 3 not running")
                     ->expected(0, 1);
  check->excludes(resync)->excludes(status);
  resync->excludes(status);
  app.add_option("--since", options.since,
                 "With --resync: only shipments without a change since (2026-11-23 or RFC 3339)")
      ->needs(resync);
  app.add_flag("--dry-run", options.dry_run, "With --resync: say what would be asked, ask nothing")->needs(resync);
  app.add_flag("--wait", options.wait, "With --resync: wait until every shipment was answered, with progress")
      ->needs(resync);
  app.add_flag("--json", options.json, "Print JSON");
  app.footer(
      "Exit codes: 0 done, 64 usage, 66 no such shipment, 69 no daemon answers, 75 try later, 78 configuration.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return {std::nullopt, code == 0 ? EX_OK : EX_USAGE};
  }
  if (check->count() != 0) options.mode = Options::Mode::check_config;
  if (resync->count() != 0) options.mode = Options::Mode::resync;
  if (status->count() != 0) options.mode = Options::Mode::status;
  return {options, EX_OK};
}

}  // namespace remitod::daemon
