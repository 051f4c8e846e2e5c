#include "db/feed_positions.h"

#include "db/session.h"

namespace remitod::db {
namespace {

constexpr Sql load_sql{"select asked_until from feed_positions where carrier = :carrier",
                       "select asked_until from feed_positions where carrier = :carrier::text"};

constexpr Sql save_sql{
    R"(insert into feed_positions (carrier, asked_until) values (:carrier, :asked_until)
       on conflict (carrier) do update set asked_until = excluded.asked_until)",
    R"(insert into feed_positions (carrier, asked_until) values (:carrier::text, :asked_until::bigint)
       on conflict (carrier) do update set asked_until = excluded.asked_until)"};

}  // namespace

DbResult<std::optional<Instant>> load_feed_position(Session& session, std::string_view carrier) {
  std::optional<Instant> position;
  Instant asked_until{};
  session.query(load_sql, {{"carrier", carrier}}, {&asked_until}, [&] { position = asked_until; });
  return position;
}

DbResult<void> save_feed_position(Session& session, std::string_view carrier, Instant asked_until) {
  session.execute(save_sql, {{"carrier", carrier}, {"asked_until", asked_until}});
  return {};
}

}  // namespace remitod::db
