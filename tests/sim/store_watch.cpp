#include "tests/sim/store_watch.h"

namespace remitod::sim {

using db::Sql;

std::vector<ShipmentRow> read_shipments(db::Session& session) {
  std::vector<ShipmentRow> rows;
  ShipmentRow row;
  session.query(Sql{"select id, carrier, remito, status, attempts_failed, "
                    "baseline, terminal_at, ended_at from shipments "
                    "where accepted_at is not null order by id"},
                {},
                {&row.id, &row.carrier, &row.remito, &row.status, &row.attempts_failed, &row.baseline, &row.terminal_at,
                 &row.ended_at},
                [&] { rows.push_back(row); });
  return rows;
}

std::vector<RequestRow> read_requests(db::Session& session) {
  std::vector<RequestRow> rows;
  RequestRow row;
  session.query(
      Sql{"select id, request_key, carrier, order_number, client_ref, state, "
          "remito, refusal_code from remito_requests "
          "where accepted_at is not null order by id"},
      {},
      {&row.id, &row.key, &row.carrier, &row.order_number, &row.client_ref, &row.state, &row.remito, &row.refusal_code},
      [&] { rows.push_back(row); });
  return rows;
}

std::vector<CancelRow> read_cancels(db::Session& session) {
  std::vector<CancelRow> rows;
  CancelRow row;
  session.query(
      Sql{"select id, request_key, order_number, carrier, remito, state, "
          "refusal_code, unclear_at from cancel_requests order by id"},
      {},
      {&row.id, &row.key, &row.order_number, &row.carrier, &row.remito, &row.state, &row.refusal_code, &row.unclear_at},
      [&] { rows.push_back(row); });
  return rows;
}

std::vector<TransitionRow> read_transitions(db::Session& session, std::int64_t after_id) {
  std::vector<TransitionRow> rows;
  TransitionRow row;
  session.query(Sql{"select t.id, coalesce(seq, 0), subject, coalesce(shipment_id, 0), "
                    "coalesce(t.request_id, 0), code, "
                    "from_status, to_status, occurred_at, inferred, late, "
                    "coalesce(s.baseline, 0) "
                    "from transitions t left join shipments s on s.id = t.shipment_id "
                    "where t.id > :id order by t.id"},
                {{"id", after_id}},
                {&row.id, &row.seq, &row.subject, &row.shipment_id, &row.request_id, &row.code, &row.from, &row.to,
                 &row.occurred_at, &row.inferred, &row.late, &row.of_import},
                [&] { rows.push_back(row); });
  return rows;
}

std::vector<EventRow> read_events(db::Session& session, std::int64_t shipment_id) {
  std::vector<EventRow> rows;
  EventRow row;
  session.query(Sql{"select occurred_at, status from tracking_events where "
                    "shipment_id = :id and code <> 'cancel_request' order by occurred_at, status"},
                {{"id", shipment_id}}, {&row.occurred_at, &row.status}, [&] { rows.push_back(row); });
  return rows;
}

void StoreWatch::written(Instant now) {
  look_at_new(now);
  look_at_numbered();
}

void StoreWatch::look_at_new(Instant now) {
  for (const TransitionRow& row : read_transitions(session_, last_id_)) {
    last_id_ = row.id;
    const std::string about = row.subject + " " +
                              std::to_string(row.subject == "request" ? row.request_id : row.shipment_id) + " " +
                              row.from + ">" + row.to + (row.late ? " late" : "") + (row.inferred ? " ~" : "");
    trace_.add(now, "transition", about);
    const std::int64_t whose = row.subject == "request" ? row.request_id : row.shipment_id;
    if (!told_.insert({row.subject, whose, row.code, row.to, row.occurred_at, row.inferred}).second)
      broken("told_twice", about);
    if (row.subject != "shipment") continue;
    shipment_of_[row.id] = row.shipment_id;
    std::string& status = shipments_[row.shipment_id].status;
    if (row.late) continue;
    // A baseline moved the status without a word.
    if (row.from != status && !(row.of_import && status == "registered"))
      broken("chain", about + ", and it was " + status);
    if (row.from == "cancelled" && !shipments_[row.shipment_id].cancelled_too_early)
      broken("moved_after_cancel", about);
    status = row.to;
    if (status == "cancelled") shipments_[row.shipment_id].cancelled_too_early = clock_is_behind_;
  }
}

void StoreWatch::look_at_numbered() {
  std::int64_t id = 0, seq = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> numbered;
  session_.query(Sql{"select id, seq from transitions where seq > :seq order by seq"}, {{"seq", last_seq_}},
                 {&id, &seq}, [&] { numbered.emplace_back(id, seq); });
  for (const auto& [numbered_id, numbered_seq] : numbered) {
    if (numbered_seq != last_seq_ + 1)
      broken("seq", std::to_string(numbered_seq) + " follows " + std::to_string(last_seq_));
    last_seq_ = numbered_seq;
    const auto shipment = shipment_of_.find(numbered_id);
    if (shipment == shipment_of_.end()) continue;
    std::int64_t& last = shipments_[shipment->second].last_numbered_id;
    if (numbered_id < last) broken("seq", "shipment " + std::to_string(shipment->second) + ": out of order");
    last = numbered_id;
    shipment_of_.erase(shipment);
  }
}

void StoreWatch::look_at_requests() {
  for (const RequestRow& row : read_requests(session_))
    check_settled(row.key, row.state == "granted" || row.state == "refused" || row.state == "cancelled",
                  row.state + " " + row.remito);
  for (const CancelRow& row : read_cancels(session_))
    check_settled(row.key, row.state == "refused" || row.state == "cancelled", row.state + " " + row.remito);
}

void StoreWatch::check_settled(const std::string& key, bool is_settled, const std::string& now) {
  const auto before = is_settled ? settled_.try_emplace(key, now).first : settled_.find(key);
  if (before != settled_.end() && before->second != now)
    broken("settled_again", "request " + key + " was " + before->second + ", is " + now);
}

}  // namespace remitod::sim
