#include "daemon/remito_sweep.h"

#include <algorithm>
#include <utility>

#include "carriers/remito.h"
#include "daemon/remito_decision.h"
#include "daemon/remito_outcome.h"
#include "db/unclear_requests.h"
#include "db/unheard_commits.h"

namespace remitod::daemon {
namespace {

using db::DbResult;
using db::RequestOutcome;

constexpr std::size_t accept_max = 1000;
constexpr std::size_t grants_per_sweep = 500;
// Numbers that are passed over cost a round each; a range of nothing else must not hold up the queue.
constexpr int draws_max = 100;
constexpr std::chrono::seconds no_number_retry{5};

/// The next remitos of the carrier's ranges, fewer where they run out. Passed over are numbers that the carrier itself
/// leaves out, and those that a shipment has or had: somebody used them before we knew the range.
DbResult<std::vector<std::string>> draw_remitos(db::Session& session, const carriers::Profile& profile,
                                                std::size_t count) {
  std::vector<std::string> drawn;
  for (int draw = 0; draw < draws_max && drawn.size() < count; ++draw) {
    const auto numbers = db::take_numbers(session, profile.name(), count - drawn.size());
    if (!numbers) return std::unexpected(numbers.error());
    if (numbers->empty()) break;
    std::vector<std::string> remitos;
    for (const std::string& number : *numbers)
      if (auto remito = carriers::remito_of_number(profile, number)) remitos.push_back(*std::move(remito));
    const auto used = db::remitos_used(session, profile.name(), remitos);
    if (!used) return std::unexpected(used.error());
    std::ranges::copy_if(remitos, std::back_inserter(drawn),
                         [&](const std::string& remito) { return std::ranges::find(*used, remito) == used->end(); });
  }
  return drawn;
}

/// One sweep. Each step stops at the first error of the database.
class Sweep {
 public:
  Sweep(db::Session& session, const SweepPlan& plan) : session_(session), plan_(plan) {}

  DbResult<Swept> run() {
    for (const SweepPlan::Carrier& carrier : plan_.carriers) {
      known_.push_back(carrier.profile->name());
      if (carriers::confirmation_pace(*carrier.profile)) confirming_.push_back(carrier.profile->name());
      has_ranges_ |= carriers::range_needs(*carrier.profile).has_value();
    }
    DbResult<void> done = take_in();
    if (done) done = take_up_unclear();
    if (done) done = claim_calls();
    if (done) done = claim_looks();
    if (done) done = claim_refills();
    if (done) done = find_unheard();
    if (done) done = find_next();
    if (!done) return std::unexpected(done.error());
    return std::move(swept_);
  }

 private:
  DbResult<void> take_in() {
    const auto accepted = db::accept_new_requests(session_, plan_.now, accept_max);
    if (!accepted) return std::unexpected(accepted.error());
    const auto refused = db::refuse_unknown_carriers(session_, known_, plan_.now);
    if (!refused) return std::unexpected(refused.error());
    const auto given_up = db::give_up_confirmations(session_, confirming_, plan_.now);
    if (!given_up) return std::unexpected(given_up.error());
    const auto cut_off = db::give_up_unheard_claims(session_, plan_.working_on, plan_.now);
    if (!cut_off) return std::unexpected(cut_off.error());
    swept_.given_up = *cut_off;
    swept_.changed = *accepted != 0 || *refused != 0;
    if (!has_ranges_) return {};
    const auto ranges = db::accept_number_ranges(session_, plan_.now, accept_max);
    if (!ranges) return std::unexpected(ranges.error());
    return {};
  }

  DbResult<void> claim_calls() {
    const auto due = db::next_request_due(session_);
    if (!due) return std::unexpected(due.error());
    if (!*due || **due > plan_.now) return {};
    for (const SweepPlan::Carrier& carrier : plan_.carriers) {
      const auto needs = carriers::range_needs(*carrier.profile);
      const DbResult<void> done = needs ? claim_with_numbers(carrier, *needs) : claim_plain(carrier);
      if (!done) return done;
    }
    return {};
  }

  DbResult<std::vector<db::RemitoRequest>> claim(const std::string& carrier, std::size_t limit,
                                                 bool numbered_only = false) {
    if (limit == 0) return {};
    return db::claim_requests(session_, std::span{&carrier, 1}, plan_.now, plan_.lease_expires_at, limit,
                              numbered_only);
  }

