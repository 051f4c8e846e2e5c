#include "db/learned_store.h"

#include <nlohmann/json.hpp>

#include "db/json_rows.h"
#include "db/packing.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql save_sql{R"(
    insert into learned_schedules (carrier, part, learned, saved_at)
    select :carrier, value ->> 'part', value ->> 'learned', :now from json_each(:parts) where true
    on conflict (carrier, part) do update set learned = excluded.learned, saved_at = excluded.saved_at)",
                       R"(
    insert into learned_schedules (carrier, part, learned, saved_at)
    select :carrier::text, part, learned, :now::bigint
    from jsonb_to_recordset(:parts::jsonb) as p (part text, learned text)
    on conflict (carrier, part) do update set learned = excluded.learned, saved_at = excluded.saved_at)"};

// 'earlier' before 'recent'.
constexpr Sql load_sql{"select carrier, part, learned from learned_schedules order by carrier, part"};

}  // namespace

DbResult<void> save_learned_schedule(Session& session, const LearnedSchedule& learned, Instant now) {
  json parts = json::array({{{"part", "recent"}, {"learned", to_base64(learned.recent)}}});
  if (learned.earlier) parts.push_back({{"part", "earlier"}, {"learned", to_base64(*learned.earlier)}});
  session.execute(save_sql, {{"carrier", learned.carrier}, {"parts", to_parameter(parts)}, {"now", now}});
  return {};
}

DbResult<std::vector<LearnedSchedule>> load_learned_schedules(Session& session) {
  std::vector<LearnedSchedule> all;
  std::string carrier, part, text;
  session.query(load_sql, {}, {&carrier, &part, &text}, [&] {
    if (all.empty() || all.back().carrier != carrier) all.push_back({carrier, "", ""});
    std::string bytes = from_base64(text).value_or("");
    if (part == "earlier")
      all.back().earlier = std::move(bytes);
    else
      all.back().recent = std::move(bytes);
  });
  return all;
}

}  // namespace remitod::db
