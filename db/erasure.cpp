// Personal data of one order.
#include "db/erasure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "db/json_rows.h"
#include "db/packing.h"
#include "db/raw_answers.h"
#include "db/session.h"

namespace remitod::db {
namespace {

// Settled, and nothing that could still be sent again.
#define DONE "state in ('granted', 'refused', 'cancelled')"
#define OF_ORDER "order_number = :order_number"

constexpr Sql count_requests_sql{"select coalesce(sum(case when " DONE
                                 " then 1 else 0 end), 0), "
                                 "coalesce(sum(case when " DONE
                                 " and erased_at is null then 1 else 0 end), 0), "
                                 "count(*) from remito_requests where " OF_ORDER};
// Why a person refused it is told in that person's words.
#define WORDLESS                        \
  "payload = '{}', refusal_text = '', " \
  "operator_action = case when operator_action like 'refused: %' then 'refused' else operator_action end"
constexpr Sql erase_requests_sql{"update remito_requests set " WORDLESS ", erased_at = :now where " OF_ORDER
                                 " and erased_at is null and " DONE,
                                 "update remito_requests set " WORDLESS ", erased_at = :now::bigint where " OF_ORDER
                                 " and erased_at is null and " DONE};
#undef WORDLESS

constexpr Sql erase_cancels_sql{"update cancel_requests set refusal_text = '' where " OF_ORDER
                                " and settled_at is not null"};

struct OrderShipment {
  std::int64_t shipment_id = 0;
  std::string carrier, remito;
  bool ended = false, erased = false;
};
constexpr Sql shipments_sql{
    "select id, carrier, remito, cast(ended_at is not null as integer), "
    "cast(erased_at is not null as integer) from shipments where " OF_ORDER " order by id"};

constexpr Sql count_events_sql{
    "select count(*) from tracking_events where shipment_id in (select value from json_each(:ids))",
    "select count(*) from tracking_events "
    "where shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};
constexpr Sql count_transitions_sql{
    "select count(*) from transitions where " OF_ORDER
    " and (shipment_id is null or shipment_id in (select value from json_each(:ids)))",
    "select count(*) from transitions where " OF_ORDER
    " and (shipment_id is null or shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};

// The key of an event holds its code and place, so each gets another that says nothing, the same in both tables.
constexpr Sql keys_sql{
    R"(select shipment_id, event_key from tracking_events where shipment_id in (select value from json_each(:ids))
       union
       select shipment_id, event_key from transitions
       where event_key not in ('', 'expired') and shipment_id in (select value from json_each(:ids)))",
    R"(select shipment_id, event_key from tracking_events
       where shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))
       union
       select shipment_id, event_key from transitions
       where event_key not in ('', 'expired')
         and shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};

// A code that is the carrier's own words goes with them (mapping_reports.cpp): a long one is cut, and the text may say
// the reason besides.
#define CODE_IS_TEXT(row)                                                                                        \
  "(" row "code = " row "text or (" row "code like '% %' and substr(" row "text, 1, length(" row "code)) = " row \
  "code))"
#define ERASED "text = '', place = '', code = case when " CODE_IS_TEXT("") " then '' else code end"

constexpr Sql erase_events_sql{"update tracking_events set " ERASED R"(, event_key = renamed.new_key
       from (select value ->> 'shipment_id' as shipment_id, value ->> 'old_key' as old_key,
                    value ->> 'new_key' as new_key from json_each(:keys)) as renamed
       where tracking_events.shipment_id = renamed.shipment_id and tracking_events.event_key = renamed.old_key)",
                               "update tracking_events set " ERASED R"(, event_key = renamed.new_key
       from jsonb_to_recordset(:keys::jsonb) as renamed (shipment_id bigint, old_key text, new_key text)
       where tracking_events.shipment_id = renamed.shipment_id and tracking_events.event_key = renamed.old_key)"};
constexpr Sql rename_in_transitions_sql{
    R"(update transitions set event_key = renamed.new_key
       from (select value ->> 'shipment_id' as shipment_id, value ->> 'old_key' as old_key,
                    value ->> 'new_key' as new_key from json_each(:keys)) as renamed
       where transitions.shipment_id = renamed.shipment_id and transitions.event_key = renamed.old_key)",
    R"(update transitions set event_key = renamed.new_key
       from jsonb_to_recordset(:keys::jsonb) as renamed (shipment_id bigint, old_key text, new_key text)
       where transitions.shipment_id = renamed.shipment_id and transitions.event_key = renamed.old_key)"};
