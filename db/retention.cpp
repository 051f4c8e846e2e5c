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
    R"(update remito_requests set payload = '{}', refusal_text = '', erased_at = :now,
         operator_action = case when operator_action like 'refused: %' then 'refused' else operator_action end
       where id in (select id from remito_requests where settled_at < :before and erased_at is null and )" SETTLED
    R"( order by settled_at limit :limit))",
    R"(update remito_requests set payload = '{}', refusal_text = '', erased_at = :now::bigint,
         operator_action = case when operator_action like 'refused: %' then 'refused' else operator_action end
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
  if (!ids.empty()) {
    const std::string parameter = ids_parameter(ids);
    session.execute(cancels_sql, {{"ids", parameter}});
    session.execute(leave_shipments_sql, {{"ids", parameter}});
    session.execute(requests_sql, {{"ids", parameter}});
  }
  if (ids.size() == limit) return limit;
  // Fewer than `limit` end the round, so the rest of it is theirs.
  return ids.size() + removed(session, stray_cancels_sql, limits.requests, limit - ids.size());
}

// ---------------------------------------------------------------- shipments

// Once nothing refers to it any more. The latest of a number stays until it is old itself, so that the cycles go on
// being counted as long as a carrier uses its numbers again within that age.
constexpr Sql shipments_sql{
    R"(delete from shipments where id in (
         select s.id from shipments s
         where s.ended_at < :before and s.events_removed_at is not null
           and not exists (select 1 from transitions t where t.shipment_id = s.id)
           and not exists (select 1 from remito_requests r where r.shipment_id = s.id)
           and not exists (select 1 from cancel_requests c where c.shipment_id = s.id)
         order by s.ended_at limit :limit))",
    R"(delete from shipments where id in (
         select s.id from shipments s
         where s.ended_at < :before::bigint and s.events_removed_at is not null
           and not exists (select 1 from transitions t where t.shipment_id = s.id)
           and not exists (select 1 from remito_requests r where r.shipment_id = s.id)
           and not exists (select 1 from cancel_requests c where c.shipment_id = s.id)
         order by s.ended_at limit :limit::bigint))"};

DbResult<std::size_t> remove_shipments(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return removed(session, shipments_sql, limits.shipments, limit);
}

// ---------------------------------------------------------------- comparisons, erasures, codes

// As long as a shipment is followed, --compare-shadow has something to compare.
constexpr Sql legacy_statuses_sql{
    R"(delete from legacy_statuses where id in (
         select l.id from legacy_statuses l
         where l.noted_at < :before
           and not exists (select 1 from shipments s
                           where s.carrier = l.carrier and s.remito = l.remito and s.ended_at is null)
         order by l.noted_at limit :limit))",
    R"(delete from legacy_statuses where id in (
         select l.id from legacy_statuses l
         where l.noted_at < :before::bigint
           and not exists (select 1 from shipments s
                           where s.carrier = l.carrier and s.remito = l.remito and s.ended_at is null)
         order by l.noted_at limit :limit::bigint))"};

DbResult<std::size_t> remove_legacy(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return removed(session, legacy_statuses_sql, limits.legacy_statuses, limit);
}

constexpr Sql erasures_sql{
    "delete from erasures where order_number in "
    "(select order_number from erasures where erased_at < :before order by erased_at limit :limit)",
    "delete from erasures where order_number in "
    "(select order_number from erasures where erased_at < :before::bigint order by erased_at limit :limit::bigint)"};

DbResult<std::size_t> remove_erasures(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return removed(session, erasures_sql, limits.erasures, limit);
}

constexpr Sql unmapped_codes_sql{
    "delete from unmapped_codes where (carrier, code) in "
    "(select carrier, code from unmapped_codes where last_seen_at < :before order by last_seen_at limit :limit)",
    "delete from unmapped_codes where (carrier, code) in (select carrier, code from unmapped_codes "
    "where last_seen_at < :before::bigint order by last_seen_at limit :limit::bigint)"};

DbResult<std::size_t> remove_codes(Session& session, const RetentionLimits& limits, Instant, std::size_t limit) {
  return removed(session, unmapped_codes_sql, limits.unmapped_codes, limit);
}

