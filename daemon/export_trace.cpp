#include "daemon/export_trace.h"

#include <sysexits.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <utility>

#include "daemon/log.h"
#include "db/trace_store.h"

namespace remitod::daemon {
namespace {

constexpr std::size_t rows_per_page = 5000;

using Rows = std::vector<db::PublishedStatus>;

std::int64_t seconds(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

bool is_final(const db::PublishedStatus& row) {
  const auto status = status_from(row.status);
  return row.last && status && is_terminal(*status);
}

/// Carriers are named as the configuration names them, and so may have a comma only where somebody wanted to see what
/// happens.
std::string field(std::string text) {
  std::ranges::replace(text, ',', '_');
  return printable(text);
}

void print(const Rows& rows) {
  for (const db::PublishedStatus& row : rows)
    std::cout << row.shipment_id << ',' << field(row.carrier) << ',' << seconds(row.created) << ','
              << std::max(seconds(row.published), seconds(row.created)) << ',' << row.status << ','
              << (is_final(row) ? 1 : 0) << '\n';
}

int complain(const std::string& words, int exit_code) {
  std::cerr << "remitod: " << words << '\n';
  return exit_code;
}

}  // namespace

int export_trace(const Config& config, const std::string& target, const std::optional<std::string>& since_text) {
  std::optional<Instant> since = Instant{};
  if (since_text) since = from_iso8601(*since_text);
  if (!since) return complain("--since: expected a moment such as 2026-11-23T00:00:00Z", EX_USAGE);
  // To open an SQLite database that is not there is to make an empty one.
  if (std::error_code error; config.database.engine == db::DatabaseUrl::Engine::sqlite &&
                             !std::filesystem::exists(config.database.connect, error) && !error)
    return complain("there is no database " + config.database.connect, EX_NOINPUT);
  auto own = db::OwnSession::open(config.database);
  if (!own) return complain("the database does not answer: " + own.error().message, EX_UNAVAILABLE);
  std::cout << "ship,carrier,created,published,status,final\n";
  std::size_t written = 0;
  for (std::int64_t after_id = 0;;) {
    const auto page = own->transact<Rows>(
        [carrier = target == "all" ? std::string{} : target, since = *since, after_id](db::Session& session) {
          return db::load_published_statuses(session, carrier, since, after_id, rows_per_page);
        });
    if (!page) return complain("the database does not answer: " + page.error().message, EX_UNAVAILABLE);
    print(*page);
    written += page->size();
    if (page->size() < rows_per_page) break;
    after_id = page->back().id;
  }
  if (!std::cout.flush()) return complain("standard output cannot be written", EX_CANTCREAT);
  if (written == 0) return complain("nothing was published yet: no transitions of " + target, EX_NOINPUT);
  return EX_OK;
}

}  // namespace remitod::daemon
