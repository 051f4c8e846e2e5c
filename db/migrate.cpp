#include <algorithm>
#include <set>
#include <string>

#include "db/migrations.h"
#include "db/session.h"

namespace remitod::db {
namespace {

/// Somebody else's program that starts at the same moment waits here until we have committed.
constexpr Sql lock_schema{"", "select pg_advisory_xact_lock(hashtext('remitod schema'))"};
constexpr Sql schema_exists{"",
                            "select cast(count(*) as integer) from pg_catalog.pg_namespace where nspname = 'remitod'"};
constexpr Sql create_schema{"", "create schema remitod"};

constexpr Sql create_versions{R"(
    create table if not exists schema_migrations (
      version    integer not null primary key,
      name       text    not null,
      applied_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000)
    ) strict)",
                              R"(
    create table if not exists schema_migrations (
      version    integer not null primary key,
      name       text    not null,
      applied_at bigint  not null default (extract(epoch from clock_timestamp()) * 1000000)::bigint
    ))"};
constexpr Sql applied_versions{"select version from schema_migrations"};
constexpr Sql note_version{"insert into schema_migrations (version, name) values (:version, :name)"};

/// An administrator may have made the schema, for a user who may not.
void prepare_schema(Session& session) {
  if (session.engine() == DatabaseUrl::Engine::sqlite) return;
  session.execute(lock_schema);
  int there = 0;
  session.query_row(schema_exists, {}, {&there});
  if (there == 0) session.execute(create_schema);
}

std::set<int> versions_of(Session& session) {
  std::set<int> versions;
  int version = 0;
  session.query(applied_versions, {}, {&version}, [&] { versions.insert(version); });
  return versions;
}

}  // namespace

DbResult<int> migrate(Session& session) {
  prepare_schema(session);
  session.execute(create_versions);
  const std::set<int> applied = versions_of(session);

  const std::span<const Migration> known = migrations(session.engine());
  for (const int version : applied)
    if (std::ranges::find(known, version, &Migration::version) == known.end())
      return std::unexpected(DbError{DbError::Kind::bug, "",
                                     "the database has schema version " + std::to_string(version) +
                                         "; this program knows up to " + std::to_string(known.back().version)});
  for (const Migration& migration : known) {
    if (applied.contains(migration.version)) continue;
    session.run_script(std::string(migration.sql));
    session.execute(note_version, {{"version", migration.version}, {"name", migration.name}});
  }
  return known.back().version;
}

}  // namespace remitod::db
