#include "db/known_shipments.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

constexpr Sql shipments_sql{R"(
    select id, remito, registered_at, baseline and baseline_at is null, backfill, status, reason, status_at,
           terminal_at, ended_at, attempts_failed, erased_at is not null or events_removed_at is not null,
           exists (select 1 from shipments n
                   where n.carrier = s.carrier and n.remito = s.remito and n.cycle = s.cycle + 1),
           (select p.id from shipments p
            where p.carrier = s.carrier and p.remito = s.remito and p.cycle = s.cycle - 1
              and (p.status = 'cancelled' or (p.status in ('delivered', 'returned') and s.request_id is not null)))
    from shipments s where id in (select value from json_each(:ids)))",
                            R"(
    select id, remito, registered_at, cast(baseline and baseline_at is null as integer), cast(backfill as integer),
           status, reason, status_at, terminal_at, ended_at, attempts_failed,
           cast(erased_at is not null or events_removed_at is not null as integer),
           cast(exists (select 1 from shipments n
                        where n.carrier = s.carrier and n.remito = s.remito and n.cycle = s.cycle + 1) as integer),
           (select p.id from shipments p
            where p.carrier = s.carrier and p.remito = s.remito and p.cycle = s.cycle - 1
              and (p.status = 'cancelled' or (p.status in ('delivered', 'returned') and s.request_id is not null)))
    from shipments s where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))
    order by s.id for update of s)"};

constexpr Sql events_sql{R"(
    select shipment_id, code, text, status, reason, occurred_at, zone_source, date_only, resolved_by_rule, place,
           position, baseline, detected_at
    from tracking_events where shipment_id in (select value from json_each(:ids))
    order by shipment_id, occurred_at, position, event_key)",
                         R"(
    select shipment_id, code, text, status, reason, occurred_at, zone_source, cast(date_only as integer),
           cast(resolved_by_rule as integer), place, position, cast(baseline as integer), detected_at
    from tracking_events where shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))
    order by shipment_id, occurred_at, position, event_key)"};

constexpr Sql emitted_sql{R"(
    select shipment_id, event_key, to_status, inferred
    from transitions where subject = 'shipment' and shipment_id in (select value from json_each(:ids)))",
                          R"(
    select shipment_id, event_key, to_status, cast(inferred as integer)
    from transitions where subject = 'shipment'
      and shipment_id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb)))"};

constexpr Sql ends_sql{"select id, ended_at, status from shipments where id in (select value from json_each(:ids))",
                       "select id, ended_at, status from shipments "
                       "where id in (select value::bigint from jsonb_array_elements_text(:ids::jsonb))"};

/// The database is outside the process: a word that is not ours is somebody else's doing.
template <class Word>
Word known_word(std::optional<Word> word, const std::string& text) {
  if (!word) throw std::runtime_error("unknown word in the database: " + text);
  return *word;
}

/// `uses`: by the shipment's id, that of the one before which had its number, where that is over: it was cancelled, or
/// its parcel has arrived and the number was granted anew.
void load_uses_before(Session& session, const std::map<std::int64_t, std::int64_t>& uses,
                      std::map<std::int64_t, StoredShipment>& shipments) {
  if (uses.empty()) return;
  std::map<std::int64_t, std::int64_t> users;
  std::vector<std::int64_t> ids, cancelled;
  for (const auto& [shipment_id, use_id] : uses) {
    users[use_id] = shipment_id;
    ids.push_back(use_id);
  }
  std::int64_t id = 0;
  std::optional<Instant> ended_at;
  std::string status;
  session.query(ends_sql, {{"ids", ids_parameter(ids)}}, {&id, &ended_at, &status}, [&] {
    KnownShipment& known = shipments.at(users.at(id)).known;
    known.number_free_since = ended_at;
    if (status == name(Status::cancelled)) return cancelled.push_back(id);
    // While the old parcel was still followed the new one may have been on its way, and its events were taken for that
    // one's: what both know is left to the time.
    if (ended_at && known.registered_at) known.number_free_since = std::min(*ended_at, *known.registered_at);
  });
  load_events(session, ids_parameter(cancelled), [&](std::int64_t use_id, const KnownEvent& event) {
    shipments.at(users.at(use_id)).known.events_of_use_before.insert(event_key(event.event));
  });
}

}  // namespace

std::map<std::int64_t, StoredShipment> lock_known_shipments(Session& session, const std::string& ids) {
  std::map<std::int64_t, StoredShipment> shipments;
  std::int64_t id = 0;
  StoredShipment row;
  std::string status, reason, event_key;
  std::optional<std::int64_t> use_id;
  std::map<std::int64_t, std::int64_t> uses;
  session.query(shipments_sql, {{"ids", ids}},
                {&id, &row.remito, &row.known.registered_at, &row.known.baseline, &row.known.backfill, &status, &reason,
                 &row.status_at, &row.terminal_at, &row.ended_at, &row.known.attempts_failed, &row.erased,
                 &row.number_is_anothers, &use_id},
                [&] {
                  row.known.status = known_word(status_from(status), status);
                  row.known.reason = known_word(reason_from(reason), reason);
                  if (use_id) uses[id] = *use_id;
                  shipments.emplace(id, row);
                });
  load_events(session, ids, [&](std::int64_t shipment_id, KnownEvent event) {
    shipments.at(shipment_id).known.events.push_back(std::move(event));
  });
  load_uses_before(session, uses, shipments);
  bool inferred = false;
  session.query(emitted_sql, {{"ids", ids}}, {&id, &event_key, &status, &inferred}, [&] {
    shipments.at(id).known.emitted.push_back({event_key, known_word(status_from(status), status), inferred});
  });
  return shipments;
}

void load_events(Session& session, const std::string& ids, const std::function<void(std::int64_t, KnownEvent)>& each) {
  std::int64_t shipment_id = 0, position = 0;
  KnownEvent row;
  OccurredAt occurred_at;
  std::optional<Instant> occurred;
  std::string status, reason, zone_source;
  session.query(events_sql, {{"ids", ids}},
                {&shipment_id, &row.event.code, &row.event.text, &status, &reason, &occurred, &zone_source,
                 &occurred_at.date_only, &occurred_at.resolved_by_rule, &row.event.place, &position, &row.baseline,
                 &row.detected_at},
                [&] {
                  row.event.status = known_word(status_from(status), status);
                  row.event.reason = known_word(reason_from(reason), reason);
                  row.event.position = static_cast<std::uint32_t>(position);
                  row.event.occurred_at.reset();
                  if (occurred) {
                    occurred_at.at = *occurred;
                    occurred_at.zone = known_word(zone_source_from(zone_source), zone_source);
                    row.event.occurred_at = occurred_at;
                  }
                  each(shipment_id, row);
                });
}

}  // namespace remitod::db
