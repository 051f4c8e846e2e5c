#include "daemon/cancel_worker.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"
#include "daemon/remito_outcome.h"

namespace remitod::daemon {
namespace {

using Kind = db::CancelOutcome::Kind;

constexpr std::size_t rows_per_sweep = 500;
constexpr std::size_t in_flight_max = 4;  // cancellations are rare, and nobody stands at the counter for one
constexpr std::chrono::seconds lease_margin{30}, database_retry{2}, first_look{10};
constexpr std::chrono::hours unsent_time{72};

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::cancelled:
      return "cancelled";
    case Kind::refused:
      return "refused";
    case Kind::unsent:
      return "unsent";
    case Kind::unknown:
      return "unknown";
    case Kind::needs_operator:
      return "needs_operator";
  }
  std::unreachable();
}

/// Views into the request, which outlives it.
carriers::CancelOrder order_of(const db::CancelRequest& request, std::string_view carriers_own_id = {}) {
  return {request.remito, request.order_number, request.client_ref, carriers_own_id};
}

db::ApplyRules rules_of(const carriers::Profile& profile) {
  return {profile.name(), {profile.registration_grace()}, profile.tail(), profile.give_up_after()};
}

}  // namespace

CancelWorker::CancelWorker(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper,
                           db::Executor& executor, RawKeeper& raw, Hooks hooks)
    : runtime_(runtime),
      executor_(executor),
      raw_(raw),
      hooks_(std::move(hooks)),
      questions_(runtime, transport, mapper, hooks_.orders),
      alarm_(runtime.alarm([this] { wake(); })),
      settle_alarm_(runtime.alarm([this] {
        for (auto& [request, outcome] : std::exchange(unsettled_, {})) settle(request, std::move(outcome));
      })) {}

void CancelWorker::add_carrier(std::shared_ptr<CarrierAccess> access) {
  const std::string& name = access->profile()->name();
  questions_.add_carrier(access);
  carriers_[name] = std::move(access);
}

void CancelWorker::wake() {
  if (stopping_) return;
  if (sweeping_)
    sweep_again_ = true;
  else
    sweep();
}

void CancelWorker::sweep() {
  sweeping_ = true;
  std::vector<std::string> cancelling, tracking;
  Rooms rooms;
  std::chrono::milliseconds longest_call{0};
  for (const auto& [carrier, access] : carriers_) {
    const carriers::Profile& profile = *access->profile();
    if (profile.can_track() || profile.can_feed()) tracking.push_back(carrier);
    if (!profile.can_cancel()) continue;
    cancelling.push_back(carrier);
    longest_call = std::max(longest_call, profile.longest_call());
    const std::size_t places = in_flight_max - std::min(in_flight_max, working_on_.size());
    const std::size_t room = std::min(places, hooks_.spare_requests(carrier));
    if (room != 0) hooks_.reserve_requests(carrier, room);
    rooms[carrier] = room;
  }
  const Instant now = runtime_.now();
  executor_.run<Swept>(
      [=,
       working_on = std::vector(working_on_.begin(), working_on_.end())](db::Session& session) -> db::DbResult<Swept> {
        auto given_up = db::give_up_unheard_cancels(session, working_on, now);
        if (!given_up) return std::unexpected(given_up.error());
        auto taken = db::take_up_cancels(session, cancelling, tracking, now, rows_per_sweep);
        if (!taken) return std::unexpected(taken.error());
        Swept swept{std::move(*taken), {}};
        if (!swept.taken.next_due || *swept.taken.next_due > now) return swept;
        for (const auto& [carrier, room] : rooms) {
          if (room == 0) continue;
          auto claimed = db::claim_cancels(session, carrier, now, now + longest_call + lease_margin, room);
          if (!claimed) return std::unexpected(claimed.error());
          std::ranges::move(*claimed, std::back_inserter(swept.calls));
        }
        return swept;
      },
      [this, rooms](db::DbResult<Swept> result) { swept(rooms, std::move(result)); });
}

