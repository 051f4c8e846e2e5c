// Requests that a carrier has accepted and will grant or refuse later. Looking is repeatable, so nothing has to be
// committed before it; a claim only moves the next look behind its own end, and if it never ends, it is made again.
#include "db/claimed_requests.h"
#include "db/json_rows.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql claim_sql{
    R"(update remito_requests
       set fencing_token = fencing_token + 1, confirm_at = :lease_expires_at
       where id in (select id from remito_requests
                    where state = 'accepted' and confirm_at <= :now and carrier = :carrier
                    order by confirm_at, id limit :limit)
       returning id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)",
    R"(with due as (
         select id from remito_requests
         where state = 'accepted' and confirm_at <= :now::bigint and carrier = :carrier
         order by confirm_at, id limit :limit::bigint for update skip locked)
       update remito_requests r
       set fencing_token = fencing_token + 1, confirm_at = :lease_expires_at::bigint
       from due where r.id = due.id
       returning r.id, request_key, order_number, parcel_group, carrier, service, payload, client_ref, attempts,
                 fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
                 looks, numbers_refused, refusal_text)"};

constexpr Sql next_due_sql{
    "select min(confirm_at) from remito_requests "
    "where state = 'accepted' and carrier in (select value from json_each(:carriers))",
    "select min(confirm_at) from remito_requests "
    "where state = 'accepted' and carrier in (select value from jsonb_array_elements_text(:carriers::jsonb))"};

constexpr Sql give_up_sql{
    R"(update remito_requests
       set state = 'needs_operator', confirm_at = null, refusal_code = :code,
           refusal_text = 'the carrier accepted it, and nobody is left who can ask whether it was granted'
       where state = 'accepted' and confirm_until <= :now and carrier not in (select value from json_each(:askable)))",
    R"(update remito_requests
       set state = 'needs_operator', confirm_at = null, refusal_code = :code::text,
           refusal_text = 'the carrier accepted it, and nobody is left who can ask whether it was granted'
       where state = 'accepted' and confirm_until <= :now::bigint
         and carrier not in (select value from jsonb_array_elements_text(:askable::jsonb)))"};

}  // namespace

DbResult<std::vector<RemitoRequest>> claim_confirmations(Session& session, std::string_view carrier, Instant now,
                                                         Instant lease_expires_at, std::size_t limit) {
  return query_claimed(session, claim_sql,
                       {{"carrier", carrier}, {"now", now}, {"lease_expires_at", lease_expires_at}, {"limit", limit}});
}

DbResult<std::optional<Instant>> next_confirmation_due(Session& session, std::span<const std::string> carriers) {
  std::optional<Instant> due;
  session.query_row(next_due_sql, {{"carriers", texts_parameter(carriers)}}, {&due});
  return due;
}

DbResult<std::size_t> give_up_confirmations(Session& session, std::span<const std::string> askable, Instant now) {
  return static_cast<std::size_t>(session.execute(
      give_up_sql, {{"askable", texts_parameter(askable)}, {"code", refusal_not_confirmed}, {"now", now}}));
}

}  // namespace remitod::db
