#include "db/platform_requests.h"

#include <nlohmann/json.hpp>

#include <set>

#include "db/json_rows.h"
#include "db/request_views.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql insert_sql{
    R"(insert into remito_requests (request_key, order_number, parcel_group, carrier, service, payload, requested_at)
       select value ->> 'request_key', value ->> 'order_number', value ->> 'parcel_group', value ->> 'carrier',
              value ->> 'service', value ->> 'payload', value ->> 'requested_at'
       from json_each(:requests) where true order by key
       on conflict (request_key) do nothing
       returning request_key)",
    R"(insert into remito_requests (request_key, order_number, parcel_group, carrier, service, payload, requested_at)
       select request_key, order_number, parcel_group, carrier, service, payload, requested_at
       from jsonb_to_recordset(:requests::jsonb)
              as r (request_key text, order_number text, parcel_group integer, carrier text, service text, payload text,
                    requested_at bigint)
       on conflict (request_key) do nothing
       returning request_key)"};

constexpr Sql by_key_sql{
    R"(select id, request_key, order_number, carrier, state, remito, refusal_code, refusal_text, client_ref,
              operator_action, parcel_group, attempts, requested_at, settled_at
       from remito_requests where request_key in (select value from json_each(:keys)) order by id)",
    R"(select id, request_key, order_number, carrier, state, remito, refusal_code, refusal_text, client_ref,
              operator_action, parcel_group, attempts, requested_at, settled_at
       from remito_requests where request_key in (select value from jsonb_array_elements_text(:keys::jsonb)) order by id)"};

}  // namespace

DbResult<std::vector<bool>> insert_remito_requests(Session& session, std::span<const PlatformRequest> requests,
                                                   Instant now) {
  json rows = json::array();
  for (const PlatformRequest& request : requests)
    rows.push_back({{"request_key", storable(request.request_key)},
                    {"order_number", storable(request.order_number)},
                    {"parcel_group", request.parcel_group},
                    {"carrier", storable(request.carrier)},
                    {"service", storable(request.service)},
                    {"payload", storable(request.payload)},
                    {"requested_at", to_micros(request.requested_at.value_or(now))}});
  std::set<std::string> inserted;
  std::string key;
  session.query(insert_sql, {{"requests", to_parameter(rows)}}, {&key}, [&] { inserted.insert(key); });
  std::vector<bool> is_new;
  // Of two with one key the first was inserted.
  for (const PlatformRequest& request : requests) is_new.push_back(inserted.erase(storable(request.request_key)) != 0);
  return is_new;
}

DbResult<std::vector<RequestView>> view_requests_by_key(Session& session, std::span<const std::string> request_keys) {
  return query_requests(session, by_key_sql, {{"keys", texts_parameter(request_keys)}});
}

}  // namespace remitod::db
