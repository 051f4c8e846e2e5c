// Whoever holds a sink's lease writes with its fencing token; a row of another token is left alone, so that a program
// that slept through its lease changes nothing.
#include "db/sinks.h"

#include <nlohmann/json.hpp>

#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql begin_sql{
    R"(insert into sinks (name, cursor_seq) select :sink, value from counters where name = 'transition_seq'
       on conflict (name) do nothing)",
    R"(insert into sinks (name, cursor_seq) select :sink::text, value from counters where name = 'transition_seq'
       on conflict (name) do nothing)"};

constexpr Sql claim_sql{
    R"(update sinks set owner = :owner, fencing_token = fencing_token + 1, lease_expires_at = :until
       where name = :sink and (owner = :owner or lease_expires_at is null or lease_expires_at <= :now)
       returning fencing_token, cursor_seq, revision, disabled_at, disabled_why)",
    R"(update sinks set owner = :owner::text, fencing_token = fencing_token + 1, lease_expires_at = :until::bigint
       where name = :sink and (owner = :owner::text or lease_expires_at is null or lease_expires_at <= :now::bigint)
       returning fencing_token, cursor_seq, revision, disabled_at, disabled_why)"};

constexpr Sql release_sql{"update sinks set lease_expires_at = null where name = :sink and fencing_token = :token",
                          "update sinks set lease_expires_at = null "
                          "where name = :sink and fencing_token = :token::bigint"};

#define TOLD_COLUMNS                                                                                      \
  "t.id, t.seq, t.subject, t.order_number, t.parcel_group, t.carrier, t.remito, t.cycle, t.from_status, " \
  "t.to_status, t.reason, t.attempt, t.code, t.text, t.place, t.occurred_at, t.zone_source, "             \
  "cast(t.date_only as integer), t.detected_at, cast(t.inferred as integer), cast(t.late as integer), "   \
  "cast(t.correction as integer), cast(t.backfill as integer)"

constexpr Sql waiting_sql{"select " TOLD_COLUMNS
                          ", l.attempts, l.next_try_at "
                          "from sink_letters l join transitions t on t.seq = l.seq "
                          "where l.sink = :sink and l.state = 'waiting' order by l.seq"};

constexpr Sql after_sql{"select " TOLD_COLUMNS
                        ", coalesce(l.attempts, 0), l.next_try_at "
                        "from transitions t left join sink_letters l on l.sink = :sink and l.seq = t.seq "
                        "where t.seq > :after order by t.seq limit :limit",
                        "select " TOLD_COLUMNS
                        ", coalesce(l.attempts, 0), l.next_try_at "
                        "from transitions t left join sink_letters l on l.sink = :sink and l.seq = t.seq "
                        "where t.seq > :after::bigint order by t.seq limit :limit::bigint"};
#undef TOLD_COLUMNS

constexpr Sql save_sql{
    R"(update sinks set cursor_seq = max(cursor_seq, :cursor), lease_expires_at = :until,
                        disabled_at = case when :disabling then :now else disabled_at end,
                        disabled_why = case when :disabling then :why else disabled_why end
       where name = :sink and fencing_token = :token
       returning fencing_token, cursor_seq, revision, disabled_at, disabled_why)",
    R"(update sinks set cursor_seq = greatest(cursor_seq, :cursor::bigint), lease_expires_at = :until::bigint,
                        disabled_at = case when :disabling::bigint <> 0 then :now::bigint else disabled_at end,
                        disabled_why = case when :disabling::bigint <> 0 then :why::text else disabled_why end
       where name = :sink and fencing_token = :token::bigint
       returning fencing_token, cursor_seq, revision, disabled_at, disabled_why)"};

constexpr Sql delivered_sql{
    "delete from sink_letters where sink = :sink and seq in (select value from json_each(:seqs))",
    "delete from sink_letters "
    "where sink = :sink and seq in (select value::bigint from jsonb_array_elements_text(:seqs::jsonb))"};

constexpr Sql failed_sql{
    R"(insert into sink_letters (sink, seq, state, attempts, next_try_at, failed_at, error)
       select :sink, value ->> 'seq', value ->> 'state', value ->> 'attempts', value ->> 'next_try_at',
              value ->> 'failed_at', value ->> 'error'
       from json_each(:letters) where true
       on conflict (sink, seq) do update set state = excluded.state, attempts = excluded.attempts,
         next_try_at = excluded.next_try_at, failed_at = excluded.failed_at, error = excluded.error)",
    R"(insert into sink_letters (sink, seq, state, attempts, next_try_at, failed_at, error)
       select :sink::text, l.seq, l.state, l.attempts, l.next_try_at, l.failed_at, l.error
       from jsonb_to_recordset(:letters::jsonb)
         as l (seq bigint, state text, attempts integer, next_try_at bigint, failed_at bigint, error text)
       on conflict (sink, seq) do update set state = excluded.state, attempts = excluded.attempts,
         next_try_at = excluded.next_try_at, failed_at = excluded.failed_at, error = excluded.error)"};

constexpr Sql forget_dead_sql{
    R"(delete from sink_letters where sink = :sink and state = 'dead' and seq <=
         (select seq from sink_letters where sink = :sink and state = 'dead' order by seq desc limit 1 offset :kept))",
    R"(delete from sink_letters where sink = :sink and state = 'dead' and seq <=
         (select seq from sink_letters where sink = :sink and state = 'dead'
          order by seq desc limit 1 offset :kept::bigint))"};

