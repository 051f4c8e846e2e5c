#include "db/trace_store.h"

#include "db/session.h"

namespace remitod::db {
namespace {

constexpr Sql load_sql{R"(
    select t.id, t.shipment_id, s.carrier, s.accepted_at, t.detected_at, t.to_status,
           not exists (select 1 from transitions later where later.shipment_id = t.shipment_id
                         and later.subject = 'shipment' and later.id > t.id)
    from transitions t join shipments s on s.id = t.shipment_id
    where t.id > :after_id and t.subject = 'shipment' and t.inferred = 0 and s.accepted_at >= :since
      and (:carrier = '' or s.carrier = :carrier)
    order by t.id limit :limit)",
                       R"(
    select t.id, t.shipment_id, s.carrier, s.accepted_at, t.detected_at, t.to_status,
           cast(not exists (select 1 from transitions later where later.shipment_id = t.shipment_id
                              and later.subject = 'shipment' and later.id > t.id) as integer)
    from transitions t join shipments s on s.id = t.shipment_id
    where t.id > :after_id::bigint and t.subject = 'shipment' and not t.inferred and s.accepted_at >= :since::bigint
      and (:carrier::text = '' or s.carrier = :carrier::text)
    order by t.id limit :limit::bigint)"};

}  // namespace

DbResult<std::vector<PublishedStatus>> load_published_statuses(Session& session, std::string_view carrier,
                                                               Instant since, std::int64_t after_id,
                                                               std::size_t limit) {
  std::vector<PublishedStatus> rows;
  PublishedStatus row;
  session.query(load_sql, {{"after_id", after_id}, {"since", since}, {"carrier", carrier}, {"limit", limit}},
                {&row.id, &row.shipment_id, &row.carrier, &row.created, &row.published, &row.status, &row.last},
                [&] { rows.push_back(row); });
  return rows;
}

}  // namespace remitod::db
