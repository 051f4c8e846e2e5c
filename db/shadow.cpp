#include "db/shadow.h"

#include "db/session.h"

namespace remitod::db {
namespace {

#define OURS                                                             \
  "select remito, to_status, occurred_at, detected_at from transitions " \
  "where subject = 'shipment' and carrier = :carrier and not inferred and not backfill "
constexpr Sql ours_sql{OURS "and created_at >= :since order by id limit :limit",
                       OURS "and created_at >= :since::bigint order by id limit :limit::bigint"};
#undef OURS

#define LEGACY "select remito, status, occurred_at, noted_at from legacy_statuses where carrier = :carrier "
constexpr Sql legacy_sql{LEGACY "and noted_at >= :since order by id limit :limit",
                         LEGACY "and noted_at >= :since::bigint order by id limit :limit::bigint"};
#undef LEGACY

DbResult<std::vector<SeenStatus>> load(Session& session, const Sql& sql, std::string_view carrier, Instant since,
                                       std::size_t limit) {
  std::vector<SeenStatus> seen;
  SeenStatus row;
  session.query(sql, {{"carrier", carrier}, {"since", since}, {"limit", limit}},
                {&row.remito, &row.status, &row.occurred_at, &row.seen_at}, [&] { seen.push_back(row); });
  return seen;
}

}  // namespace

DbResult<std::vector<SeenStatus>> load_our_statuses(Session& session, std::string_view carrier, Instant since,
                                                    std::size_t limit) {
  return load(session, ours_sql, carrier, since, limit);
}

DbResult<std::vector<SeenStatus>> load_legacy_statuses(Session& session, std::string_view carrier, Instant since,
                                                       std::size_t limit) {
  return load(session, legacy_sql, carrier, since, limit);
}

}  // namespace remitod::db
