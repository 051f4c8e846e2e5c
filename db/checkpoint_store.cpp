// The minute's checkpoints of the lanes. To the database they are bytes; the lane knows what they mean.
#include "db/packing.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql save_sql{
    R"(insert into lane_checkpoints (carrier, asked, saved_at, polls_wished_until, orders_wished_until)
       values (:carrier, :asked, :saved_at, :polls_wished_until, :orders_wished_until)
       on conflict (carrier) do update
       set asked = excluded.asked, saved_at = excluded.saved_at, polls_wished_until = excluded.polls_wished_until,
           orders_wished_until = excluded.orders_wished_until)",
    R"(insert into lane_checkpoints (carrier, asked, saved_at, polls_wished_until, orders_wished_until)
       values (:carrier, :asked, :saved_at, :polls_wished_until::bigint, :orders_wished_until::bigint)
       on conflict (carrier) do update
       set asked = excluded.asked, saved_at = excluded.saved_at, polls_wished_until = excluded.polls_wished_until,
           orders_wished_until = excluded.orders_wished_until)"};

constexpr Sql load_sql{
    "select carrier, asked, polls_wished_until, orders_wished_until, saved_at from lane_checkpoints order by carrier"};

}  // namespace

DbResult<void> save_lane_checkpoint(Session& session, const LaneCheckpoint& checkpoint) {
  session.execute(save_sql, {{"carrier", checkpoint.carrier},
                             {"asked", to_base64(checkpoint.asked)},
                             {"saved_at", checkpoint.saved_at},
                             {"polls_wished_until", checkpoint.polls_wished_until},
                             {"orders_wished_until", checkpoint.orders_wished_until}});
  return {};
}

DbResult<std::vector<LaneCheckpoint>> load_lane_checkpoints(Session& session) {
  std::vector<LaneCheckpoint> checkpoints;
  LaneCheckpoint row;
  std::string text;
  session.query(load_sql, {}, {&row.carrier, &text, &row.polls_wished_until, &row.orders_wished_until, &row.saved_at},
                [&] {
                  // A checkpoint is worth its comfort only: one that is damaged is as good as none, and the lane
                  // spreads its shipments anew.
                  row.asked = from_base64(text).value_or("");
                  checkpoints.push_back(row);
                });
  return checkpoints;
}

}  // namespace remitod::db
