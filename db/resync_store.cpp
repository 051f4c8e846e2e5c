// Requests to ask carriers now, past the schedule. What they name is found in shipment_view.cpp.
#include "db/json_rows.h"
#include "db/resync_record.h"
#include "db/session.h"
#include "db/stores.h"

#include <algorithm>
#include <utility>

namespace remitod::db {
namespace {

constexpr Sql insert_sql{
    R"(insert into resync_requests (target, since_at, requested_at) values (:target, :since_at, :now) returning id)"};

constexpr Sql accept_sql{
    R"(update resync_requests set accepted_at = coalesce(accepted_at, :now)
       where finished_at is null and (accepted_at is null or :also_unfinished <> 0)
       returning id, target, since_at)",
    R"(update resync_requests set accepted_at = coalesce(accepted_at, :now::bigint)
       where finished_at is null and (accepted_at is null or :also_unfinished::integer <> 0)
       returning id, target, since_at)"};

constexpr Sql refuse_sql{
    R"(update resync_requests set finished_at = :now, error = :error
       where id in (select value from json_each(:ids)))",
    R"(update resync_requests set finished_at = :now::bigint, error = :error
       where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};

constexpr Sql finish_sql{
    R"(update resync_requests set finished_at = :now, shipments = :shipments, error = :error
       where id = :id and finished_at is null)"};

constexpr Sql find_sql{
    R"(select target, case when finished_at is null then 0 else 1 end, shipments, error
       from resync_requests where id = :id)",
    R"(select target, case when finished_at is null then 0 else 1 end, shipments, error
       from resync_requests where id = :id::bigint)"};

constexpr const char* unreadable_target = "target is none of: all, CARRIER, CARRIER:REMITO, order:NUMBER";

}  // namespace

DbResult<std::int64_t> insert_resync_request(Session& session, const ResyncTarget& target, std::optional<Instant> since,
                                             Instant now) {
  std::int64_t id = 0;
  session.query_row(insert_sql, {{"target", target.to_string()}, {"since_at", since}, {"now", now}}, {&id});
  return id;
}

DbResult<std::vector<ResyncRequest>> accept_resync_requests(Session& session, Instant now, bool also_unfinished) {
  std::vector<ResyncRequest> requests;
  std::vector<std::int64_t> unreadable;
  std::int64_t id = 0;
  std::string target_text;
  std::optional<Instant> since;
  session.query(accept_sql, {{"now", now}, {"also_unfinished", also_unfinished}}, {&id, &target_text, &since}, [&] {
    if (std::optional<ResyncTarget> target = ResyncTarget::parse(target_text))
      requests.push_back({id, std::move(*target), since});
    else
      unreadable.push_back(id);
  });
  if (!unreadable.empty())
    session.execute(refuse_sql, {{"ids", ids_parameter(unreadable)}, {"error", unreadable_target}, {"now", now}});
  std::ranges::sort(requests, {}, &ResyncRequest::resync_id);
  return requests;
}

DbResult<void> finish_resync_request(Session& session, std::int64_t resync_id, std::int64_t shipments,
                                     std::string_view error, Instant now) {
  session.execute(finish_sql, {{"id", resync_id}, {"shipments", shipments}, {"error", storable(error)}, {"now", now}});
  return {};
}

DbResult<std::optional<ResyncRecord>> find_resync_record(Session& session, std::int64_t resync_id) {
  ResyncRecord record;
  const bool found = session.query_row(find_sql, {{"id", resync_id}},
                                       {&record.target, &record.finished, &record.shipments, &record.error});
  return found ? std::optional(std::move(record)) : std::nullopt;
}

}  // namespace remitod::db
