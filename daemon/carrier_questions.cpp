#include "daemon/carrier_questions.h"

#include <optional>
#include <utility>

namespace remitod::daemon {

using carriers::FetchResult;
using carriers::HttpAnswer;
using scheduler::BatchOutcome;

namespace {

// Other trouble is the order's, as far as anybody can tell; with a Retry-After of its own a look at what was accepted
// may say "not yet" (202, 404), a server that is too busy says it at 5xx.
std::optional<BatchOutcome> judged(const std::optional<carriers::CarrierTrouble>& trouble, const HttpAnswer& answer) {
  if (!trouble) return BatchOutcome{};
  const bool is_busy = answer.status >= 500 && answer.retry_after;
  if (trouble->kind != carriers::CarrierTrouble::Kind::throttled && !is_busy) return std::nullopt;
  return BatchOutcome{BatchOutcome::Kind::throttled, answer.retry_after};
}

}  // namespace

CarrierQuestions::CarrierQuestions(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper,
                                   OrderHooks hooks)
    : runtime_(runtime), transport_(transport), mapper_(mapper), hooks_(std::move(hooks)) {}

void CarrierQuestions::add_carrier(std::shared_ptr<CarrierAccess> access) {
  const std::string& name = access->profile()->name();
  carriers_[name] = std::move(access);
}

void CarrierQuestions::ask(Question question) {
  send(std::make_shared<const Question>(std::move(question)), {});
}

void CarrierQuestions::unanswered(const Pointer& question, std::uint64_t trial, NoAnswer why) {
  if (trial != 0) hooks_.trial_ended(question->carrier, trial);
  question->unanswered(std::move(why));
}

void CarrierQuestions::judge(const std::string& carrier, const BatchOutcome& outcome) {
  hooks_.judged(carrier, outcome, trial_read_);
}

void CarrierQuestions::send(Pointer question, Way way) {
  CarrierAccess& access = *carriers_.find(question->carrier)->second;
  access.enter([this, &access, question = std::move(question), way](CarrierAccess::Entered session) mutable {
    // The place of the first time, which it has kept. Later: polls would take it before the others who waited with us.
    if (way.again) runtime_.post([this, carrier = question->carrier] { hooks_.request_answered(carrier); });
    if (!session) return unanswered(question, way.trial, std::move(session.error()));
    auto request = question->build(call_in(*session, runtime_.now(), access.random()));
    if (!request) return unanswered(question, way.trial, std::move(request.error()));
    if (const std::uint64_t trial = hooks_.request_sent(question->carrier); trial != 0) way.trial = trial;
    transport_.submit(std::move(*request), [this, question = std::move(question), session = std::move(*session),
                                            way](FetchResult result) mutable {
      if (result)
        return read(std::move(question), way.again ? nullptr : std::move(session), way.trial, std::move(*result));
      if (way.trial != 0) hooks_.trial_ended(question->carrier, way.trial);
      hooks_.request_answered(question->carrier);
      question->unanswered(std::move(result.error()));
    });
  });
}

// With a session it may be made once more. Until it is known not to be, and until what follows from its answer is under
// way, it keeps its place among the carrier's requests: a poll that took it would go out beside them.
void CarrierQuestions::read(Pointer question, SessionPointer session, std::uint64_t trial, HttpAnswer answer) {
  const auto& profile = carriers_.find(question->carrier)->second->profile();
  mapper_.run(question->carrier,
              [this, profile, question, session = std::move(session), trial,
               answer = std::move(answer)]() mutable -> Runtime::Task {
                const auto trouble = carriers::order_trouble(*profile, question->operation, answer);
                if (session && trouble && trouble->kind == carriers::CarrierTrouble::Kind::auth)
                  return [this, question, session = std::move(session), trial] {
                    session_refused(question, session, trial);
                  };
                const bool is_well = !trouble || trouble->kind != carriers::CarrierTrouble::Kind::auth;
                return [this, question, trial, is_well, outcome = judged(trouble, answer),
                        then = question->read(std::move(answer))]() mutable {
                  if (outcome) hooks_.judged(question->carrier, *outcome, trial);
                  trial_read_ = trial;
                  then();
                  trial_read_ = 0;
                  // One that tried, and was answered somehow, has found out that the carrier wants no more rest.
                  if (trial != 0 && !outcome && is_well) hooks_.judged(question->carrier, {}, trial);
                  if (trial != 0) hooks_.trial_ended(question->carrier, trial);
                  hooks_.request_answered(question->carrier);
                };
              });
}

void CarrierQuestions::session_refused(const Pointer& question, const SessionPointer& session, std::uint64_t trial) {
  CarrierAccess& access = *carriers_.find(question->carrier)->second;
  if (access.refused(session)) return send(question, {.again = true, .trial = trial});
  // Nothing was done, and a later session may be taken: it is no answer to what was asked.
  unanswered(question, trial, access.refused_too_soon());
  hooks_.request_answered(question->carrier);
}

std::string in_words(const NoAnswer& why) {
  if (const auto* const request = std::get_if<carriers::RequestError>(&why))
    return request->field + ": " + request->message;
  if (const auto* const login = std::get_if<carriers::Session::Failed>(&why)) return login->trouble.message;
  const auto& fetch = std::get<carriers::FetchError>(why);
  return std::string(carriers::name(fetch.kind)) + ": " + fetch.message;
}

bool may_have_arrived(const NoAnswer& why) {
  const auto* const fetch = std::get_if<carriers::FetchError>(&why);
  return fetch && !fetch->provably_unsent;
}

}  // namespace remitod::daemon
