// What the remito worker asks besides creating shipments: what became of a request that was accepted, whether a call
// without a clear answer made a shipment, and for the next range of numbers. All of them may be asked again.
#include <algorithm>
#include <utility>

#include "carriers/remito.h"
#include "daemon/log.h"
#include "daemon/remito_outcome.h"
#include "daemon/remito_worker.h"

namespace remitod::daemon {

using carriers::ConfirmAnswer;
using db::RequestOutcome;

void RemitoWorker::begin_confirmation(const db::RemitoRequest& request, RequestOutcome& outcome) const {
  const auto pace = carriers::confirmation_pace(*carriers_.find(request.carrier)->second.profile);
  outcome.retry_at = runtime_.now() + pace->interval;
  outcome.confirm_until = runtime_.now() + pace->give_up_after;
}

// The last look is at the deadline itself, however late it comes: a daemon that stood still has not asked yet.
void RemitoWorker::still_accepted(const db::RemitoRequest& request, std::string seen) {
  const Instant now = runtime_.now();
  const Instant until = request.confirm_until.value_or(now);
  if (now >= until)
    return conclude(request, {.kind = RemitoNews::Kind::not_confirmed,
                              .code = std::string(db::refusal_not_confirmed),
                              .text = "the carrier accepted it, and neither granted nor refused it until " +
                                      to_iso8601(until) + (seen.empty() ? "" : "; last seen: " + seen)});
  const auto pace = carriers::confirmation_pace(*carriers_.find(request.carrier)->second.profile);
  RequestOutcome outcome = outcome_of(request, RequestOutcome::Kind::accepted);
  outcome.retry_at = std::min(now + pace->interval, until);
  outcome.text = std::move(seen);
  ended({std::move(outcome), request.carrier});
}

void RemitoWorker::look(db::RemitoRequest claimed_request) {
  const auto request = std::make_shared<const db::RemitoRequest>(std::move(claimed_request));
  Carrier& carrier = carriers_.find(request->carrier)->second;
  ++carrier.in_flight;
  CarrierQuestions::Question question;
  question.carrier = request->carrier;
  question.operation = carriers::OrderOperation::confirm;
  question.build = [request, profile = carrier.profile](const carriers::Call& call) {
    return carriers::build_confirm(*profile, order_of(*request), call);
  };
  question.read = [this, request, profile = carrier.profile](carriers::HttpAnswer answer) -> Runtime::Task {
    ConfirmAnswer said = carriers::map_confirm(*profile, answer, order_of(*request));
    return [this, request, answer = std::move(answer), said = std::move(said)]() mutable {
      confirmed(*request, std::move(answer), std::move(said));
    };
  };
  question.unanswered = [this, request](const NoAnswer& why) { still_accepted(*request, in_words(why)); };
  questions_.ask(std::move(question));
}

void RemitoWorker::confirmed(const db::RemitoRequest& request, carriers::HttpAnswer answer, ConfirmAnswer said) {
  if (said.kind == ConfirmAnswer::Kind::refused || said.kind == ConfirmAnswer::Kind::unclear)
    raw_.keep({.carrier = request.carrier,
               .operation = "confirm",
               .remito = request.proposed_remito,
               .why = said.refusal_text,
               .http_status = answer.status,
               .content_type = answer.content_type,
               .body = std::move(answer.body),
               .request_id = request.request_id});
  if (said.kind == ConfirmAnswer::Kind::pending || said.kind == ConfirmAnswer::Kind::unclear)
    return still_accepted(request, std::move(said.refusal_text));
  const bool is_granted = said.kind == ConfirmAnswer::Kind::granted;
  RequestOutcome outcome =
      outcome_of(request, is_granted ? RequestOutcome::Kind::granted : RequestOutcome::Kind::refused);
  outcome.remito = std::move(said.remito);
  outcome.code = std::move(said.refusal_code);
  outcome.text = std::move(said.refusal_text);
  ended({std::move(outcome), request.carrier});
}

// ------------------------------------------------------------------ our reference

void RemitoWorker::find(db::RemitoRequest claimed_request) {
  const auto request = std::make_shared<const db::RemitoRequest>(std::move(claimed_request));
  Carrier& carrier = carriers_.find(request->carrier)->second;
  ++carrier.in_flight;
  known_since_.try_emplace(request->request_id, runtime_.steady());
  CarrierQuestions::Question question;
  question.carrier = request->carrier;
  question.operation = carriers::OrderOperation::find;
  const auto asked_after = std::make_shared<std::chrono::microseconds>();
  question.build = [this, request, asked_after, profile = carrier.profile](const carriers::Call& call) {
    *asked_after = since_unclear(*request);
    return carriers::build_find(*profile, order_of(*request), call);
  };
  question.read = [this, request, asked_after,
                   profile = carrier.profile](carriers::HttpAnswer answer) -> Runtime::Task {
    carriers::FindAnswer said = carriers::map_find(*profile, answer, request->client_ref);
    return [this, request, asked_after, answer = std::move(answer), said = std::move(said)]() mutable {
      found(*request, *asked_after, std::move(answer), std::move(said));
    };
  };
  question.unanswered = [this, request](const NoAnswer& why) {
    conclude(*request, {.kind = RemitoNews::Kind::find_failed, .text = in_words(why)});
  };
  questions_.ask(std::move(question));
}

// A miss proves something only when enough time had passed as the carrier was asked. The clock may have been set since
// the call ended, so it is measured by another. That one knows nothing of what was before us: a call of an earlier
// process had ended when we began, and how long before nobody can tell. But of one that may have lived on elsewhere the
// row says when its lease ends.
std::chrono::microseconds RemitoWorker::since_unclear(const db::RemitoRequest& request) const {
  const auto since = unclear_since_.find(request.request_id);
  if (since != unclear_since_.end()) return runtime_.steady() - since->second;
  const Instant::duration lease = carriers_.find(request.carrier)->second.profile->longest_call() + lease_margin;
  const Instant::duration lived_on = request.unclear_at.value_or(begun_at_) - begun_at_;
  const Instant::duration since_begun = runtime_.steady() - begun_;
  return std::max(since_begun - std::clamp(lived_on, Instant::duration{0}, lease), Instant::duration{0});
}

void RemitoWorker::found(const db::RemitoRequest& request, std::chrono::microseconds asked_after,
                         carriers::HttpAnswer answer, carriers::FindAnswer said) {
  using Kind = carriers::FindAnswer::Kind;
  if (said.kind == Kind::several || said.kind == Kind::unclear)
    raw_.keep({.carrier = request.carrier,
               .operation = "find",
               .remito = "",
               .why = said.text,
               .http_status = answer.status,
               .content_type = answer.content_type,
               .body = std::move(answer.body),
               .request_id = request.request_id});
  conclude(request, {.kind = said.kind == Kind::found       ? RemitoNews::Kind::found
                             : said.kind == Kind::several   ? RemitoNews::Kind::several
                             : said.kind == Kind::not_found ? RemitoNews::Kind::not_found
                                                            : RemitoNews::Kind::find_failed,
                     .remito = std::move(said.remito),
                     .text = std::move(said.text),
                     .parcels = said.parcels,
                     .asked_after = asked_after});
}

// ------------------------------------------------------------------ ranges

void RemitoWorker::refill(const RefillTurn& turn) {
  Carrier& carrier = carriers_.find(turn.carrier)->second;
  ++carrier.in_flight;
  CarrierQuestions::Question question;
  question.carrier = turn.carrier;
  question.operation = carriers::OrderOperation::range;
  question.build = [turn, profile = carrier.profile](const carriers::Call& call) {
    log(Level::info, "remito_range_asked", {{"carrier", turn.carrier}});
    return carriers::build_range(*profile, call);
  };
  question.read = [this, turn, profile = carrier.profile](const carriers::HttpAnswer& answer) -> Runtime::Task {
    Blocks blocks;
    if (auto read = carriers::map_range(*profile, answer))
      for (carriers::NumberBlock& block : *read) blocks->push_back({std::move(block.first), std::move(block.last)});
    else
      blocks = std::unexpected(read.error().message);
    return [this, turn, blocks = std::move(blocks)]() mutable { refilled(turn, std::move(blocks)); };
  };
  question.unanswered = [this, turn](const NoAnswer& why) { refilled(turn, std::unexpected(in_words(why))); };
  questions_.ask(std::move(question));
}

void RemitoWorker::refilled(const RefillTurn& turn, Blocks blocks) {
  if (!blocks) blocks = std::unexpected(carriers_.find(turn.carrier)->second.access->redact(std::move(blocks.error())));
  store_ranges({turn, std::move(blocks)});
}

// The carrier gives each number once: a range waits for the database, as a granted remito does.
void RemitoWorker::store_ranges(Refilled refilled) {
  const Instant now = runtime_.now();
  using Added = std::expected<std::int64_t, std::string>;
  executor_.run<Added>(
      [refilled, now](db::Session& session) -> db::DbResult<Added> {
        const auto& [turn, blocks] = refilled;
        Added added = blocks ? Added(0) : Added(std::unexpected(blocks.error()));
        if (blocks) {
          auto kept = db::add_number_ranges(session, turn.carrier, *blocks, now);
          if (!kept) return std::unexpected(kept.error());
          added = *std::move(kept);
        }
        auto done = db::end_refill(session, turn.carrier, turn.claimed_until, added ? "" : added.error(),
                                   added ? now : now + unsent_pause(turn.failures + 1));
        if (!done) return std::unexpected(done.error());
        return added;
      },
      [this, refilled](const db::DbResult<Added>& added) mutable {
        const auto& [turn, blocks] = refilled;
        if (!added) {
          const bool passes = added.error().retryable();
          // One that is refused is lost to us, not to the people who read this: they can state it.
          log(Level::error, passes ? "remito_range_delayed" : "remito_range_lost",
              {{"carrier", turn.carrier},
               {"first", blocks ? blocks->front().first : ""},
               {"last", blocks ? blocks->back().last : ""},
               {"error", added.error().message}});
          if (passes) {
            unstored_.push_back(std::move(refilled));
            return ranges_alarm_->set(runtime_.in(database_retry));
          }
        } else if (!*added) {
          log(Level::error, "remito_range_failed", {{"carrier", turn.carrier}, {"error", added->error()}});
        } else {
          log(Level::info, "remito_range_received", {{"carrier", turn.carrier}, {"numbers", **added}});
        }
        free_place(turn.carrier);
        wake();
      });
}

// Said once for each time that the numbers run low: it is for people where the carrier is not asked.
void RemitoWorker::note_numbers_left(const std::string& name, std::int64_t left) {
  Carrier& carrier = carriers_.find(name)->second;
  const auto needs = carriers::range_needs(*carrier.profile);
  const bool is_low = left < needs->low_water;
  if (is_low && !std::exchange(carrier.numbers_low, is_low))
    log(needs->can_ask ? Level::info : Level::warning, "remito_numbers_low", {{"carrier", name}, {"left", left}});
  carrier.numbers_low = is_low;
}

}  // namespace remitod::daemon
