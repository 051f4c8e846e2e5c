#include "daemon/remito_worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "carriers/request.h"
#include "daemon/log.h"
#include "daemon/remito_outcome.h"
#include "db/unheard_commits.h"

namespace remitod::daemon {
namespace {

using carriers::CreateAnswer;
using carriers::HttpAnswer;
using db::RequestOutcome;

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
    case RequestOutcome::Kind::renumber:
      return "renumber";
    case RequestOutcome::Kind::accepted:
      return "accepted";
    case RequestOutcome::Kind::not_made:
      return "not_made";
    case RequestOutcome::Kind::needs_operator:
      return "needs_operator";
  }
  std::unreachable();
}

RemitoNews::Kind news_of(CreateAnswer::Kind said) {
  switch (said) {
    case CreateAnswer::Kind::granted:
      return RemitoNews::Kind::granted;
    case CreateAnswer::Kind::refused:
      return RemitoNews::Kind::refused;
    case CreateAnswer::Kind::unknown:
      return RemitoNews::Kind::unclear;
    case CreateAnswer::Kind::accepted:
      return RemitoNews::Kind::accepted;
    case CreateAnswer::Kind::number_refused:
      return RemitoNews::Kind::number_refused;
    case CreateAnswer::Kind::try_again:
      return RemitoNews::Kind::put_off;
  }
  std::unreachable();
}

}  // namespace

RemitoWorker::RemitoWorker(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper,
                           db::Executor& executor, RawKeeper& raw, Hooks hooks)
    : runtime_(runtime),
      executor_(executor),
      raw_(raw),
      hooks_(std::move(hooks)),
      questions_(runtime, transport, mapper, hooks_.orders),
      sweep_alarm_(runtime.alarm([this] { wake(); })),
      settle_alarm_(runtime.alarm([this] {
        settle_paused_ = false;
        settle();
      })),
      ranges_alarm_(runtime.alarm([this] {
        for (Refilled& refilled : std::exchange(unstored_, {})) store_ranges(std::move(refilled));
      })),
      begun_(runtime.steady()),
      begun_at_(runtime.now()) {}

