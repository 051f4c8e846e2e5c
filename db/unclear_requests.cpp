#include "db/unclear_requests.h"

#include <algorithm>

#include "db/claimed_requests.h"
#include "db/json_rows.h"

namespace remitod::db {
namespace {

constexpr Sql next_due_sql{"select min(coalesce(retry_at, 0)) from remito_requests where state = 'unknown'"};

constexpr Sql claim_undecided_sql{
    R"(update remito_requests set fencing_token = fencing_token + 1
       where id in (select id from remito_requests
                    where state = 'unknown' and next_step = '' and carrier = :carrier order by id limit :limit)
       returning id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)",
    R"(with undecided as (
         select id from remito_requests where state = 'unknown' and next_step = '' and carrier = :carrier::text
         order by id limit :limit::bigint for update skip locked)
       update remito_requests r set fencing_token = fencing_token + 1
       from undecided where r.id = undecided.id
       returning r.id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)"};

constexpr Sql claim_finds_sql{
    R"(update remito_requests
       set fencing_token = fencing_token + 1, looks = looks + 1, retry_at = :lease_expires_at
       where id in (select id from remito_requests
                    where state = 'unknown' and next_step = 'find' and retry_at <= :now and carrier = :carrier
                    order by retry_at, id limit :limit)
       returning id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)",
    R"(with due as (
         select id from remito_requests
         where state = 'unknown' and next_step = 'find' and retry_at <= :now::bigint and carrier = :carrier::text
         order by retry_at, id limit :limit::bigint for update skip locked)
       update remito_requests r
       set fencing_token = fencing_token + 1, looks = looks + 1, retry_at = :lease_expires_at::bigint
       from due where r.id = due.id
       returning r.id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)"};

constexpr Sql claim_resends_sql{
    R"(update remito_requests
       set state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1, next_step = '',
           lease_expires_at = :lease_expires_at, retry_at = null
       where id in (select id from remito_requests
                    where state = 'unknown' and next_step = 'resend' and retry_at <= :now and carrier = :carrier
                    order by retry_at, id limit :limit)
       returning id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)",
    R"(with due as (
         select id from remito_requests
         where state = 'unknown' and next_step = 'resend' and retry_at <= :now::bigint and carrier = :carrier::text
         order by retry_at, id limit :limit::bigint for update skip locked)
       update remito_requests r
       set state = 'sending', attempts = attempts + 1, fencing_token = fencing_token + 1, next_step = '',
           lease_expires_at = :lease_expires_at::bigint, retry_at = null
       from due where r.id = due.id
       returning r.id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)"};

constexpr Sql give_up_sql{
    R"(update remito_requests
       set state = 'needs_operator', retry_at = null, next_step = '', fencing_token = fencing_token + 1,
           refusal_text = refusal_text || '; its carrier is no longer configured, and nobody can be asked'
       where state = 'unknown' and carrier not in (select value from json_each(:known)))",
    R"(update remito_requests
       set state = 'needs_operator', retry_at = null, next_step = '', fencing_token = fencing_token + 1,
           refusal_text = refusal_text || '; its carrier is no longer configured, and nobody can be asked'
       where state = 'unknown' and carrier not in (select value from jsonb_array_elements_text(:known::jsonb)))"};

}  // namespace

std::vector<RemitoRequest> query_claimed(Session& session, const Sql& sql,
                                         std::initializer_list<Parameter> parameters) {
  std::vector<RemitoRequest> claimed;
  RemitoRequest row;
  session.query(sql, parameters,
                {&row.request_id, &row.request_key, &row.order_number, &row.parcel_group, &row.carrier, &row.service,
                 &row.payload, &row.client_ref, &row.attempts, &row.fencing_token, &row.proposed_remito,
                 &row.confirm_until, &row.accepted_at, &row.first_sent_at, &row.unclear_at, &row.unclear_calls,
                 &row.looks, &row.numbers_refused, &row.seen},
                [&] { claimed.push_back(row); });
  std::ranges::sort(claimed, {}, &RemitoRequest::request_id);
  return claimed;
}

DbResult<std::optional<Instant>> next_unclear_due(Session& session) {
  std::optional<Instant> due;
  session.query_row(next_due_sql, {}, {&due});
  return due;
}

DbResult<std::vector<RemitoRequest>> claim_undecided(Session& session, std::string_view carrier, std::size_t limit) {
  return query_claimed(session, claim_undecided_sql, {{"carrier", carrier}, {"limit", limit}});
}

DbResult<std::vector<RemitoRequest>> claim_finds(Session& session, std::string_view carrier, Instant now,
                                                 Instant lease_expires_at, std::size_t limit) {
  return query_claimed(session, claim_finds_sql,
                       {{"carrier", carrier}, {"now", now}, {"lease_expires_at", lease_expires_at}, {"limit", limit}});
}

DbResult<std::vector<RemitoRequest>> claim_resends(Session& session, std::string_view carrier, Instant now,
                                                   Instant lease_expires_at, std::size_t limit) {
  return query_claimed(session, claim_resends_sql,
                       {{"carrier", carrier}, {"now", now}, {"lease_expires_at", lease_expires_at}, {"limit", limit}});
}

DbResult<std::size_t> give_up_unclear(Session& session, std::span<const std::string> known_carriers) {
  return static_cast<std::size_t>(session.execute(give_up_sql, {{"known", texts_parameter(known_carriers)}}));
}

}  // namespace remitod::db
