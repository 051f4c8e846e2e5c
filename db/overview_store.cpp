// What people ask of the whole: `remitod --status` and the page.
#include "db/request_views.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql open_shipments_sql{
    R"(select carrier, status, count(*) from shipments
       where ended_at is null and accepted_at is not null
       group by carrier, status order by carrier, status)"};

constexpr Sql requests_sql{
    R"(select carrier, state, count(*) from remito_requests group by carrier, state order by carrier, state)"};

#define TRANSITIONS(without_seq)                                                \
  "select (select count(*) from transitions where seq is null and " without_seq \
  "), (select value from counters where name = 'transition_seq'), "             \
  "(select min(requested_at) from remito_requests where state in ('pending', 'sending') and state = 'pending')"
constexpr Sql transitions_sql{TRANSITIONS("shadow = 0"), TRANSITIONS("not shadow")};
#undef TRANSITIONS

constexpr Sql unmapped_sql{
    R"(select carrier, code, text, seen, last_seen_at from unmapped_codes
       order by last_seen_at desc, carrier, code limit 100)"};

constexpr Sql requests_of_order_sql{
    R"(select id, request_key, order_number, carrier, state, remito, refusal_code, refusal_text, client_ref,
              operator_action, parcel_group, attempts, requested_at, settled_at
       from remito_requests where order_number = :order_number order by id)"};

constexpr Sql needs_operator_sql{
    R"(select id, request_key, order_number, carrier, state, remito, refusal_code, refusal_text, client_ref,
              operator_action, parcel_group, attempts, requested_at, settled_at
       from remito_requests where state = 'needs_operator' order by id limit 50)"};

// Also while one is just being tried again, or it would come and go. Of each carrier as many, so that one with many
// does not hide those of another. SQLite takes the partial index because its condition is written out.
constexpr Sql unsent_sql{
    R"(select carrier, accepted_at, refusal_text
       from (select id, carrier, accepted_at, refusal_text,
                    row_number() over (partition by carrier order by accepted_at, id) as place
             from remito_requests
             where state in ('pending', 'sending') and unclear_at is null and accepted_at is not null
               and attempts > case state when 'sending' then 1 else 0 end) as tried
       where place <= 1000 order by accepted_at, id)"};

constexpr Sql open_cancels_sql{
    R"(select carrier, requests, accepted_at, refusal_text
       from (select carrier, accepted_at, refusal_text, count(*) over (partition by carrier) as requests,
                    row_number() over (partition by carrier order by accepted_at, id) as place
             from cancel_requests
             where state in ('pending', 'sending', 'unknown') and attempts > 0) as begun
       where place = 1 order by carrier)"};

std::vector<CarrierCounts> read_counts(Session& session, const Sql& sql) {
  std::vector<CarrierCounts> counts;
  CarrierCounts row;
  session.query(sql, {}, {&row.carrier, &row.status, &row.shipments}, [&] { counts.push_back(row); });
  return counts;
}

}  // namespace

std::vector<RequestView> query_requests(Session& session, const Sql& sql, std::initializer_list<Parameter> parameters) {
  std::vector<RequestView> requests;
  RequestView row;
  session.query(sql, parameters,
                {&row.request_id, &row.request_key, &row.order_number, &row.carrier, &row.state, &row.remito,
                 &row.refusal_code, &row.refusal_text, &row.client_ref, &row.operator_action, &row.parcel_group,
                 &row.attempts, &row.requested_at, &row.settled_at},
                [&] { requests.push_back(row); });
  return requests;
}

DbResult<Overview> overview(Session& session) {
  Overview result;
  result.open_shipments = read_counts(session, open_shipments_sql);
  result.requests = read_counts(session, requests_sql);
  session.query_row(transitions_sql, {},
                    {&result.transitions_without_seq, &result.last_seq, &result.oldest_pending_request});
  UnmappedCode code;
  session.query(unmapped_sql, {}, {&code.carrier, &code.code, &code.text, &code.seen, &code.last_seen},
                [&] { result.unmapped.push_back(code); });
  result.needs_operator = query_requests(session, needs_operator_sql, {});
  Overview::UnsentRequest unsent;
  session.query(unsent_sql, {}, {&unsent.carrier, &unsent.accepted_at, &unsent.refusal_text},
                [&] { result.unsent.push_back(unsent); });
  Overview::OpenCancels cancels;
  session.query(open_cancels_sql, {}, {&cancels.carrier, &cancels.count, &cancels.accepted_at, &cancels.refusal_text},
                [&] { result.open_cancels.push_back(cancels); });
  return result;
}

DbResult<std::vector<RequestView>> view_requests(Session& session, std::string_view order_number) {
  return query_requests(session, requests_of_order_sql, {{"order_number", order_number}});
}

}  // namespace remitod::db