void CancelWorker::swept(const Rooms& rooms, db::DbResult<Swept> result) {
  sweeping_ = false;
  // What failed before may have been committed all the same.
  const bool trouble_before = std::exchange(database_trouble_, !result);
  if (!result) {
    log(Level::error, "cancel_requests_unreadable", {{"error", result.error().message}});
    for (const auto& [carrier, room] : rooms) hooks_.reserve_requests(carrier, 0);
    alarm_->set(runtime_.in(database_retry));
    return;
  }
  some_wait_ = result->taken.some_wait;
  if (result->taken.settled != 0) log(Level::info, "cancel_requests_decided", {{"requests", result->taken.settled}});
  if (result->taken.settled != 0 || trouble_before) hooks_.transitions_written();
  if (!result->taken.to_look_at.empty()) hooks_.look_at(result->taken.to_look_at);
  for (db::CancelRequest& claimed : result->calls) begin(std::make_shared<const db::CancelRequest>(std::move(claimed)));
  // Where rows are left over, what next comes free at their carrier is theirs: polls that are late would take it.
  for (const auto& [carrier, room] : rooms)
    hooks_.reserve_requests(carrier, room == 0 && result->taken.due.contains(carrier) ? 1 : 0);
  if (result->taken.next_due)
    alarm_->set(std::max(*result->taken.next_due,
                         runtime_.in(look_again(result->taken.due, runtime_.now(), hooks_.rests_until))));
  if (std::exchange(sweep_again_, false)) wake();
}

void CancelWorker::begin(const Pointer& request) {
  working_on_.insert(request->cancel_id);
  if (hooks_.spare_requests(request->carrier) == 0)  // a merchant's remito went first
    return settle(request, {.kind = Kind::unsent, .text = "the carrier's limits", .retry_at = runtime_.now()});
  if (carriers::cancel_has_lookup(*carriers_.find(request->carrier)->second->profile()))
    look_up(request);
  else
    cancel(request, "");
}

void CancelWorker::look_up(const Pointer& request) {
  const auto& profile = carriers_.find(request->carrier)->second->profile();
  questions_.ask({.carrier = request->carrier,
                  .operation = carriers::OrderOperation::cancel_lookup,
                  .build =
                      [request, profile](const carriers::Call& call) {
                        return carriers::build_cancel_lookup(*profile, order_of(*request), call);
                      },
                  .read = [this, request, profile](const carriers::HttpAnswer& answer) -> Runtime::Task {
                    return [this, request, said = carriers::map_cancel_lookup(*profile, answer)]() mutable {
                      if (said.kind == carriers::CancelLookupAnswer::Kind::found)
                        cancel(request, std::move(said.shipment_id));
                      else
                        unsent(request, "not looked up: " + said.text, Instant{});
                    };
                  },
                  .unanswered =
                      [this, request](const NoAnswer& why) {
                        // A look that failed has cancelled nothing, however far it came.
                        unsent(request, in_words(why), Instant{});
                      }});
}

void CancelWorker::cancel(const Pointer& request, std::string carriers_own_id) {
  const auto& profile = carriers_.find(request->carrier)->second->profile();
  questions_.ask({.carrier = request->carrier,
                  .operation = carriers::OrderOperation::cancel,
                  .build =
                      [request, profile, carriers_own_id = std::move(carriers_own_id)](const carriers::Call& call) {
                        auto http = carriers::build_cancel(*profile, order_of(*request, carriers_own_id), call);
                        if (http)
                          log(Level::info, "cancel_asked",
                              {{"carrier", request->carrier},
                               {"remito", request->remito},
                               {"order", request->order_number},
                               {"request_key", request->request_key},
                               {"attempt", request->attempts}});
                        return http;
                      },
                  .read = [this, request, profile](carriers::HttpAnswer answer) -> Runtime::Task {
                    carriers::CancelAnswer said = carriers::map_cancel(*profile, answer);
                    return [this, request, answer = std::move(answer), said = std::move(said)]() mutable {
                      answered(request, std::move(answer), std::move(said));
                    };
                  },
                  .unanswered = [this, request](const NoAnswer& why) { not_answered(request, why); }});
}

