// Which shipments are followed: taken in, handed to the lanes, ended.
#include <limits>

#include "db/json_rows.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql open_shipments_sql{
    "select id, carrier, remito, coalesce(registered_at, accepted_at), status, coalesce(detected_at, accepted_at) "
    "from shipments "
    "where ended_at is null and accepted_at is not null"};

// Two new rows cannot have the same remito (shipments_open_remito), so the cycles do not depend on each other.
constexpr Sql accept_sql{R"(
    update shipments
    set accepted_at = :now,
        cycle = 1 + coalesce((select max(earlier.cycle) from shipments earlier
                              where earlier.carrier = shipments.carrier and earlier.remito = shipments.remito
                                and earlier.id <> shipments.id), 0)
    where id in (select id from shipments where accepted_at is null order by id limit :limit)
    returning id, carrier, remito, coalesce(registered_at, accepted_at))",
                         R"(
    update shipments
    set accepted_at = :now::bigint,
        cycle = 1 + coalesce((select max(earlier.cycle) from shipments earlier
                              where earlier.carrier = shipments.carrier and earlier.remito = shipments.remito
                                and earlier.id <> shipments.id), 0)
    where id in (select id from shipments where accepted_at is null order by id limit :limit::bigint)
    returning id, carrier, remito, coalesce(registered_at, accepted_at))"};

// A correction that is being written while we look takes a shipment back: PostgreSQL then judges the new row by the
// outer condition alone.
constexpr Sql end_terminal_sql{R"(
    update shipments set ended_at = :now
    where id in (select id from shipments
                 where carrier = :carrier and ended_at is null and terminal_at <= :terminal_before
                 order by terminal_at limit :limit)
    returning id)",
                               R"(
    update shipments set ended_at = :now::bigint
    where id in (select id from shipments
                 where carrier = :carrier::text and ended_at is null and terminal_at <= :terminal_before::bigint
                 order by terminal_at limit :limit::bigint)
      and ended_at is null and terminal_at <= :terminal_before::bigint
    returning id)"};

// From when we began to follow it: an import that is old already is given its time, too.
constexpr Sql overdue_sql{R"(
    select id from shipments
    where carrier = :carrier and ended_at is null and terminal_at is null and accepted_at <= :accepted_before
    order by accepted_at limit :limit)",
                          R"(
    select id from shipments
    where carrier = :carrier::text and ended_at is null and terminal_at is null
      and accepted_at <= :accepted_before::bigint
    order by accepted_at limit :limit::bigint for update)"};

constexpr Sql tell_expired_sql{R"(
    insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                             event_key, from_status, to_status, detected_at, shadow, created_at)
    select 'shipment', id, request_id, order_number, parcel_group, carrier, remito, cycle, 'expired', status, 'expired',
           :now, :shadow, :now
    from shipments where id in (select value from json_each(:ids)) order by id)",
                               R"(
    insert into transitions (subject, shipment_id, request_id, order_number, parcel_group, carrier, remito, cycle,
                             event_key, from_status, to_status, detected_at, shadow, created_at)
    select 'shipment', id, request_id, order_number, parcel_group, carrier, remito, cycle, 'expired', status, 'expired',
           :now::bigint, :shadow::bigint <> 0, :now::bigint
    from shipments where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)) order by id)"};

constexpr Sql expire_sql{R"(
    update shipments set status = 'expired', reason = '', status_at = null, detected_at = :now, terminal_at = :now,
                         ended_at = :now
    where id in (select value from json_each(:ids)))",
                         R"(
    update shipments set status = 'expired', reason = '', status_at = null, detected_at = :now::bigint,
                         terminal_at = :now::bigint, ended_at = :now::bigint
    where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};

constexpr Sql forget_sql{
    "update shipments set ended_at = :now where carrier = :carrier and remito = :remito and ended_at is null "
    "and accepted_at is not null returning id, order_number, status",
    "update shipments set ended_at = :now::bigint where carrier = :carrier and remito = :remito and ended_at is null "
    "and accepted_at is not null returning id, order_number, status"};

// One text per kind of target, so that each has its own plan: a single remito never costs a look at all of them.
constexpr Sql resync_all_sql{
    "select id, carrier from shipments where ended_at is null and accepted_at is not null "
    "and coalesce(detected_at, 0) < :since"};
constexpr Sql resync_carrier_sql{
    "select id, carrier from shipments where ended_at is null and accepted_at is not null "
    "and coalesce(detected_at, 0) < :since and carrier = :carrier"};
constexpr Sql resync_shipment_sql{
    "select id, carrier from shipments where ended_at is null and accepted_at is not null "
    "and coalesce(detected_at, 0) < :since and carrier = :carrier and remito = :remito"};
constexpr Sql resync_order_sql{
    "select id, carrier from shipments where ended_at is null and accepted_at is not null "
    "and coalesce(detected_at, 0) < :since and order_number = :order_number"};