constexpr Sql erase_transitions_sql{
    "update transitions set " ERASED " where " OF_ORDER
    " and (shipment_id is null or shipment_id in (select value from json_each(:ids)))",
    "update transitions set " ERASED " where " OF_ORDER
    " and (shipment_id is null or shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};
#undef ERASED
// The last words with a code that no profile knew are kept as an example of it, and may be those of this order. The
// next event of the code brings others.
#define THEIR_CODES "select s.carrier, e.code from tracking_events e join shipments s on s.id = e.shipment_id where "
constexpr Sql forget_codes_sql{
    "delete from unmapped_codes where (carrier, code) in (" THEIR_CODES CODE_IS_TEXT(
        "e.") " and s.id in (select value from json_each(:ids)))",
    "delete from unmapped_codes where (carrier, code) in (" THEIR_CODES CODE_IS_TEXT(
        "e.") " and s.id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};
constexpr Sql forget_examples_sql{"update unmapped_codes set text = '' where (carrier, code) in (" THEIR_CODES
                                  "s.id in (select value from json_each(:ids)))",
                                  "update unmapped_codes set text = '' where (carrier, code) in (" THEIR_CODES
                                  "s.id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};
#undef THEIR_CODES
#undef CODE_IS_TEXT
constexpr Sql mark_shipments_sql{
    "update shipments set erased_at = :now where id in (select value from json_each(:ids))",
    "update shipments set erased_at = :now::bigint "
    "where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};

#define OF_ITS_REQUESTS \
  "coalesce(request_id in (select id from remito_requests where order_number = :order_number), false)"
constexpr Sql answers_sql{"select id, remito, asked, body, cast(" OF_ITS_REQUESTS
                          " as integer) from raw_answers "
                          "where carrier = :carrier and id > :after_id order by id limit 50",
                          "select id, remito, asked, body, cast(" OF_ITS_REQUESTS
                          " as integer) from raw_answers "
                          "where carrier = :carrier and id > :after_id::bigint order by id limit 50"};
#undef OF_ITS_REQUESTS
constexpr Sql delete_answers_sql{
    "delete from raw_answers where id in (select value from json_each(:ids))",
    "delete from raw_answers where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};
constexpr Sql carriers_sql{"select carrier from shipments where " OF_ORDER
                           " union select carrier from remito_requests where " OF_ORDER};

constexpr Sql remember_sql{
    R"(insert into erasures (order_number, asked_at, erased_at) values (:order_number, :now, :erased_at)
       on conflict (order_number) do update set erased_at = excluded.erased_at)",
    R"(insert into erasures (order_number, asked_at, erased_at)
       values (:order_number, :now::bigint, :erased_at::bigint)
       on conflict (order_number) do update set erased_at = excluded.erased_at)"};
constexpr Sql nothing_left_sql{
    "update erasures set erased_at = :now where order_number = :order_number and erased_at is null",
    "update erasures set erased_at = :now::bigint where order_number = :order_number::text and erased_at is null"};
#define NOTHING_OPEN                                                                                               \
  "e.erased_at is null and not exists (select 1 from shipments s where s.order_number = e.order_number "           \
  "and s.ended_at is null) and not exists (select 1 from remito_requests r where r.order_number = e.order_number " \
  "and not (r." DONE ")) order by e.asked_at, e.order_number"
constexpr Sql unfinished_sql{"select e.order_number from erasures e where " NOTHING_OPEN " limit :limit",
                             "select e.order_number from erasures e where " NOTHING_OPEN " limit :limit::bigint"};
#undef NOTHING_OPEN
#undef DONE
#undef OF_ORDER

std::int64_t count(Session& session, const Sql& sql, std::initializer_list<Parameter> parameters) {
  std::int64_t result = 0;
  session.query_row(sql, parameters, {&result});
  return result;
}

std::vector<OrderShipment> shipments_of(Session& session, std::string_view order_number) {
  std::vector<OrderShipment> shipments;
  OrderShipment row;
  session.query(shipments_sql, {{"order_number", order_number}},
                {&row.shipment_id, &row.carrier, &row.remito, &row.ended, &row.erased},
                [&] { shipments.push_back(row); });
  return shipments;
}

nlohmann::json new_keys(Session& session, const std::string& ids) {
  nlohmann::json keys = nlohmann::json::array();
  std::int64_t shipment_id = 0;
  std::string old_key;
  session.query(keys_sql, {{"ids", ids}}, {&shipment_id, &old_key}, [&] {
    keys.push_back(
        {{"shipment_id", shipment_id}, {"old_key", old_key}, {"new_key", "erased-" + std::to_string(keys.size() + 1)}});
  });
  return keys;
}

void erase_shipments(Session& session, std::string_view order_number, const std::string& ids, Instant now) {
  const std::string keys = to_parameter(new_keys(session, ids));
  session.execute(forget_codes_sql, {{"ids", ids}});
  session.execute(forget_examples_sql, {{"ids", ids}});
  session.execute(erase_events_sql, {{"keys", keys}});
  session.execute(rename_in_transitions_sql, {{"keys", keys}});
  session.execute(erase_transitions_sql, {{"order_number", order_number}, {"ids", ids}});
  session.execute(mark_shipments_sql, {{"ids", ids}, {"now", now}});
}

/// Who is looked for in kept answers: an answer that names any of these is about the order.
std::vector<std::string> names_of(std::string_view order_number, const std::vector<OrderShipment>& shipments) {
  std::vector<std::string> names{std::string(order_number)};
  for (const OrderShipment& shipment : shipments) names.push_back(shipment.remito);
  return names;
}

/// Those of the order's carriers that name it or one of its remitos anywhere. An order number of two digits stands in
/// many answers that are not about it; to lose those costs less than to keep one that is.
std::vector<std::int64_t> answers_about(Session& session, std::string_view order_number,
                                        const std::vector<OrderShipment>& shipments) {
  const std::vector<std::string> names = names_of(order_number, shipments);
  const auto names_it = [&](const std::string& text) {
    return std::ranges::any_of(names, [&](const std::string& name) { return text.contains(name); });
  };
  const auto asks_for_it = [&](const std::string& asked) {
    return std::ranges::any_of(names, [&](const std::string& name) { return asked.contains('"' + name + '"'); });
  };
  std::vector<std::string> carriers;
  std::string carrier;
  session.query(carriers_sql, {{"order_number", order_number}}, {&carrier}, [&] { carriers.push_back(carrier); });
  std::vector<std::int64_t> ids;
  for (const std::string& each : carriers) {
    std::int64_t id = 0;
    bool is_its = false;
    std::string remito, asked, packed;
    const auto look = [&] {
      const auto body = unpack(packed, raw_body_bytes_max);
      if (is_its || names_it(remito) || asks_for_it(asked) || !body || names_it(*body)) ids.push_back(id);
    };
    while (session.query(answers_sql, {{"carrier", each}, {"after_id", id}, {"order_number", order_number}},
                         {&id, &remito, &asked, &packed, &is_its}, look) != 0) {
    }
  }
  return ids;
}

}  // namespace

DbResult<ErasedOrder> erase_order(Session& session, std::string_view order_number, Instant now, bool dry_run) {
  ErasedOrder erased;
  std::int64_t done = 0, requests = 0;
  session.query_row(count_requests_sql, {{"order_number", order_number}}, {&done, &erased.requests, &requests});
  erased.open_requests = requests - done;

  const std::vector<OrderShipment> shipments = shipments_of(session, order_number);
  std::vector<std::int64_t> ended;
  for (const OrderShipment& shipment : shipments) {
    if (!shipment.ended) ++erased.open_shipments;
    if (shipment.ended && !shipment.erased) ended.push_back(shipment.shipment_id);
  }
  erased.known = requests + static_cast<std::int64_t>(shipments.size());
  erased.shipments = static_cast<std::int64_t>(ended.size());
  const std::string ids = ids_parameter(ended);
  erased.events = count(session, count_events_sql, {{"ids", ids}});
  if (!ended.empty() || erased.requests != 0)
    erased.transitions = count(session, count_transitions_sql, {{"order_number", order_number}, {"ids", ids}});
  if (erased.known == 0) {
    // What of an order was open when its erasure was asked for may have gone by age.
    if (!dry_run) session.execute(nothing_left_sql, {{"order_number", order_number}, {"now", now}});
    return erased;
  }
  const std::vector<std::int64_t> answers = answers_about(session, order_number, shipments);
  erased.raw_answers = static_cast<std::int64_t>(answers.size());
  if (dry_run) return erased;

  session.execute(erase_requests_sql, {{"order_number", order_number}, {"now", now}});
  session.execute(erase_cancels_sql, {{"order_number", order_number}});
  erase_shipments(session, order_number, ids, now);
  if (!answers.empty()) session.execute(delete_answers_sql, {{"ids", ids_parameter(answers)}});
  const bool all = erased.open_requests + erased.open_shipments == 0;
  session.execute(
      remember_sql,
      {{"order_number", order_number}, {"now", now}, {"erased_at", all ? std::optional(now) : std::nullopt}});
  return erased;
}

DbResult<std::vector<std::string>> unfinished_erasures(Session& session, std::size_t limit) {
  std::vector<std::string> orders;
  std::string order;
  session.query(unfinished_sql, {{"limit", limit}}, {&order}, [&] { orders.push_back(order); });
  return orders;
}

}  // namespace remitod::db
