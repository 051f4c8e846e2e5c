// How a run watches over itself: whoever sees something tells the checks.
#include "tests/sim/final_checks.h"
#include "tests/sim/world.h"

namespace remitod::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// After a work that failed; on the wall's clock.
constexpr seconds single_retry{5};
constexpr minutes look_interval{10};

}  // namespace

WireHooks World::wire_hooks() {
  return {
      [this](const Request& request) {
        const bool is_order = request.kind == Request::Kind::create || request.kind == Request::Kind::cancel;
        if (is_order && crash_at_create_) {
          crash_at_create_ = false;
          crash_in_turns_ = static_cast<std::uint64_t>(dice_.between(0, 12));
        }
        if (request.kind == Request::Kind::track) follow_watches_.at(request.carrier).asked(request.remitos, now());
      },
      [this](const Request& request, Instant sent_at, bool well) { answered(request, sent_at, well); },
      [this](const Request& request) {
        if (request.kind == Request::Kind::create)
          unclear_.emplace(request.carrier,
                           wire_.carrier(request.carrier).reference_of(request.client_ref, request.order_number));
        if (request.kind == Request::Kind::cancel) unclear_.emplace(request.carrier, cancel_of(request.remitos.at(0)));
      },
  };
}

// From an answer that was none until one to a later request the carrier's lane may rest.
void World::answered(const Request& request, Instant sent_at, bool well) {
  // A login that fails lets nobody ask.
  const bool tells = request.kind == Request::Kind::track || (request.kind == Request::Kind::login && !well);
  if (!tells) return;
  Silence& silence = follow_watches_.at(request.carrier).silence();
  const auto trouble = trouble_.find(request.carrier);
  if (!well) {
    if (trouble == trouble_.end()) silence.begin(now());
    trouble_[request.carrier] = now();
  } else if (trouble != trouble_.end() && sent_at >= trouble->second) {
    silence.end(now());
    trouble_.erase(trouble);
  }
}

SimExecutor::Hooks World::database_hooks() {
  return {[this](bool transitions) {
            if (mutation_due_) {
              mutation_due_ = !mutate();
              transitions = true;
            }
            if (transitions) store_watch_.written(now());
          },
          [this](std::string_view trouble) {
            trace_.add(now(), "database", trouble);
            if (trouble == "commit denied") note_cut_off();
            silence([this](Silence& silence) {
              silence.until(now(), now() + single_retry * static_cast<int>(time_scale_));
            });
          }};
}

void World::silence(const std::function<void(Silence&)>& change) {
  for (auto& [carrier, watch] : follow_watches_) change(watch.silence());
}

void World::look() {
  at(now_ + look_interval, [this] { look(); });
  store_watch_.look_at_requests();
  const std::vector<ShipmentRow> shipments = read_shipments(database_.session());
  for (auto& [carrier, watch] : follow_watches_) watch.look(shipments, now_);
}

// What is `sending` and will not be settled may have been made or not, and cancelled or not.
void World::note_cut_off() {
  for (const RequestRow& row : read_requests(database_.session()))
    if (row.state == "sending")
      unclear_.emplace(row.carrier, wire_.carrier(row.carrier).reference_of(row.client_ref, row.order_number));
  for (const CancelRow& row : read_cancels(database_.session()))
    if (row.state == "sending") unclear_.emplace(row.carrier, cancel_of(row.remito));
}

}  // namespace remitod::sim