void CancelWorker::answered(const Pointer& request, carriers::HttpAnswer answer, carriers::CancelAnswer said) {
  using Said = carriers::CancelAnswer::Kind;
  if (said.kind != Said::accepted)
    raw_.keep({request->carrier, "cancel", request->remito, said.refusal_text, answer.status, answer.content_type,
               std::move(answer.body)});
  if (said.kind == Said::try_again)
    return unsent(request, std::move(said.refusal_text), runtime_.now() + put_off_pause(answer.retry_after));
  db::CancelOutcome outcome;
  outcome.kind = said.kind == Said::accepted  ? Kind::cancelled
                 : said.kind == Said::refused ? Kind::refused
                                              : Kind::unknown;
  outcome.code = std::move(said.refusal_code);
  outcome.text = std::move(said.refusal_text);
  settle(request, std::move(outcome));
}

void CancelWorker::not_answered(const Pointer& request, const NoAnswer& why) {
  if (may_have_arrived(why)) return settle(request, {.kind = Kind::unknown, .text = in_words(why)});
  if (std::holds_alternative<carriers::RequestError>(why))
    return settle(request, {.kind = Kind::refused, .code = "request", .text = in_words(why)});
  const auto* const login = std::get_if<carriers::Session::Failed>(&why);
  unsent(request, in_words(why), login ? login->retry_at : Instant{});
}

void CancelWorker::unsent(const Pointer& request, std::string why, Instant retry_at) {
  const Instant now = runtime_.now();
  if (now >= request->accepted_at + unsent_time)
    return settle(request, {.kind = Kind::needs_operator,
                            .code = "unreachable",
                            .text = "the carrier has not dealt with it for three days: " + why});
  settle(request, {.kind = Kind::unsent,
                   .text = std::move(why),
                   .retry_at = std::max(now + unsent_pause(request->attempts), retry_at)});
}

void CancelWorker::settle(const Pointer& request, db::CancelOutcome outcome) {
  const CarrierAccess& access = *carriers_.find(request->carrier)->second;
  outcome.cancel_id = request->cancel_id;
  outcome.fencing_token = request->fencing_token;
  outcome.code = access.redact(std::move(outcome.code));
  outcome.text = access.redact(std::move(outcome.text));
  if (outcome.kind == Kind::unknown) outcome.retry_at = runtime_.now() + first_look;
  executor_.run<bool>(
      [outcome, rules = rules_of(*access.profile()), now = runtime_.now()](db::Session& session) {
        return db::settle_cancel(session, outcome, rules, now);
      },
      [this, request, outcome](const db::DbResult<bool>& settled) {
        database_trouble_ = !settled;
        if (!settled && settled.error().retryable()) {
          // The answer is kept, and written as soon as the database takes it.
          unsettled_.emplace_back(request, outcome);
          return settle_alarm_->set(runtime_.in(database_retry));
        }
        working_on_.erase(request->cancel_id);
        log(outcome.kind == Kind::needs_operator || !settled ? Level::error : Level::info, "cancel_settled",
            {{"carrier", request->carrier},
             {"remito", request->remito},
             {"request_key", request->request_key},
             {"state", name(outcome.kind)},
             {"text", outcome.text},
             {"stale", settled && !*settled},
             {"error", settled ? "" : settled.error().message}});
        if (outcome.kind == Kind::cancelled) hooks_.transitions_written();
        wake();
      });
}

void CancelWorker::stop() {
  stopping_ = true;
  alarm_->cancel();
}

}  // namespace remitod::daemon
