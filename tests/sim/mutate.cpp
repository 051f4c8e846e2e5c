// The mutations of a world: in the middle of a run one rule is broken, right after a commit, as soon as there is
// something to break it on; or at the end, where the daemon would make it good.
#include "tests/sim/world.h"

namespace remitod::sim {

void World::plan_mutation() {
  if (options_.mutation == Mutation::send_creates_twice) wire_.send_creates_twice();
  if (options_.mutation == Mutation::send_cancels_twice) wire_.send_cancels_twice();
  if (options_.mutation == Mutation::read_a_clock) wire_.read_a_clock();
  if (options_.mutation == Mutation::date_plans_back)
    for (const auto& [name, carrier] : wire_.carriers()) carrier->date_plans_back();
  if (options_.mutation == Mutation::none || breaks_at_the_end(options_.mutation)) return;
  at(start_ + std::chrono::hours{20}, [this] { mutation_due_ = true; });
}

// False: there is nothing yet to do it on.
bool World::mutate() {
  switch (options_.mutation) {
    case Mutation::poll_what_ended:
      return put_back_ended();
    case Mutation::forget_shipment:
    case Mutation::forget_at_the_end:
      return forget_shipment();
    case Mutation::tell_twice:
      return changes(
          "insert into transitions (subject, shipment_id, order_number, parcel_group, carrier, remito, cycle, "
          "event_key, from_status, to_status, code, occurred_at, detected_at, created_at) "
          "select subject, shipment_id, order_number, parcel_group, carrier, remito, cycle, event_key || '+', "
          "from_status, to_status, code, occurred_at, detected_at, created_at from transitions "
          "where subject = 'shipment' and not inferred order by id desc limit 1");
    case Mutation::lose_transition:
      // Between two that are new: the one before it may be told again, this one's place in the chain is empty.
      return changes(
          "delete from transitions where id in (select max(t.id) from transitions t join shipments s "
          "on s.id = t.shipment_id where t.seq is null and t.subject = 'shipment' and not s.baseline and not t.late "
          "and exists (select 1 from transitions later where later.shipment_id = t.shipment_id and later.id > t.id "
          "and not later.late))");
    case Mutation::skip_seq:
      return changes("update transitions set seq = seq + 1 where seq = (select max(seq) from transitions)");
    case Mutation::swap_seqs:
      return swap_seqs();
    case Mutation::lose_event:
      // Of one that is at its end: nothing new brings it back.
      return changes(
          "delete from tracking_events where (shipment_id, event_key) in (select e.shipment_id, max(e.event_key) "
          "from tracking_events e join shipments s on s.id = e.shipment_id where s.terminal_at is not null "
          "group by e.shipment_id limit 1)");
    case Mutation::wrong_status:
      return changes(
          "update shipments set status = 'exception' where id in "
          "(select max(id) from shipments where status = 'delivered')");
    case Mutation::false_grant:
      return changes("update remito_requests set remito = remito || '0' where state = 'granted' and " + just_settled());
    case Mutation::grant_again:
      return changes("update remito_requests set state = 'unknown' where state = 'granted'");
    case Mutation::stuck_cancel:
      // One that waits for its turn would be settled by the end of its shipment.
      return changes(
          "update cancel_requests set fencing_token = fencing_token + 1, lease_expires_at = 9000000000000000 "
          "where state = 'sending'");
    case Mutation::false_cancel:
      return changes("update cancel_requests set state = 'cancelled' where state = 'refused' and " + just_settled());
    case Mutation::ask_person:
      return changes("update cancel_requests set state = 'needs_operator' where state = 'refused' and " +
                     just_settled());
    case Mutation::refuse_again:
      return changes(
          "update remito_requests set state = 'refused', refusal_code = 'duplicate_request' "
          "where request_key like '%-again' and state = 'pending' and accepted_at is not null");
    case Mutation::move_cancelled:
      return changes(
          "insert into transitions (subject, shipment_id, order_number, parcel_group, carrier, remito, cycle, "
          "event_key, from_status, to_status, code, occurred_at, detected_at, created_at) "
          "select subject, shipment_id, order_number, parcel_group, carrier, remito, cycle, event_key || '+', "
          "'cancelled', 'in_transit', code || '+', occurred_at, detected_at, created_at from transitions "
          "where subject = 'shipment' and to_status = 'cancelled' and not late order by id desc limit 1");
    case Mutation::tell_late:
      return changes(
          "update transitions set late = 1 where seq is not null and id in (select max(t.id) from transitions t "
          "join shipments s on s.id = t.shipment_id where s.ended_at is not null and not t.late group by s.id)");
    case Mutation::lose_attempt:
      return changes(
          "update transitions set to_status = 'exception' where seq is not null and to_status = 'attempt_failed' "
          "and exists (select 1 from transitions later where later.shipment_id = transitions.shipment_id "
          "and later.id > transitions.id and not later.late)");
    case Mutation::never_ready:
      return changes(
          "update transitions set to_status = 'confirmed' where seq is not null and to_status = 'ready_to_ship'");
    case Mutation::stuck_request:
      return changes(
          "update remito_requests set retry_at = 9000000000000000, state = 'pending' where state = 'sending'");
    default:
      return true;
  }
}

// By its carrier, and nobody has looked at it yet.
std::string World::just_settled() const {
  return "shipment_id is not null and settled_at > " +
         std::to_string(to_micros(daemon_->runtime.now() - std::chrono::seconds{1}));
}

bool World::changes(const std::string& statement) {
  database_.sql(statement);
  std::int64_t changed = 0;
  database_.session().query_row(db::Sql{"select changes()"}, {}, {&changed});
  return changed != 0;
}

// Of a shipment that has two and will have a third: the numbers of its first ones are exchanged before they are given.
bool World::swap_seqs() {
  std::int64_t first = 0, second = 0;
  const bool found = database_.session().query_row(
      db::Sql{"select min(id), max(id) from transitions where seq is null and subject = 'shipment' "
              "group by shipment_id having count(*) > 1 limit 1"},
      {}, {&first, &second});
  if (!found) return false;
  return changes("update transitions set seq = case id when " + std::to_string(first) +
                 " then 2 else 1 end + (select max(seq) from transitions) where id in (" + std::to_string(first) +
                 ", " + std::to_string(second) + ")");
}

bool World::put_back_ended() {
  for (const ShipmentRow& row : read_shipments(database_.session())) {
    if (!row.ended_at) continue;
    daemon_->poller.add_shipment({row.id, row.carrier, row.remito, now_}, Instant{});
    return true;
  }
  return false;
}

bool World::forget_shipment() {
  for (const ShipmentRow& row : read_shipments(database_.session())) {
    if (row.terminal_at) continue;
    daemon_->poller.remove(row.carrier, std::span{&row.id, 1});
    return true;
  }
  return false;
}

}  // namespace remitod::sim