  DbResult<void> claim_plain(const SweepPlan::Carrier& carrier) {
    auto requests = claim(carrier.profile->name(), room_left(carrier));
    if (!requests) return std::unexpected(requests.error());
    std::ranges::move(*requests, std::back_inserter(swept_.calls));
    return {};
  }

  /// A request takes its number in the transaction that claims it, and keeps it over all its attempts. Where none is
  /// left those that have no number wait for the next range.
  DbResult<void> claim_with_numbers(const SweepPlan::Carrier& carrier, const carriers::RangeNeeds& needs) {
    const std::string& name = carrier.profile->name();
    const auto left = db::numbers_left(session_, name);
    if (!left) return std::unexpected(left.error());
    const std::size_t room = needs.tells_carrier ? room_left(carrier) : grants_per_sweep;
    auto requests = claim(name, room, true);
    if (!requests) return std::unexpected(requests.error());
    auto others = claim(name, std::min(room - requests->size(), static_cast<std::size_t>(*left)));
    if (!others) return std::unexpected(others.error());
    std::ranges::move(*others, std::back_inserter(*requests));
    const auto without = std::ranges::count(*requests, "", &db::RemitoRequest::proposed_remito);
    const auto remitos = draw_remitos(session_, *carrier.profile, static_cast<std::size_t>(without));
    if (!remitos) return std::unexpected(remitos.error());

    auto next = remitos->begin();
    std::vector<db::RemitoRequest> numbered;
    std::vector<RequestOutcome> outcomes;
    for (db::RemitoRequest& request : *requests) {
      if (request.proposed_remito.empty() && next == remitos->end()) {
        outcomes.push_back(without_number(request));
        continue;
      }
      if (request.proposed_remito.empty()) request.proposed_remito = *next++;
      numbered.push_back(std::move(request));
    }
    if (auto proposed = db::propose_remitos(session_, numbered); !proposed) return proposed;
    if (needs.tells_carrier)
      std::ranges::move(numbered, std::back_inserter(swept_.calls));
    else
      for (const db::RemitoRequest& request : numbered) outcomes.push_back(granted_here(*carrier.profile, request));
    return settle(name, outcomes);
  }

  RequestOutcome without_number(const db::RemitoRequest& request) const {
    RequestOutcome outcome = outcome_of(request, RequestOutcome::Kind::unsent);
    outcome.text = "no number is left of those that the carrier gave ahead";
    outcome.retry_at = plan_.now + no_number_retry;
    return outcome;
  }

  /// The number is the grant: nobody has to be asked.
  static RequestOutcome granted_here(const carriers::Profile& profile, const db::RemitoRequest& request) {
    RequestOutcome outcome = outcome_of(request, RequestOutcome::Kind::granted);
    const auto good = carriers::check_order(profile, order_of(request));
    if (good) {
      outcome.remito = request.proposed_remito;
    } else {
      outcome.kind = RequestOutcome::Kind::refused;
      outcome.code = "request";
      outcome.text = good.error().field + ": " + good.error().message;
    }
    return outcome;
  }

  DbResult<void> settle(const std::string& carrier, std::span<const RequestOutcome> outcomes) {
    if (outcomes.empty()) return {};
    const auto results = db::settle_requests(session_, outcomes, plan_.now);
    if (!results) return std::unexpected(results.error());
    swept_.changed = true;
    for (std::size_t i = 0; i < outcomes.size(); ++i) swept_.settled.push_back({carrier, outcomes[i], (*results)[i]});
    return {};
  }

  std::size_t room_left(const SweepPlan::Carrier& carrier) const {
    std::ptrdiff_t used = 0;
    for (const auto* claimed : {&swept_.calls, &swept_.looks, &swept_.finds})
      used += std::ranges::count(*claimed, carrier.profile->name(), &db::RemitoRequest::carrier);
    return carrier.room - std::min(carrier.room, static_cast<std::size_t>(used));
  }

  /// Before new requests: a merchant has waited for these longer.
  DbResult<void> take_up_unclear() {
    const auto due = db::next_unclear_due(session_);
    if (!due) return std::unexpected(due.error());
    if (!*due || **due > plan_.now) return {};
    if (const auto given_up = db::give_up_unclear(session_, known_); !given_up)
      return std::unexpected(given_up.error());
    for (const SweepPlan::Carrier& carrier : plan_.carriers)
      if (DbResult<void> done = take_up_unclear_of(carrier); !done) return done;
    return {};
  }

