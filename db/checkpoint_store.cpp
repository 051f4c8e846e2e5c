// The minute's checkpoints of the lanes. To the database they are bytes; the lane knows what they mean.
#include "db/packing.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql save_sql{
    R"(insert into lane_checkpoints (carrier, asked, saved_at) values (:carrier, :asked, :now)
       on conflict (carrier) do update set asked = excluded.asked, saved_at = excluded.saved_at)"};

constexpr Sql load_sql{"select carrier, asked from lane_checkpoints order by carrier"};

}  // namespace

DbResult<void> save_lane_checkpoint(Session& session, std::string_view carrier, std::string_view asked, Instant now) {
  session.execute(save_sql, {{"carrier", carrier}, {"asked", to_base64(asked)}, {"now", now}});
  return {};
}

DbResult<std::vector<LaneCheckpoint>> load_lane_checkpoints(Session& session) {
  std::vector<LaneCheckpoint> checkpoints;
  LaneCheckpoint row;
  std::string text;
  session.query(load_sql, {}, {&row.carrier, &text}, [&] {
    // A checkpoint is worth its comfort only: one that is damaged is as good as none, and the lane spreads its
    // shipments anew.
    row.asked = from_base64(text).value_or("");
    checkpoints.push_back(row);
  });
  return checkpoints;
}

}  // namespace remitod::db
