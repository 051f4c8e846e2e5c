// What goes by age, a few rows at a time. Nothing of a shipment that is open, nothing that a sink has still to receive.
#include <array>
#include <limits>

#include "db/erasure.h"
#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

/// The statement's parameters beside :before and :limit are those that it names.
std::size_t removed(Session& session, const Sql& sql, Instant before, std::size_t limit) {
  return static_cast<std::size_t>(session.execute(sql, {{"before", before}, {"limit", limit}}));
}

// ---------------------------------------------------------------- payloads

#define SETTLED "state in ('granted', 'refused', 'cancelled')"

constexpr Sql payloads_sql{
    R"(update remito_requests set payload = '{}', refusal_text = '', erased_at = :now
       where id in (select id from remito_requests where settled_at < :before and erased_at is null and )" SETTLED
    R"( order by settled_at limit :limit))",
    R"(update remito_requests set payload = '{}', refusal_text = '', erased_at = :now::bigint
       where id in (select id from remito_requests
                    where settled_at < :before::bigint and erased_at is null and )" SETTLED
    R"( order by settled_at limit :limit::bigint))"};

DbResult<std::size_t> erase_payloads(Session& session, const RetentionLimits& limits, Instant now, std::size_t limit) {
  return static_cast<std::size_t>(
      session.execute(payloads_sql, {{"now", now}, {"before", limits.payloads}, {"limit", limit}}));
}

// ---------------------------------------------------------------- raw answers, resyncs

constexpr Sql raw_answers_sql{
    "delete from raw_answers where id in "
    "(select id from raw_answers where received_at < :before order by received_at limit :limit)",
    "delete from raw_answers where id in "
    "(select id from raw_answers where received_at < :before::bigint order by received_at limit :limit::bigint)"};

DbResult<std::size_t> remove_raw_answers(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return removed(session, raw_answers_sql, limits.raw_answers, limit);
}

constexpr Sql resyncs_sql{
    "delete from resync_requests where id in "
    "(select id from resync_requests where finished_at < :before order by id limit :limit)",
    "delete from resync_requests where id in "
    "(select id from resync_requests where finished_at < :before::bigint order by id limit :limit::bigint)"};

DbResult<std::size_t> remove_resyncs(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return removed(session, resyncs_sql, limits.resyncs, limit);
}

// ---------------------------------------------------------------- events

// By shipments, so that one whose events are gone is not looked at again.
constexpr Sql old_shipments_sql{
    "update shipments set events_removed_at = :now where id in (select id from shipments "
    "where ended_at < :before and events_removed_at is null order by ended_at limit :limit) returning id",
    "update shipments set events_removed_at = :now::bigint where id in (select id from shipments "
    "where ended_at < :before::bigint and events_removed_at is null order by ended_at limit :limit::bigint) "
    "returning id"};
constexpr Sql events_sql{"delete from tracking_events where shipment_id in (select value from json_each(:ids))",
                         "delete from tracking_events "
                         "where shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};

DbResult<std::size_t> remove_events(Session& session, const RetentionLimits& limits, Instant now, std::size_t limit) {
  std::vector<std::int64_t> ids;
  std::int64_t id = 0;
  session.query(old_shipments_sql, {{"now", now}, {"before", limits.tracking_events}, {"limit", limit}}, {&id},
                [&] { ids.push_back(id); });
  if (!ids.empty()) session.execute(events_sql, {{"ids", ids_parameter(ids)}});
  return ids.size();
}

// ---------------------------------------------------------------- transitions and their letters

constexpr Sql letters_sql{
    R"(delete from sink_letters where (sink, seq) in (
         select sink, seq from sink_letters
         where (state = 'dead' or sink not in (select value from json_each(:sinks)))
           and coalesce(failed_at, next_try_at) < :before limit :limit))",
    R"(delete from sink_letters where (sink, seq) in (
         select sink, seq from sink_letters
         where (state = 'dead' or sink not in (select value from jsonb_array_elements_text(:sinks::jsonb)))
           and coalesce(failed_at, next_try_at) < :before::bigint limit :limit::bigint))"};

DbResult<std::size_t> remove_letters(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return static_cast<std::size_t>(session.execute(
      letters_sql, {{"sinks", texts_parameter(limits.sinks)}, {"before", limits.sink_letters}, {"limit", limit}}));
}

