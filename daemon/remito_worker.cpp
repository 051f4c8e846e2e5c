#include "daemon/remito_worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "carriers/request.h"
#include "daemon/log.h"

namespace remitod::daemon {
namespace {

using carriers::CreateAnswer;
using db::RequestOutcome;

constexpr std::size_t accept_max = 1000;
// A claim's lease outlasts the call's total deadline: a paused worker's write is stopped by its token, its call by
// nothing.
constexpr std::chrono::seconds lease_margin{30};
constexpr std::chrono::seconds unsent_retry_first{5};
constexpr std::chrono::seconds unsent_retry_max{600};
constexpr std::chrono::seconds database_retry{2};
constexpr std::chrono::milliseconds look_again{200};

std::chrono::seconds unsent_pause(int attempts) {
  const int doublings = std::clamp(attempts - 1, 0, 10);
  return std::min(unsent_retry_first * (1 << doublings), unsent_retry_max);
}

carriers::CreateOrder order_of(const db::RemitoRequest& request) {
  return {request.order_number, request.parcel_group, request.service, request.client_ref, request.payload};
}

RequestOutcome outcome_of(const db::RemitoRequest& request, RequestOutcome::Kind kind) {
  RequestOutcome outcome;
  outcome.request_id = request.request_id;
  outcome.fencing_token = request.fencing_token;
  outcome.kind = kind;
  return outcome;
}

std::string_view name(RequestOutcome::Kind kind) {
  switch (kind) {
    case RequestOutcome::Kind::granted:
      return "granted";
    case RequestOutcome::Kind::refused:
      return "refused";
    case RequestOutcome::Kind::unknown:
      return "unknown";
    case RequestOutcome::Kind::unsent:
      return "unsent";
  }
  std::unreachable();
}

}  // namespace

RemitoWorker::RemitoWorker(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper,
                           db::Executor& executor, RawKeeper& raw, Hooks hooks)
    : runtime_(runtime),
      transport_(transport),
      mapper_(mapper),
      executor_(executor),
      raw_(raw),
      hooks_(std::move(hooks)),
      sweep_alarm_(runtime.alarm([this] { wake(); })),
      settle_alarm_(runtime.alarm([this] {
        settle_paused_ = false;
        settle();
      })) {}

void RemitoWorker::add_carrier(std::shared_ptr<const carriers::Profile> profile, std::size_t concurrency) {
  std::string carrier = profile->name();
  carriers_[std::move(carrier)] = {std::move(profile), concurrency, 0};
}

void RemitoWorker::wake() {
  if (stopping_) return;
  if (sweeping_)
    sweep_again_ = true;
  else
    sweep();
}

// How many requests each carrier would take now. They are kept from the polls until the sweep is back.
RemitoWorker::Rooms RemitoWorker::make_room() {
  Rooms rooms;
  for (const auto& [carrier, state] : carriers_) {
    if (!state.profile->can_create()) continue;
    const std::size_t places = state.concurrency - std::min(state.concurrency, state.in_flight);
    const std::size_t room = std::min(places, hooks_.spare_requests(carrier));
    if (room != 0) hooks_.reserve_requests(carrier, room);
    rooms[carrier] = room;
  }
  return rooms;
}

// One transaction: new rows are accepted, impossible ones refused, and what may be sent now is claimed.
void RemitoWorker::sweep() {
  sweeping_ = true;
  const Rooms rooms = make_room();
  std::vector<std::string> known;
  std::chrono::milliseconds longest_call{0};
  for (const auto& [carrier, room] : rooms) {
    known.push_back(carrier);
    longest_call = std::max(longest_call, carriers_.find(carrier)->second.profile->transport_options()->total_timeout);
  }
  const Instant now = runtime_.now();
  executor_.run<Claimed>(
      [rooms, known = std::move(known), now,
       lease = now + longest_call + lease_margin](db::Session& session) -> db::DbResult<Claimed> {
        Claimed result;
        auto accepted = db::accept_new_requests(session, now, accept_max);
        if (!accepted) return std::unexpected(accepted.error());
        auto refused = db::refuse_unknown_carriers(session, known, now);
        if (!refused) return std::unexpected(refused.error());
        result.changed = *accepted != 0 || *refused != 0;
        auto due = db::next_request_due(session);
        if (!due) return std::unexpected(due.error());
        if (*due && **due <= now)
          for (const auto& [carrier, room] : rooms) {
            if (room == 0) continue;
            auto requests = db::claim_requests(session, std::span{&carrier, 1}, now, lease, room);
            if (!requests) return std::unexpected(requests.error());
            std::ranges::move(*requests, std::back_inserter(result.requests));
          }
        due = db::next_request_due(session);
        if (!due) return std::unexpected(due.error());
        result.next_due = *due;
        return result;
      },
      [this, rooms](db::DbResult<Claimed> result) { claimed(rooms, std::move(result)); });
}

void RemitoWorker::claimed(const Rooms& rooms, db::DbResult<Claimed> result) {
  sweeping_ = false;
  database_trouble_ = !result;
  if (!result) {
    log(Level::error, "remito_queue_unreadable", {{"error", result.error().message}});
    reserve_for_waiting(rooms, false);
    sweep_alarm_->set(runtime_.in(database_retry));
    return;
  }
  if (result->changed) hooks_.transitions_written();
  Rooms left = rooms;
  for (db::RemitoRequest& request : result->requests) {
    --left[request.carrier];
    send(std::move(request));
  }
  reserve_for_waiting(left, result->next_due && *result->next_due <= runtime_.now());
  // Rows that wait for their retry time, for the carrier's rate or for a free place: look again then.
  if (result->next_due) sweep_alarm_->set(std::max(*result->next_due, runtime_.in(look_again)));
  if (std::exchange(sweep_again_, false)) wake();
}

// Where rows are left over, they are of carriers whose room was used up. What next comes free there is theirs: polls
// that are late would take it before we look again.
void RemitoWorker::reserve_for_waiting(const Rooms& rooms, bool some_wait) {
  for (const auto& [carrier, room] : rooms) hooks_.reserve_requests(carrier, some_wait && room == 0 ? 1 : 0);
}

void RemitoWorker::send(db::RemitoRequest claimed_request) {
  const auto request = std::make_shared<const db::RemitoRequest>(std::move(claimed_request));
  Carrier& carrier = carriers_.find(request->carrier)->second;
  ++carrier.in_flight;
  auto http = carriers::build_create(*carrier.profile, order_of(*request), runtime_.now());
  if (!http) {
    RequestOutcome outcome = outcome_of(*request, RequestOutcome::Kind::refused);
    outcome.code = "request";
    outcome.text = http.error().field + ": " + http.error().message;
    return ended({std::move(outcome), request->carrier});
  }
  const std::string hash = std::to_string(fingerprint(http->method + '\n' + http->url + '\n' + http->body));
  log(Level::info, "remito_asked",
      {{"carrier", request->carrier},
       {"order", request->order_number},
       {"request_key", request->request_key},
       {"client_ref", request->client_ref},
       {"attempt", request->attempts}});
  hooks_.request_sent(request->carrier);
  transport_.submit(std::move(*http), [this, request, hash](carriers::FetchResult result) {
    hooks_.request_answered(request->carrier);
    answered(request, hash, std::move(result));
  });
}

void RemitoWorker::answered(const std::shared_ptr<const db::RemitoRequest>& request, std::string hash,
                            carriers::FetchResult result) {
  if (!result) {
    const carriers::FetchError& error = result.error();
    RequestOutcome outcome =
        outcome_of(*request, error.provably_unsent ? RequestOutcome::Kind::unsent : RequestOutcome::Kind::unknown);
    outcome.text = std::string(carriers::name(error.kind)) + ": " + error.message;
    outcome.request_hash = std::move(hash);
    outcome.retry_at = runtime_.now() + unsent_pause(request->attempts);
    return ended({std::move(outcome), request->carrier});
  }
  mapper_.run([this, request, hash = std::move(hash), answer = std::move(*result),
               profile = carriers_.find(request->carrier)->second.profile]() mutable -> Runtime::Task {
    CreateAnswer said = carriers::map_create(*profile, answer, order_of(*request));
    return [this, request, hash = std::move(hash), answer = std::move(answer), said = std::move(said)]() mutable {
      const auto kind = said.kind == CreateAnswer::Kind::granted   ? RequestOutcome::Kind::granted
                        : said.kind == CreateAnswer::Kind::refused ? RequestOutcome::Kind::refused
                                                                   : RequestOutcome::Kind::unknown;
      RequestOutcome outcome = outcome_of(*request, kind);
      outcome.remito = std::move(said.remito);
      outcome.code = std::move(said.refusal_code);
      outcome.text = std::move(said.refusal_text);
      outcome.request_hash = std::move(hash);
      if (kind != RequestOutcome::Kind::granted)
        raw_.keep({request->carrier, "create", outcome.remito, outcome.text.empty() ? "unclear" : outcome.text,
                   answer.status, answer.content_type, std::move(answer.body)});
      ended({std::move(outcome), request->carrier});
    };
  });
}

void RemitoWorker::ended(Ended ended) {
  waiting_.push_back(std::move(ended));
  settle();
}

void RemitoWorker::settle() {
  if (settling_ || settle_paused_ || waiting_.empty()) return;
  settling_ = true;
  const auto end = one_by_one_ == 0 ? waiting_.end() : waiting_.begin() + 1;
  auto taken =
      std::make_shared<std::vector<Ended>>(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  std::vector<RequestOutcome> outcomes;
  outcomes.reserve(taken->size());
  for (const Ended& one : *taken) outcomes.push_back(one.outcome);
  executor_.run<std::vector<db::SettledRequest>>(
      [outcomes = std::move(outcomes), now = runtime_.now()](db::Session& session) {
        return db::settle_requests(session, outcomes, now);
      },
      [this, taken](db::DbResult<std::vector<db::SettledRequest>> result) { settled(*taken, std::move(result)); });
}

void RemitoWorker::settled(const std::vector<Ended>& ended, db::DbResult<std::vector<db::SettledRequest>> result) {
  settling_ = false;
  database_trouble_ = !result;
  if (!result) return not_settled(ended, result.error());
  one_by_one_ -= std::min(one_by_one_, ended.size());
  for (std::size_t i = 0; i < ended.size(); ++i) {
    const RequestOutcome& outcome = ended[i].outcome;
    const db::SettledRequest& settled = (*result)[i];
    free_place(ended[i]);
    const auto kind = settled.remito_in_use ? RequestOutcome::Kind::unknown : outcome.kind;
    switch (kind) {
      case RequestOutcome::Kind::granted:
        ++counters_.granted;
        break;
      case RequestOutcome::Kind::refused:
        ++counters_.refused;
        break;
      case RequestOutcome::Kind::unknown:
        ++counters_.unknown;
        break;
      case RequestOutcome::Kind::unsent:
        ++counters_.unsent;
        break;
    }
    log(kind == RequestOutcome::Kind::unknown ? Level::error : Level::info, "remito_settled",
        {{"carrier", ended[i].carrier},
         {"request_id", outcome.request_id},
         {"state", name(kind)},
         {"remito", outcome.remito},
         {"code", outcome.code},
         {"text", outcome.text},
         {"stale", settled.stale}});
    if (settled.shipment) hooks_.shipment_granted(*settled.shipment);
  }
  hooks_.transitions_written();
  settle();
  wake();
}

// Trouble that passes: the answers are kept and written as soon as the database takes them, for a granted remito must
// not be lost. An outcome that it refuses: found by going one by one. A person has to know of it, so it is `unknown`
// and says what the carrier answered; if even that cannot be written, the log has it and the next start finds the
// request cut off.
void RemitoWorker::not_settled(std::vector<Ended> ended, const db::DbError& error) {
  const bool passes = error.retryable();
  log(Level::error, passes ? "remito_settlement_delayed" : "remito_settlement_refused",
      {{"requests", ended.size()},
       {"request_id", ended.front().outcome.request_id},
       {"remito", ended.front().outcome.remito},
       {"error", error.message}});
  if (passes) {
    settle_paused_ = true;
    settle_alarm_->set(runtime_.in(database_retry));
  } else if (ended.size() > 1) {
    one_by_one_ = ended.size();
  } else if (RequestOutcome& outcome = ended.front().outcome; outcome.kind != RequestOutcome::Kind::unknown) {
    outcome.text = "the carrier's answer (" + std::string(name(outcome.kind)) + " " + printable(outcome.remito) + " " +
                   printable(outcome.text) + ") could not be stored: " + printable(error.message);
    outcome.kind = RequestOutcome::Kind::unknown;
    outcome.remito.clear();
    outcome.code = "database";
  } else {
    free_place(ended.front());
    one_by_one_ -= std::min<std::size_t>(one_by_one_, 1);
    ended.clear();
  }
  waiting_.insert(waiting_.begin(), std::make_move_iterator(ended.begin()), std::make_move_iterator(ended.end()));
  settle();
}

void RemitoWorker::free_place(const Ended& ended) {
  --carriers_.find(ended.carrier)->second.in_flight;
}

void RemitoWorker::stop() {
  stopping_ = true;
  sweep_alarm_->cancel();
}

bool RemitoWorker::idle() const {
  return waiting_.empty() && !settling_ && !sweeping_ &&
         std::ranges::all_of(carriers_, [](const auto& entry) { return entry.second.in_flight == 0; });
}

}  // namespace remitod::daemon
