// Shipments as people look at them: everything that is known, oldest first.
#include <map>

#include "db/json_rows.h"
#include "db/known_shipments.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql view_shipment_sql{R"(
    select id, carrier, remito, coalesce(registered_at, accepted_at, 0), cycle, order_number, parcel_group, status,
           reason, attempts_failed, cast(baseline as integer), ended_at
    from shipments where carrier = :carrier and remito = :remito order by ended_at is null desc, cycle desc limit 1)"};
constexpr Sql view_order_sql{R"(
    select id, carrier, remito, coalesce(registered_at, accepted_at, 0), cycle, order_number, parcel_group, status,
           reason, attempts_failed, cast(baseline as integer), ended_at
    from shipments where order_number = :order_number order by id)"};

// Those of the request that it came from, too. Two selects, since each kind of subject has an index of its own.
constexpr Sql view_transitions_sql{R"(
    select s.id, t.id, coalesce(t.seq, 0), t.subject, t.order_number, t.parcel_group, t.carrier, t.remito,
           t.from_status, t.to_status, t.reason, t.text, t.attempt, t.occurred_at, t.detected_at, t.inferred, t.late,
           t.correction, t.backfill, t.shadow
    from shipments s join transitions t on t.subject = 'shipment' and t.shipment_id = s.id
    where s.id in (select value from json_each(:ids))
    union all
    select s.id, t.id, coalesce(t.seq, 0), t.subject, t.order_number, t.parcel_group, t.carrier, t.remito,
           t.from_status, t.to_status, t.reason, t.text, t.attempt, t.occurred_at, t.detected_at, t.inferred, t.late,
           t.correction, t.backfill, t.shadow
    from shipments s join transitions t on t.subject = 'request' and t.request_id = s.request_id
    where s.id in (select value from json_each(:ids))
    order by 2)",
                                   R"(
    select s.id, t.id, coalesce(t.seq, 0), t.subject, t.order_number, t.parcel_group, t.carrier, t.remito,
           t.from_status, t.to_status, t.reason, t.text, t.attempt, t.occurred_at, t.detected_at,
           cast(t.inferred as integer), cast(t.late as integer), cast(t.correction as integer),
           cast(t.backfill as integer), cast(t.shadow as integer)
    from shipments s join transitions t on t.subject = 'shipment' and t.shipment_id = s.id
    where s.id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))
    union all
    select s.id, t.id, coalesce(t.seq, 0), t.subject, t.order_number, t.parcel_group, t.carrier, t.remito,
           t.from_status, t.to_status, t.reason, t.text, t.attempt, t.occurred_at, t.detected_at,
           cast(t.inferred as integer), cast(t.late as integer), cast(t.correction as integer),
           cast(t.backfill as integer), cast(t.shadow as integer)
    from shipments s join transitions t on t.subject = 'request' and t.request_id = s.request_id
    where s.id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))
    order by 2)"};

std::vector<ShipmentView> load_shipments(Session& session, const ResyncTarget& target) {
  std::vector<ShipmentView> views;
  ShipmentView row;
  const auto keep = [&] { views.push_back(row); };
  const std::initializer_list<Column> columns{&row.shipment.shipment_id,
                                              &row.shipment.carrier,
                                              &row.shipment.remito,
                                              &row.shipment.registered_at,
                                              &row.cycle,
                                              &row.order_number,
                                              &row.parcel_group,
                                              &row.status,
                                              &row.reason,
                                              &row.attempts_failed,
                                              &row.baseline,
                                              &row.ended_at};
  if (target.kind == ResyncTarget::Kind::shipment)
    session.query(view_shipment_sql, {{"carrier", target.carrier}, {"remito", target.value}}, columns, keep);
  else if (target.kind == ResyncTarget::Kind::order)
    session.query(view_order_sql, {{"order_number", target.value}}, columns, keep);
  return views;
}

void add_transitions(Session& session, const std::string& ids, const std::map<std::int64_t, ShipmentView*>& by_id) {
  std::int64_t shipment_id = 0;
  Transition row;
  session.query(view_transitions_sql, {{"ids", ids}},
                {&shipment_id,      &row.id,      &row.seq,        &row.subject,     &row.order_number,
                 &row.parcel_group, &row.carrier, &row.remito,     &row.from,        &row.to,
                 &row.reason,       &row.text,    &row.attempt,    &row.occurred_at, &row.detected_at,
                 &row.inferred,     &row.late,    &row.correction, &row.backfill,    &row.shadow},
                [&] { by_id.at(shipment_id)->transitions.push_back(row); });
}

}  // namespace

DbResult<std::vector<ShipmentView>> view_shipments(Session& session, const ResyncTarget& target) {
  std::vector<ShipmentView> views = load_shipments(session, target);
  if (views.empty()) return views;
  std::vector<std::int64_t> ids;
  std::map<std::int64_t, ShipmentView*> by_id;
  for (ShipmentView& view : views) {
    ids.push_back(view.shipment.shipment_id);
    by_id[view.shipment.shipment_id] = &view;
  }
  const std::string wanted = ids_parameter(ids);
  load_events(session, wanted, [&](std::int64_t shipment_id, KnownEvent event) {
    by_id.at(shipment_id)->events.push_back(std::move(event));
  });
  add_transitions(session, wanted, by_id);
  return views;
}

}  // namespace remitod::db