// What the receiver does not have waits with a row, or is the first behind the cursor: it may be slow without failing.
constexpr Sql views_sql{
    R"(select s.name, s.cursor_seq, s.disabled_at, s.disabled_why,
              (select count(*) from sink_letters l where l.sink = s.name and l.state = 'waiting'),
              (select count(*) from sink_letters l where l.sink = s.name and l.state = 'dead'),
              (select min(t.dispatched_at) from transitions t where t.seq in (
                 (select min(l.seq) from sink_letters l where l.sink = s.name and l.state = 'waiting'),
                 (select min(n.seq) from transitions n where n.seq > s.cursor_seq)))
       from sinks s order by s.name)"};

std::vector<SinkLetter> read_letters(Session& session, const Sql& sql, std::initializer_list<Parameter> parameters) {
  std::vector<SinkLetter> letters;
  SinkLetter letter;
  ToldTransition& t = letter.transition;
  session.query(sql, parameters, {&t.id,          &t.seq,         &t.subject,   &t.order_number,  &t.parcel_group,
                                  &t.carrier,     &t.remito,      &t.cycle,     &t.from,          &t.to,
                                  &t.reason,      &t.attempt,     &t.code,      &t.text,          &t.place,
                                  &t.occurred_at, &t.zone_source, &t.date_only, &t.detected_at,   &t.inferred,
                                  &t.late,        &t.correction,  &t.backfill,  &letter.attempts, &letter.next_try_at},
                [&] { letters.push_back(letter); });
  return letters;
}

std::string letters_parameter(std::span<const SinkChanges::Failed> failed) {
  json rows = json::array();
  for (const SinkChanges::Failed& one : failed)
    rows.push_back({{"seq", one.seq},
                    {"state", one.dead ? "dead" : "waiting"},
                    {"attempts", one.attempts},
                    {"next_try_at", to_micros(one.next_try_at)},
                    {"failed_at", one.failed_at ? json(to_micros(*one.failed_at)) : json(nullptr)},
                    {"error", storable(one.error)}});
  return to_parameter(rows);
}

}  // namespace

DbResult<std::size_t> begin_sinks(Session& session, std::span<const std::string> sinks) {
  std::size_t begun = 0;
  for (const std::string& sink : sinks) begun += session.execute(begin_sql, {{"sink", sink}});
  return begun;
}

DbResult<std::optional<SinkLease>> claim_sink(Session& session, std::string_view sink, std::string_view owner,
                                              Instant now, Instant lease_expires_at) {
  session.execute(begin_sql, {{"sink", sink}});
  SinkLease lease;
  if (!session.query_row(
          claim_sql, {{"sink", sink}, {"owner", owner}, {"now", now}, {"until", lease_expires_at}},
          {&lease.fencing_token, &lease.cursor_seq, &lease.revision, &lease.disabled_at, &lease.disabled_why}))
    return std::nullopt;
  return lease;
}

DbResult<void> release_sink(Session& session, std::string_view sink, std::int64_t fencing_token) {
  session.execute(release_sql, {{"sink", sink}, {"token", fencing_token}});
  return {};
}

DbResult<std::vector<SinkLetter>> load_waiting_letters(Session& session, std::string_view sink) {
  return read_letters(session, waiting_sql, {{"sink", sink}});
}

DbResult<std::vector<SinkLetter>> load_letters_after(Session& session, std::string_view sink, std::int64_t after_seq,
                                                     std::size_t limit) {
  return read_letters(session, after_sql, {{"sink", sink}, {"after", after_seq}, {"limit", limit}});
}

DbResult<std::optional<SavedSink>> save_sink(Session& session, std::string_view sink, std::int64_t fencing_token,
                                             const SinkChanges& changes, Instant now, Instant lease_expires_at) {
  SavedSink saved;
  SinkLease& lease = saved.lease;
  const std::string why = storable(changes.disabled_why.value_or(""));
  if (!session.query_row(
          save_sql,
          {{"sink", sink},
           {"token", fencing_token},
           {"cursor", changes.cursor_seq},
           {"until", lease_expires_at},
           {"disabling", changes.disabled_why.has_value()},
           {"why", why},
           {"now", now}},
          {&lease.fencing_token, &lease.cursor_seq, &lease.revision, &lease.disabled_at, &lease.disabled_why}))
    return std::nullopt;
  if (!changes.delivered.empty())
    session.execute(delivered_sql, {{"sink", sink}, {"seqs", ids_parameter(changes.delivered)}});
  if (!changes.failed.empty()) {
    session.execute(failed_sql, {{"sink", sink}, {"letters", letters_parameter(changes.failed)}});
    saved.dead_forgotten = session.execute(forget_dead_sql, {{"sink", sink}, {"kept", dead_letters_max}});
  }
  return saved;
}

DbResult<std::vector<SinkView>> view_sinks(Session& session) {
  std::vector<SinkView> views;
  SinkView row;
  session.query(views_sql, {},
                {&row.sink, &row.cursor_seq, &row.disabled_at, &row.disabled_why, &row.waiting, &row.dead,
                 &row.oldest_waiting_since},
                [&] { views.push_back(row); });
  return views;
}

}  // namespace remitod::db
