#include "db/quota_store.h"

#include <nlohmann/json.hpp>

#include <limits>

#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using nlohmann::json;

constexpr Sql load_sql{
    "select period, revision, reserved, saved_at from request_quotas where carrier = :carrier order by period",
    "select period, revision, reserved, saved_at from request_quotas where carrier = :carrier::text order by period"};

// A row that is there already is no reason to write over it: whoever names revision 0 has not seen it.
constexpr Sql insert_sql{
    R"(insert into request_quotas (carrier, period, revision, reserved, saved_at)
       values (:carrier, :period, 1, :reserved, :now) on conflict (carrier, period) do nothing)",
    R"(insert into request_quotas (carrier, period, revision, reserved, saved_at)
       values (:carrier::text, :period::text, 1, :reserved::text, :now::bigint)
       on conflict (carrier, period) do nothing)"};

constexpr Sql update_sql{
    R"(update request_quotas set reserved = :reserved, revision = revision + 1, saved_at = :now
       where carrier = :carrier and period = :period and revision = :revision)",
    R"(update request_quotas set reserved = :reserved::text, revision = revision + 1, saved_at = :now::bigint
       where carrier = :carrier::text and period = :period::text and revision = :revision::bigint)"};

std::string to_text(const std::vector<RequestQuota::Slot>& slots) {
  json list = json::array();
  for (const RequestQuota::Slot& slot : slots)
    list.push_back({{"from", to_micros(slot.from)}, {"requests", slot.requests}});
  return to_parameter(list);
}

std::vector<RequestQuota::Slot> from_text(const std::string& text, Instant saved_at) {
  constexpr std::int64_t requests_max = std::numeric_limits<std::int32_t>::max();
  std::vector<RequestQuota::Slot> unreadable{{saved_at, requests_max}};
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) return unreadable;
  std::vector<RequestQuota::Slot> slots;
  for (const json& slot : list) {
    const auto from = slot.is_object() ? slot.find("from") : slot.end();
    const auto requests = slot.is_object() ? slot.find("requests") : slot.end();
    const bool is_slot = from != slot.end() && requests != slot.end() && from->is_number_integer() &&
                         requests->is_number_unsigned() && requests->get<std::uint64_t>() <= requests_max;
    if (!is_slot) return unreadable;
    slots.push_back({from_micros(from->get<std::int64_t>()), requests->get<std::int64_t>()});
  }
  return slots;
}

}  // namespace

DbResult<std::vector<RequestQuota>> load_request_quotas(Session& session, std::string_view carrier) {
  std::vector<RequestQuota> quotas;
  RequestQuota row;
  std::string reserved;
  Instant saved_at{};
  session.query(load_sql, {{"carrier", carrier}}, {&row.period, &row.revision, &reserved, &saved_at}, [&] {
    row.slots = from_text(reserved, saved_at);
    quotas.push_back(row);
  });
  return quotas;
}

DbResult<bool> save_request_quotas(Session& session, std::string_view carrier, std::span<const RequestQuota> quotas,
                                   Instant now) {
  for (const RequestQuota& quota : quotas) {
    const std::string reserved = to_text(quota.slots);
    const std::int64_t written =
        quota.revision == 0
            ? session.execute(insert_sql,
                              {{"carrier", carrier}, {"period", quota.period}, {"reserved", reserved}, {"now", now}})
            : session.execute(update_sql, {{"carrier", carrier},
                                           {"period", quota.period},
                                           {"revision", quota.revision},
                                           {"reserved", reserved},
                                           {"now", now}});
    if (written != 1) return false;
  }
  return true;
}

}  // namespace remitod::db