constexpr Sql received_by_all_sql{
    "select min(cursor_seq) from sinks where name in (select value from json_each(:sinks))",
    "select min(cursor_seq) from sinks where name in (select value from jsonb_array_elements_text(:sinks::jsonb))"};
constexpr Sql transitions_sql{
    R"(delete from transitions where id in (
         select t.id from transitions t left join shipments s on s.id = t.shipment_id
         where t.created_at < :before and (t.shadow = 1 or t.seq <= :received)
           and (t.shipment_id is null or s.ended_at < :before)
           and not exists (select 1 from sink_letters l where l.seq = t.seq)
         order by t.created_at limit :limit))",
    R"(delete from transitions where id in (
         select t.id from transitions t left join shipments s on s.id = t.shipment_id
         where t.created_at < :before::bigint and (t.shadow or t.seq <= :received::bigint)
           and (t.shipment_id is null or s.ended_at < :before::bigint)
           and not exists (select 1 from sink_letters l where l.seq = t.seq)
         order by t.created_at limit :limit::bigint))"};

DbResult<std::size_t> remove_transitions(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  std::optional<std::int64_t> received;
  session.query_row(received_by_all_sql, {{"sinks", texts_parameter(limits.sinks)}}, {&received});
  return static_cast<std::size_t>(
      session.execute(transitions_sql, {{"before", limits.transitions},
                                        {"received", received.value_or(std::numeric_limits<std::int64_t>::max())},
                                        {"limit", limit}}));
}

// ---------------------------------------------------------------- requests

// Those of which no transition is left, and whose shipment has ended: its row stays, since it counts how often the
// carrier has used the number.
constexpr Sql old_requests_sql{
    R"(select r.id from remito_requests r left join shipments s on s.id = r.shipment_id
       where r.settled_at < :before and r.)" SETTLED R"( and (r.shipment_id is null or s.ended_at is not null)
         and not exists (select 1 from transitions t where t.request_id = r.id)
         and not exists (select 1 from cancel_requests c where c.request_id = r.id and c.settled_at is null)
       order by r.settled_at limit :limit)",
    R"(select r.id from remito_requests r left join shipments s on s.id = r.shipment_id
       where r.settled_at < :before::bigint and r.)" SETTLED R"( and (r.shipment_id is null or s.ended_at is not null)
         and not exists (select 1 from transitions t where t.request_id = r.id)
         and not exists (select 1 from cancel_requests c where c.request_id = r.id and c.settled_at is null)
       order by r.settled_at limit :limit::bigint)"};
#undef SETTLED
constexpr Sql cancels_sql{"delete from cancel_requests where request_id in (select value from json_each(:ids))",
                          "delete from cancel_requests "
                          "where request_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};
// Of nothing: they were refused.
constexpr Sql stray_cancels_sql{
    "delete from cancel_requests where id in (select id from cancel_requests "
    "where request_id is null and settled_at < :before order by id limit :limit)",
    "delete from cancel_requests where id in (select id from cancel_requests "
    "where request_id is null and settled_at < :before::bigint order by id limit :limit::bigint)"};
constexpr Sql leave_shipments_sql{
    "update shipments set request_id = null where request_id in (select value from json_each(:ids))",
    "update shipments set request_id = null "
    "where request_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};
constexpr Sql requests_sql{"delete from remito_requests where id in (select value from json_each(:ids))",
                           "delete from remito_requests "
                           "where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};

DbResult<std::size_t> remove_requests(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  std::vector<std::int64_t> ids;
  std::int64_t id = 0;
  session.query(old_requests_sql, {{"before", limits.requests}, {"limit", limit}}, {&id}, [&] { ids.push_back(id); });
  if (ids.empty()) return removed(session, stray_cancels_sql, limits.requests, limit);
  const std::string parameter = ids_parameter(ids);
  session.execute(cancels_sql, {{"ids", parameter}});
  session.execute(leave_shipments_sql, {{"ids", parameter}});
  session.execute(requests_sql, {{"ids", parameter}});
  return ids.size();
}

}  // namespace

std::span<const RetentionStep> retention_steps() {
  static const std::array<RetentionStep, 7> steps{{{"payloads", erase_payloads},
                                                   {"raw_answers", remove_raw_answers},
                                                   {"sink_letters", remove_letters},
                                                   {"transitions", remove_transitions},
                                                   {"tracking_events", remove_events},
                                                   {"requests", remove_requests},
                                                   {"resyncs", remove_resyncs}}};
  return steps;
}

}  // namespace remitod::db