void RemitoWorker::add_carrier(std::shared_ptr<CarrierAccess> access, std::size_t concurrency) {
  auto profile = access->profile();
  const std::string& name = profile->name();
  questions_.add_carrier(access);
  carriers_[name] = {.access = std::move(access), .profile = std::move(profile), .concurrency = concurrency};
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

void RemitoWorker::sweep() {
  sweeping_ = true;
  const Rooms rooms = make_room();
  SweepPlan plan;
  std::chrono::milliseconds longest_call{0};
  for (const auto& [carrier, room] : rooms) {
    const auto& profile = carriers_.find(carrier)->second.profile;
    plan.carriers.push_back({profile, room});
    longest_call = std::max(longest_call, profile->longest_call());
  }
  plan.working_on.assign(working_on_.begin(), working_on_.end());
  plan.unheard_since = unheard_since_;
  plan.now = runtime_.now();
  plan.lease_expires_at = plan.now + longest_call + lease_margin;
  executor_.run<Swept>([plan](db::Session& session) { return sweep_requests(session, plan); },
                       [this, rooms, now = plan.now, until = plan.lease_expires_at,
                        looked = plan.unheard_since](db::DbResult<Swept> result) {
                         note_unheard(now, result.has_value(), looked);
                         swept(rooms, now, until, std::move(result));
                       });
}

void RemitoWorker::swept(const Rooms& rooms, Instant claimed_at, Instant lease_expires_at, db::DbResult<Swept> result) {
  sweeping_ = false;
  // What failed before may have been committed all the same.
  const bool trouble_before = std::exchange(database_trouble_, !result);
  if (!result) {
    log(Level::error, "remito_queue_unreadable", {{"error", result.error().message}});
    reserve_for_waiting(rooms, {});
    sweep_alarm_->set(runtime_.in(database_retry));
    return;
  }
  for (const Swept::Settled& one : result->settled) tell(one.carrier, one.outcome, one.result);
  for (const std::int64_t request_id : result->given_up) unclear_since_[request_id] = runtime_.steady();
  if (!result->given_up.empty())
    log(Level::error, "remito_requests_interrupted", {{"requests", result->given_up.size()}, {"state", "unknown"}});
  for (const db::OpenShipment& shipment : result->unheard) hooks_.shipment_granted(shipment);
  if (result->changed || trouble_before) hooks_.transitions_written();
  Rooms left = rooms;
  for (db::RemitoRequest& request : result->calls) {
    --left[request.carrier];
    send(std::move(request), claimed_at);
  }
  for (db::RemitoRequest& request : result->looks) {
    --left[request.carrier];
    look(std::move(request));
  }
  for (db::RemitoRequest& request : result->finds) {
    --left[request.carrier];
    find(std::move(request));
  }
  for (const auto& [carrier, failures] : result->refills) {
    --left[carrier];
    refill({carrier, lease_expires_at, failures});
  }
  for (const auto& [carrier, numbers] : result->numbers_left) note_numbers_left(carrier, numbers);
  reserve_for_waiting(left, result->waiting);
  // Rows that wait for their retry time, for the carrier's rate or for a free place: look again then.
  if (result->next_due)
    sweep_alarm_->set(
        std::max(*result->next_due, runtime_.in(look_again(result->waiting, runtime_.now(), hooks_.rests_until))));
  if (std::exchange(sweep_again_, false)) wake();
}

// Where rows are left over of a carrier whose room was used up, what next comes free there is theirs: polls that are
// late would take it before we look again. Nothing is kept from the polls of other carriers.
void RemitoWorker::reserve_for_waiting(const Rooms& rooms, const std::set<std::string>& waiting) {
  for (const auto& [carrier, room] : rooms)
    hooks_.reserve_requests(carrier, room == 0 && waiting.contains(carrier) ? 1 : 0);
}

void RemitoWorker::send(db::RemitoRequest claimed_request, Instant claimed_at) {
  const auto request = std::make_shared<const db::RemitoRequest>(std::move(claimed_request));
  Carrier& carrier = carriers_.find(request->carrier)->second;
  ++carrier.in_flight;
  working_on_.insert(request->request_id);
  if (!request->unclear_at) known_since_.erase(request->request_id);  // of a story that a person has ended
  known_since_.try_emplace(request->request_id, runtime_.steady());
  // We were stopped since it was claimed: at its end the call would outlast the lease, and another process may have it.
  if (runtime_.now() > claimed_at + lease_margin)
    return conclude(*request, {.kind = RemitoNews::Kind::unsent, .text = "claimed too long ago to be sent"});
  // Its turn may have come long after it was decided: the carrier was closed, or the host suspended.
  if (request->unclear_at) {
    const RequestOutcome step =
        decide(*request, {.kind = RemitoNews::Kind::due_again, .known_for = known_for(request->request_id)},
               carriers::promises(*carrier.profile), runtime_.now());
    if (step.next_step != RequestOutcome::NextStep::resend)
      return conclude(*request, {.kind = RemitoNews::Kind::due_again});
  }
  const auto hash = std::make_shared<std::string>();  // of the request that was sent last
  CarrierQuestions::Question question;
  question.carrier = request->carrier;
  question.operation = carriers::OrderOperation::create;
  question.build = [request, hash, profile = carrier.profile](const carriers::Call& call) {
    auto http = carriers::build_create(*profile, order_of(*request), call);
    if (!http) return http;
    *hash = std::to_string(fingerprint(http->method + '\n' + http->url + '\n' + http->body));
    log(Level::info, "remito_asked",
        {{"carrier", request->carrier},
         {"order", request->order_number},
         {"request_key", request->request_key},
         {"client_ref", request->client_ref},
         {"attempt", request->attempts}});
    return http;
  };
  question.read = [this, request, hash, profile = carrier.profile](HttpAnswer answer) -> Runtime::Task {
    CreateAnswer said = carriers::map_create(*profile, answer, order_of(*request));
    return [this, request, hash, answer = std::move(answer), said = std::move(said)]() mutable {
      answered(*request, *hash, std::move(answer), std::move(said));
    };
  };
  question.unanswered = [this, request, hash](const NoAnswer& why) { not_answered(*request, *hash, why); };
  questions_.ask(std::move(question));
}

std::chrono::microseconds RemitoWorker::known_for(std::int64_t request_id) const {
  const auto since = known_since_.find(request_id);
  return since == known_since_.end() ? std::chrono::microseconds{0} : runtime_.steady() - since->second;
}

void RemitoWorker::not_answered(const db::RemitoRequest& request, std::string hash, const NoAnswer& why) {
  RemitoNews news{.text = in_words(why)};
  if (const auto* const fetch = std::get_if<carriers::FetchError>(&why)) {
    news.kind = fetch->provably_unsent ? RemitoNews::Kind::unsent : RemitoNews::Kind::unclear;
  } else if (const auto* const login = std::get_if<carriers::Session::Failed>(&why)) {
    news.kind = RemitoNews::Kind::unsent;
    news.retry_at = login->retry_at;
  } else {
    news.kind = RemitoNews::Kind::impossible;
    news.code = "request";
  }
  conclude(request, std::move(news), std::move(hash));
}

void RemitoWorker::answered(const db::RemitoRequest& request, std::string hash, HttpAnswer answer, CreateAnswer said) {
  const Instant retry_at = runtime_.now() + put_off_pause(answer.retry_after);
  // Or the account would be locked by so many who try it.
  if (said.refusal_code == CreateAnswer::code_auth && said.kind != CreateAnswer::Kind::refused)
    questions_.judge(request.carrier, {.kind = scheduler::BatchOutcome::Kind::failed, .retry_after = {}});
  if (said.kind != CreateAnswer::Kind::granted && said.kind != CreateAnswer::Kind::accepted)
    raw_.keep({.carrier = request.carrier,
               .operation = "create",
               .remito = said.remito,
               .why = said.refusal_text.empty() ? "unclear" : said.refusal_text,
               .http_status = answer.status,
               .content_type = answer.content_type,
               .body = std::move(answer.body),
               .request_id = request.request_id});
  conclude(request,
           {.kind = news_of(said.kind),
            .remito = std::move(said.remito),
            .code = std::move(said.refusal_code),
            .text = std::move(said.refusal_text),
            .retry_at = retry_at},
           std::move(hash));
}

void RemitoWorker::conclude(const db::RemitoRequest& request, RemitoNews news, std::string hash) {
  const carriers::Profile& profile = *carriers_.find(request.carrier)->second.profile;
  news.known_for = known_for(request.request_id);
  RequestOutcome outcome = decide(request, std::move(news), carriers::promises(profile), runtime_.now());
  outcome.request_hash = std::move(hash);
  if (outcome.call_was_unclear) unclear_since_[request.request_id] = runtime_.steady();
  if (outcome.kind != RequestOutcome::Kind::unknown) {
    if (!outcome.call_was_unclear) unclear_since_.erase(request.request_id);
    known_since_.erase(request.request_id);
  }
  if (outcome.kind == RequestOutcome::Kind::accepted) begin_confirmation(request, outcome);
  ended({std::move(outcome), request.carrier});
}

void RemitoWorker::ended(Ended ended) {
  const Carrier& carrier = carriers_.find(ended.carrier)->second;
  const CarrierAccess& access = *carrier.access;
  const carriers::Promises promises = carriers::promises(*carrier.profile);
  ended.outcome.may_repeat_order = promises.repeats_by_order;
  ended.outcome.may_repeat_cancelled = promises.chooses_remito;
  ended.outcome.code = access.redact(std::move(ended.outcome.code));
  ended.outcome.text = access.redact(std::move(ended.outcome.text));
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
  const Instant now = runtime_.now();
  executor_.run<Settlement>(
      [outcomes = std::move(outcomes), unheard_since = unheard_since_,
       now](db::Session& session) -> db::DbResult<Settlement> {
        Settlement settlement;
        auto settled = db::settle_requests(session, outcomes, now);
        if (!settled) return std::unexpected(settled.error());
        settlement.settled = std::move(*settled);
        if (!unheard_since) return settlement;
        auto unheard = db::shipments_accepted_since(session, std::min(*unheard_since, now));
        if (!unheard) return std::unexpected(unheard.error());
        settlement.unheard = std::move(*unheard);
        return settlement;
      },
      [this, taken, now, looked = unheard_since_](db::DbResult<Settlement> result) {
        settled(*taken, now, looked, std::move(result));
      });
}

void RemitoWorker::settled(const std::vector<Ended>& ended, Instant begun, std::optional<Instant> looked,
                           db::DbResult<Settlement> result) {
  settling_ = false;
  database_trouble_ = !result;
  note_unheard(begun, result.has_value(), looked);
  if (!result) return not_settled(ended, result.error());
  one_by_one_ -= std::min(one_by_one_, ended.size());
  for (std::size_t i = 0; i < ended.size(); ++i) {
    free_place(ended[i].carrier);
    working_on_.erase(ended[i].outcome.request_id);
    tell(ended[i].carrier, ended[i].outcome, result->settled[i]);
  }
  for (const db::OpenShipment& shipment : result->unheard) hooks_.shipment_granted(shipment);
  hooks_.transitions_written();
  settle();
  wake();
}

void RemitoWorker::tell(const std::string& carrier, const RequestOutcome& outcome, const db::SettledRequest& settled) {
  const auto kind = settled.remito_in_use ? RequestOutcome::Kind::needs_operator : outcome.kind;
  if (outcome.kind == RequestOutcome::Kind::not_made || outcome.next_step == RequestOutcome::NextStep::resend)
    ++counters_.resent;
  switch (kind) {
    case RequestOutcome::Kind::granted:
      ++counters_.granted;
      if (outcome.found) ++counters_.adopted;
      break;
    case RequestOutcome::Kind::refused:
      ++counters_.refused;
      break;
    case RequestOutcome::Kind::unknown:
      ++counters_.unknown;
      break;
    case RequestOutcome::Kind::unsent:
    case RequestOutcome::Kind::renumber:
      ++counters_.unsent;
      break;
    case RequestOutcome::Kind::not_made:
      break;
    case RequestOutcome::Kind::needs_operator:
      ++counters_.needs_operator;
      break;
    case RequestOutcome::Kind::accepted:
      ++counters_.accepted;
      break;
  }
  const Level level = kind == RequestOutcome::Kind::needs_operator ? Level::error
                      : kind == RequestOutcome::Kind::unknown      ? Level::warning
                                                                   : Level::info;
  const bool is_end = kind == RequestOutcome::Kind::granted || kind == RequestOutcome::Kind::refused ||
                      kind == RequestOutcome::Kind::needs_operator;
  log(level, is_end ? "remito_settled" : "remito_waits",
      {{"carrier", carrier},
       {"request_id", outcome.request_id},
       {"state", name(kind)},
       {"remito", outcome.remito},
       {"code", outcome.code},
       {"text", outcome.text},
       {"stale", settled.stale}});
  if (settled.ended_shipment_id) hooks_.shipment_ended(carrier, *settled.ended_shipment_id);
  if (settled.shipment) hooks_.shipment_granted(*settled.shipment);
}

// Trouble that passes: the answers are kept and written as soon as the database takes them, for a granted remito must
// not be lost. An outcome that it refuses: found by going one by one. A person has to know of it, so it
// `needs_operator` and says what the carrier answered; if even that cannot be written, the log has it, and when
// its lease is over the request is found cut off.
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
  } else if (RequestOutcome& outcome = ended.front().outcome; outcome.kind != RequestOutcome::Kind::needs_operator) {
    outcome.text = "the carrier's answer (" + std::string(name(outcome.kind)) + " " + printable(outcome.remito) + " " +
                   printable(outcome.text) + ") could not be stored: " + printable(error.message);
    outcome.kind = RequestOutcome::Kind::needs_operator;
    outcome.remito.clear();
    outcome.code = "database";
  } else {
    free_place(ended.front().carrier);
    working_on_.erase(ended.front().outcome.request_id);
    one_by_one_ -= std::min<std::size_t>(one_by_one_, 1);
    ended.clear();
  }
  waiting_.insert(waiting_.begin(), std::make_move_iterator(ended.begin()), std::make_move_iterator(ended.end()));
  settle();
}

// A transaction that was begun then has failed, or has found what was done since `looked`.
void RemitoWorker::note_unheard(Instant begun, bool was_heard, std::optional<Instant> looked) {
  if (!was_heard)
    unheard_since_ = std::min(unheard_since_.value_or(begun), begun);
  else if (unheard_since_ == looked)
    unheard_since_.reset();
}

void RemitoWorker::free_place(std::string_view carrier) {
  --carriers_.find(carrier)->second.in_flight;
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