// ---------------------------------------------------------------- what came of it

auto counting(const Sql& sql) {
  return [&sql](Session& session) -> DbResult<std::int64_t> {
    std::int64_t rows = 0;
    session.query_row(sql, {}, {&rows});
    return rows;
  };
}
constexpr Sql count_payloads{"select count(*) from remito_requests where settled_at is not null and erased_at is null"};
constexpr Sql count_raw_answers{"select count(*) from raw_answers"};
constexpr Sql count_letters{"select count(*) from sink_letters"};
constexpr Sql count_transitions{"select count(*) from transitions"};
// As they are taken: by shipments that have ended.
constexpr Sql count_events{"select count(*) from shipments where ended_at is not null and events_removed_at is null"};
constexpr Sql count_requests{"select count(*) from remito_requests where settled_at is not null"};
constexpr Sql count_shipments{"select count(*) from shipments"};
constexpr Sql count_legacy{"select count(*) from legacy_statuses"};
constexpr Sql count_erasures{"select count(*) from erasures"};
constexpr Sql count_codes{"select count(*) from unmapped_codes"};
constexpr Sql count_resyncs{"select count(*) from resync_requests"};

constexpr Sql results_sql{"select kind, removed, removed_ever, kept, done_at from retention_results order by kind"};
constexpr Sql note_removed_sql{
    R"(insert into retention_results (kind, removed, removed_ever, kept) values (:kind, :removed, :removed, 0)
       on conflict (kind) do update
       set removed = excluded.removed + case when :begins <> 0 then 0 else retention_results.removed end,
           removed_ever = retention_results.removed_ever + excluded.removed)",
    R"(insert into retention_results (kind, removed, removed_ever, kept)
       values (:kind::text, :removed::bigint, :removed::bigint, 0)
       on conflict (kind) do update
       set removed = excluded.removed + case when :begins::bigint <> 0 then 0 else retention_results.removed end,
           removed_ever = retention_results.removed_ever + excluded.removed)"};
constexpr Sql note_done_sql{
    "update retention_results set kept = :kept, done_at = :now where kind = :kind",
    "update retention_results set kept = :kept::bigint, done_at = :now::bigint where kind = :kind::text"};

}  // namespace

std::span<const RetentionStep> retention_steps() {
  static const std::array<RetentionStep, 11> steps{{{"payloads", erase_payloads, counting(count_payloads)},
                                                    {"raw_answers", remove_raw_answers, counting(count_raw_answers)},
                                                    {"sink_letters", remove_letters, counting(count_letters)},
                                                    {"transitions", remove_transitions, counting(count_transitions)},
                                                    {"tracking_events", remove_events, counting(count_events)},
                                                    {"requests", remove_requests, counting(count_requests)},
                                                    {"shipments", remove_shipments, counting(count_shipments)},
                                                    {"legacy_statuses", remove_legacy, counting(count_legacy)},
                                                    {"erasures", remove_erasures, counting(count_erasures)},
                                                    {"unmapped_codes", remove_codes, counting(count_codes)},
                                                    {"resyncs", remove_resyncs, counting(count_resyncs)}}};
  return steps;
}

DbResult<std::vector<RetentionResult>> retention_results(Session& session) {
  std::vector<RetentionResult> results;
  RetentionResult row;
  session.query(results_sql, {}, {&row.kind, &row.removed, &row.removed_ever, &row.kept, &row.done_at},
                [&] { results.push_back(row); });
  return results;
}

DbResult<void> note_removed(Session& session, std::string_view kind, std::size_t removed, bool begins) {
  session.execute(note_removed_sql, {{"kind", kind}, {"removed", removed}, {"begins", begins ? 1 : 0}});
  return {};
}

DbResult<void> note_done(Session& session, const RetentionStep& step, Instant now) {
  const auto kept = step.count(session);
  if (!kept) return std::unexpected(kept.error());
  session.execute(note_done_sql, {{"kept", *kept}, {"now", now}, {"kind", step.name}});
  return {};
}

}  // namespace remitod::db