  DbResult<void> take_up_unclear_of(const SweepPlan::Carrier& carrier) {
    const std::string& name = carrier.profile->name();
    const auto undecided = db::claim_undecided(session_, name, accept_max);
    if (!undecided) return std::unexpected(undecided.error());
    std::vector<RequestOutcome> outcomes;
    for (const db::RemitoRequest& request : *undecided)
      outcomes.push_back(
          decide(request, {.kind = RemitoNews::Kind::interrupted}, carriers::promises(*carrier.profile), plan_.now));
    if (DbResult<void> done = settle(name, outcomes); !done) return done;
    if (const std::size_t room = room_left(carrier); room != 0) {
      auto resends = db::claim_resends(session_, name, plan_.now, plan_.lease_expires_at, room);
      if (!resends) return std::unexpected(resends.error());
      std::ranges::move(*resends, std::back_inserter(swept_.calls));
    }
    if (const std::size_t room = room_left(carrier); room != 0) {
      auto finds = db::claim_finds(session_, name, plan_.now, plan_.lease_expires_at, room);
      if (!finds) return std::unexpected(finds.error());
      std::ranges::move(*finds, std::back_inserter(swept_.finds));
    }
    return {};
  }

  DbResult<void> claim_looks() {
    if (confirming_.empty()) return {};
    for (const SweepPlan::Carrier& carrier : plan_.carriers) {
      const std::size_t room = room_left(carrier);
      if (room == 0 || !carriers::confirmation_pace(*carrier.profile)) continue;
      auto looks = db::claim_confirmations(session_, carrier.profile->name(), plan_.now, plan_.lease_expires_at, room);
      if (!looks) return std::unexpected(looks.error());
      std::ranges::move(*looks, std::back_inserter(swept_.looks));
    }
    return {};
  }

  DbResult<void> claim_refills() {
    for (const SweepPlan::Carrier& carrier : plan_.carriers) {
      const auto needs = carriers::range_needs(*carrier.profile);
      if (!needs) continue;
      const std::string& name = carrier.profile->name();
      const auto left = db::numbers_left(session_, name);
      if (!left) return std::unexpected(left.error());
      swept_.numbers_left[name] = *left;
      if (!needs->can_ask || *left >= needs->low_water || room_left(carrier) == 0) continue;
      const auto turn = db::claim_refill(session_, name, plan_.now, plan_.lease_expires_at);
      if (!turn) return std::unexpected(turn.error());
      if (*turn) swept_.refills.emplace(name, **turn);
    }
    return {};
  }

  DbResult<void> find_unheard() {
    if (!plan_.unheard_since) return {};
    auto unheard = db::shipments_accepted_since(session_, std::min(*plan_.unheard_since, plan_.now));
    if (!unheard) return std::unexpected(unheard.error());
    swept_.unheard = std::move(*unheard);
    return {};
  }

  DbResult<void> find_next() {
    // Where the numbers have run out, the next range wakes us.
    std::vector<std::string> without_numbers;
    for (const auto& [carrier, left] : swept_.numbers_left)
      if (left == 0) without_numbers.push_back(carrier);
    const auto call = db::next_request_due(session_, without_numbers);
    if (!call) return std::unexpected(call.error());
    swept_.next_due = *call;
    const auto step = db::next_unclear_due(session_);
    if (!step) return std::unexpected(step.error());
    if (*step && (!swept_.next_due || **step < *swept_.next_due)) swept_.next_due = *step;
    if (!confirming_.empty()) {
      const auto look = db::next_confirmation_due(session_, confirming_);
      if (!look) return std::unexpected(look.error());
      if (*look && (!swept_.next_due || **look < *swept_.next_due)) swept_.next_due = *look;
    }
    if (!swept_.next_due || *swept_.next_due > plan_.now) return {};
    auto waiting = db::carriers_with_due_requests(session_, plan_.now);
    if (!waiting) return std::unexpected(waiting.error());
    swept_.waiting = std::move(*waiting);
    return {};
  }

  db::Session& session_;
  const SweepPlan& plan_;
  std::vector<std::string> known_, confirming_;
  bool has_ranges_ = false;
  Swept swept_;
};

}  // namespace

DbResult<Swept> sweep_requests(db::Session& session, const SweepPlan& plan) {
  return Sweep(session, plan).run();
}

}  // namespace remitod::daemon