std::vector<std::int64_t> end_terminal(Session& session, const ApplyRules& rules, Instant now, std::size_t limit) {
  std::vector<std::int64_t> ids;
  std::int64_t id = 0;
  session.query(end_terminal_sql,
                {{"now", now}, {"carrier", rules.carrier}, {"terminal_before", now - rules.tail}, {"limit", limit}},
                {&id}, [&] { ids.push_back(id); });
  return ids;
}

std::vector<std::int64_t> expire_overdue(Session& session, const ApplyRules& rules, Instant now, std::size_t limit) {
  std::vector<std::int64_t> ids;
  std::int64_t id = 0;
  session.query(overdue_sql,
                {{"carrier", rules.carrier}, {"accepted_before", now - rules.give_up_after}, {"limit", limit}}, {&id},
                [&] { ids.push_back(id); });
  if (ids.empty()) return ids;
  const std::string expired = ids_parameter(ids);
  session.execute(tell_expired_sql, {{"now", now}, {"ids", expired}, {"shadow", rules.shadow}});
  session.execute(expire_sql, {{"now", now}, {"ids", expired}});
  return ids;
}

}  // namespace

DbResult<std::size_t> load_open_shipments(Session& session, Instant /*now*/,
                                          const std::function<void(const OpenShipment&)>& each) {
  OpenShipment row;
  std::string status;
  return session.stream(open_shipments_sql,
                        {&row.shipment_id, &row.carrier, &row.remito, &row.registered_at, &status, &row.status_since},
                        [&] {
                          row.status = status_from(status).value_or(Status::unmapped);
                          each(row);
                        });
}

DbResult<std::vector<OpenShipment>> accept_new_shipments(Session& session, Instant now, std::size_t limit) {
  std::vector<OpenShipment> accepted;
  OpenShipment row;
  session.query(accept_sql, {{"now", now}, {"limit", limit}},
                {&row.shipment_id, &row.carrier, &row.remito, &row.registered_at}, [&] { accepted.push_back(row); });
  return accepted;
}

DbResult<std::vector<std::int64_t>> end_finished_shipments(Session& session, const ApplyRules& rules, Instant now,
                                                           std::size_t limit) {
  std::vector<std::int64_t> ids = end_terminal(session, rules, now, limit);
  if (ids.size() >= limit) return ids;
  const std::vector<std::int64_t> expired = expire_overdue(session, rules, now, limit - ids.size());
  ids.insert(ids.end(), expired.begin(), expired.end());
  return ids;
}

DbResult<std::optional<ForgottenShipment>> forget_shipment(Session& session, std::string_view carrier,
                                                           std::string_view remito, Instant now) {
  ForgottenShipment shipment;
  if (!session.query_row(forget_sql, {{"now", now}, {"carrier", carrier}, {"remito", remito}},
                         {&shipment.shipment_id, &shipment.order_number, &shipment.status}))
    return std::nullopt;
  return shipment;
}

DbResult<std::vector<ResyncScope>> find_resync_scope(Session& session, const ResyncTarget& target,
                                                     std::optional<Instant> since) {
  std::vector<ResyncScope> scope;
  ResyncScope row;
  const Parameter until{"since", since ? to_micros(*since) : std::numeric_limits<std::int64_t>::max()};
  const auto keep = [&] { scope.push_back(row); };
  switch (target.kind) {
    case ResyncTarget::Kind::all:
      session.query(resync_all_sql, {until}, {&row.shipment_id, &row.carrier}, keep);
      break;
    case ResyncTarget::Kind::carrier:
      session.query(resync_carrier_sql, {until, {"carrier", target.carrier}}, {&row.shipment_id, &row.carrier}, keep);
      break;
    case ResyncTarget::Kind::shipment:
      session.query(resync_shipment_sql, {until, {"carrier", target.carrier}, {"remito", target.value}},
                    {&row.shipment_id, &row.carrier}, keep);
      break;
    case ResyncTarget::Kind::order:
      session.query(resync_order_sql, {until, {"order_number", target.value}}, {&row.shipment_id, &row.carrier}, keep);
      break;
  }
  return scope;
}

DbResult<std::string> find_missing_target(Session& session, const ResyncTarget& target,
                                          std::span<const ResyncScope> scope) {
  const bool names_something = target.kind == ResyncTarget::Kind::shipment || target.kind == ResyncTarget::Kind::order;
  if (!names_something || !scope.empty()) return {};
  const auto open = find_resync_scope(session, target, std::nullopt);
  if (!open) return std::unexpected(open.error());
  if (!open->empty()) return {};
  return (target.kind == ResyncTarget::Kind::order ? "no open shipment of " : "no open shipment ") + target.to_string();
}

}  // namespace remitod::db
