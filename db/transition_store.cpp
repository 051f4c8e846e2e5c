// The outbox: transitions of requests go in here (those of shipments in apply_reports.cpp), and all come out numbered.
#include "db/json_rows.h"
#include "db/request_transitions.h"
#include "db/session.h"
#include "db/stores.h"

#include <algorithm>

namespace remitod::db {
namespace {

// An order is `confirmed` until a request of it is granted, refused or cancelled; after that the platform brings it
// back there by asking again.
constexpr Sql insert_request_transitions_sql{
    R"(insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                                from_status, to_status, code, text, detected_at, created_at)
       select 'request', r.shipment_id, r.id, r.order_number, r.parcel_group, r.carrier, r.remito,
              coalesce(s.cycle, 0), 'confirmed',
              case r.state when 'granted' then 'ready_to_ship' when 'cancelled' then 'cancelled' else 'remito_refused' end,
              r.refusal_code, r.refusal_text, :now, :now
       from remito_requests r left join shipments s on s.id = r.shipment_id
       where r.id in (select value from json_each(:ids)) and r.state in ('granted', 'refused', 'cancelled')
       order by r.id)",
    R"(insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                                from_status, to_status, code, text, detected_at, created_at)
       select 'request', r.shipment_id, r.id, r.order_number, r.parcel_group, r.carrier, r.remito,
              coalesce(s.cycle, 0), 'confirmed',
              case r.state when 'granted' then 'ready_to_ship' when 'cancelled' then 'cancelled' else 'remito_refused' end,
              r.refusal_code, r.refusal_text, :now::bigint, :now::bigint
       from remito_requests r left join shipments s on s.id = r.shipment_id
       where r.id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))
         and r.state in ('granted', 'refused', 'cancelled')
       order by r.id)"};

// A second dispatcher waits here until the first has committed. What it selects afterwards is a new statement with a
// new snapshot, so it sees the numbers the first one gave.
constexpr Sql lock_seq_sql{"select value from counters where name = 'transition_seq'",
                           "select value from counters where name = 'transition_seq' for update"};

// Ids grow with insertion, and whatever writes transitions of one shipment or request holds that row, so that they are
// committed in the order of their ids. Across shipments a late commit simply gets a later number.
constexpr Sql number_sql{
    R"(update transitions set seq = numbered.seq, dispatched_at = :now
       from (select id, :last_seq + row_number() over (order by id) as seq
             from (select id from transitions where seq is null and shadow = 0 order by id limit :limit)) as numbered
       where transitions.id = numbered.id
       returning transitions.id, transitions.seq, subject, order_number, parcel_group, carrier, remito, from_status,
                 to_status, reason, text, attempt, occurred_at, detected_at, inferred, late, correction, backfill)",
    R"(update transitions set seq = numbered.seq, dispatched_at = :now::bigint
       from (select id, :last_seq::bigint + row_number() over (order by id) as seq
             from (select id from transitions where seq is null and not shadow order by id limit :limit::bigint)
                   as without_seq
            ) as numbered
       where transitions.id = numbered.id
       returning transitions.id, transitions.seq, subject, order_number, parcel_group, carrier, remito, from_status,
                 to_status, reason, text, attempt, occurred_at, detected_at, cast(inferred as integer),
                 cast(late as integer), cast(correction as integer), cast(backfill as integer))"};

constexpr Sql keep_seq_sql{"update counters set value = :last_seq where name = 'transition_seq'",
                           "update counters set value = :last_seq::bigint where name = 'transition_seq'"};

}  // namespace

void insert_request_transitions(Session& session, std::span<const std::int64_t> request_ids, Instant now) {
  if (request_ids.empty()) return;
  const std::string ids = ids_parameter(request_ids);
  session.execute(insert_request_transitions_sql, {{"ids", ids}, {"now", now}});
}

DbResult<std::vector<Transition>> dispatch_transitions(Session& session, Instant now, std::size_t limit) {
  std::int64_t last_seq = 0;
  if (!session.query_row(lock_seq_sql, {}, {&last_seq}))
    return std::unexpected(DbError{DbError::Kind::bug, "", "table counters has no row transition_seq"});

  std::vector<Transition> transitions;
  Transition row;
  session.query(number_sql, {{"last_seq", last_seq}, {"limit", limit}, {"now", now}},
                {&row.id, &row.seq, &row.subject, &row.order_number, &row.parcel_group, &row.carrier, &row.remito,
                 &row.from, &row.to, &row.reason, &row.text, &row.attempt, &row.occurred_at, &row.detected_at,
                 &row.inferred, &row.late, &row.correction, &row.backfill},
                [&] { transitions.push_back(row); });
  if (transitions.empty()) return transitions;

  std::ranges::sort(transitions, {}, &Transition::seq);
  session.execute(keep_seq_sql, {{"last_seq", transitions.back().seq}});
  return transitions;
}

}  // namespace remitod::db
