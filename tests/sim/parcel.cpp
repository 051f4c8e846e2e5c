#include "tests/sim/parcel.h"

#include <algorithm>
#include <map>

namespace remitod::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

enum class Step : std::uint8_t { taken_in, on_the_way, absent, desists, delivered, back, cancelled, unknown };

struct Words {
  const char* code;
  const char* text;
  const char* reason;
  Status status;
};

const std::map<std::string, std::map<Step, Words>, std::less<>>& dialects() {
  using enum Status;
  static const std::map<std::string, std::map<Step, Words>, std::less<>> dialects{
      {"oca",
       {{Step::taken_in, {"57", "En proceso de Admision", "", registered}},
        {Step::on_the_way, {"", "En viaje a Sucursal de Destino", "", in_transit}},
        {Step::absent, {"", "Visita fallida", "Domicilio cerrado", attempt_failed}},
        {Step::desists, {"", "Visita fallida", "El destinatario rechaza el envio", attempt_failed}},
        {Step::delivered, {"63", "Entregado", "", delivered}},
        {Step::back, {"", "Devuelto al Remitente", "", returned}},
        {Step::unknown, {"", "Novedad sin clasificar", "", unmapped}}}},
      {"correios",
       {{Step::taken_in, {"PO-01", "Objeto postado", "", picked_up}},
        {Step::on_the_way, {"RO-01", "Objeto encaminhado", "", in_transit}},
        {Step::absent, {"BDE-20", "Carteiro nao atendido", "", attempt_failed}},
        {Step::desists, {"BDE-04", "Cliente recusou-se a receber", "", attempt_failed}},
        {Step::delivered, {"BDE-01", "Objeto entregue ao destinatario", "", delivered}},
        {Step::back, {"BDE-23", "Objeto devolvido ao remetente", "", returned}},
        {Step::unknown, {"ZZ-99", "Evento novo", "", unmapped}}}},
      {"chazki",
       {{Step::taken_in, {"", "Nuevo", "", registered}},
        {Step::on_the_way, {"", "IN_PROGRESS", "", in_transit}},
        {Step::absent, {"", "Fallo Entrega", "NE - No se encuentra el cliente", attempt_failed}},
        {Step::desists, {"", "Fallo Entrega", "Cliente rechaza", attempt_failed}},
        {Step::delivered, {"", "Entregado", "", delivered}},
        {Step::back, {"", "FAILED_PICK", "", exception}},
        {Step::unknown, {"", "REBALANCED", "", unmapped}}}},
      // The simulation's own.
      {"json",
       {{Step::taken_in, {"IN", "Registrado", "", registered}},
        {Step::on_the_way, {"MV", "En camino", "", in_transit}},
        {Step::absent, {"NO", "Nadie en casa", "", attempt_failed}},
        {Step::desists, {"NO", "El cliente desiste", "", attempt_failed}},
        {Step::delivered, {"OK", "Entregado", "", delivered}},
        {Step::back, {"BK", "Devuelto", "", returned}},
        {Step::cancelled, {"AN", "Anulado", "", cancelled}},
        {Step::unknown, {"ZZ", "Novedad", "", unmapped}}}}};
  return dialects;
}

const std::map<Step, Words>& words_of(const std::string& carrier) {
  const auto found = dialects().find(carrier);
  return found == dialects().end() ? dialects().at("json") : found->second;
}

hours utc_offset(const std::string& carrier) {
  return carrier == "oca" || carrier == "correios" ? hours{-3} : hours{-5};
}

/// Midnight is how one of the carriers writes a day without an hour.
Instant past_midnight(Instant at, hours offset) {
  return std::chrono::floor<days>(at + offset) == at + offset ? at + minutes{1} : at;
}

class Life {
 public:
  Life(Dice& dice, const std::string& carrier, Instant entered, Habit habit, const DataFaults& faults)
      : dice_(dice),
        words_(words_of(carrier)),
        offset_(utc_offset(carrier)),
        habit_(habit),
        faults_(faults),
        at_(std::chrono::ceil<minutes>(entered)) {}

  void add(Step step, hours at_least, hours at_most) {
    at_ = past_midnight(at_ + std::chrono::floor<minutes>(dice_.time(at_least, at_most)) + minutes{1}, offset_);
    const Words& words = words_.at(step);
    TrueEvent event{at_, publication(), {at_, words.code, words.text, words.reason}, words.status};
    if (dice_.chance(faults_.late_event))
      event.published_at += dice_.time(hours{1}, late_max);
    else
      latest_ = std::max(latest_, event.published_at);
    parcel_.life.push_back(event);
  }
  Parcel take() { return std::move(parcel_); }

 private:
  // A tail of a terminal shipment is longer than that.
  static constexpr hours late_max{6};

  /// A system that publishes late still publishes in order, but for what is late by itself.
  Instant publication() {
    Instant published = at_;
    switch (habit_) {
      case Habit::at_once:
        published += dice_.time(minutes{0}, minutes{5});
        break;
      case Habit::sluggish:
        published += dice_.time(minutes{10}, minutes{180});
        break;
      case Habit::end_of_day: {
        const Instant tonight = std::chrono::floor<days>(at_ + offset_) + hours{21} - offset_;
        published = at_ < tonight ? tonight : tonight + days{1};
        break;
      }
    }
    return std::max(published, latest_);
  }

  Dice& dice_;
  const std::map<Step, Words>& words_;
  hours offset_;
  Habit habit_;
  const DataFaults& faults_;
  Instant at_;
  Instant latest_{};
  Parcel parcel_;
};

/// Dates that change or are dropped, hours to two days ahead; and often at last the true one.
void draw_plans(Parcel& parcel, Dice dice, const std::string& carrier, Instant entered) {
  Instant at = entered + dice.time(hours{0}, hours{6});
  do {
    const Instant until = at + dice.time(minutes{30}, hours{12});
    const Instant date = std::chrono::ceil<minutes>(until + dice.time(plan_taken_back, hours{36}));
    const Words& words = words_of(carrier).at(dice.chance(0.7) ? Step::delivered : Step::on_the_way);
    parcel.plans.push_back(
        {at, until, {past_midnight(date, utc_offset(carrier)), words.code, words.text, words.reason}});
    at = until + (dice.chance(0.5) ? minutes{0} : dice.time(minutes{0}, hours{6}));
  } while (dice.chance(0.6));

  const auto delivered = std::ranges::find(parcel.life, Status::delivered, &TrueEvent::status);
  if (delivered == parcel.life.end() || dice.chance(0.4)) return;
  const Instant certain = delivered->occurred_at - plan_certain;
  const Instant from = std::max(entered, certain - dice.time(hours{0}, hours{24}));
  if (from >= certain) return;
  parcel.plans.push_back({from, certain, delivered->wire});
  delivered->published_at = certain;
  delivered->was_planned = true;
}

Parcel draw_life(Dice dice, const std::string& carrier, Instant entered, Habit habit, const DataFaults& faults) {
  Life life(dice, carrier, entered, habit, faults);
  life.add(Step::taken_in, hours{0}, hours{2});
  life.add(Step::on_the_way, hours{1}, hours{8});
  if (dice.chance(faults.unknown_code)) life.add(Step::unknown, hours{0}, hours{2});
  while (dice.chance(0.25)) {
    life.add(Step::absent, hours{2}, hours{12});
    life.add(Step::on_the_way, hours{1}, hours{10});
  }
  if (dice.chance(0.1)) {
    life.add(Step::desists, hours{1}, hours{8});
    life.add(Step::back, hours{2}, hours{24});
    return life.take();
  }
  life.add(Step::delivered, hours{1}, hours{10});
  if (dice.chance(faults.corrected)) {
    life.add(Step::absent, hours{0}, hours{2});
    if (dice.chance(0.5)) life.add(Step::delivered, hours{1}, hours{12});
  }
  return life.take();
}

}  // namespace

std::string_view name(Habit habit) {
  return habit == Habit::at_once ? "at_once" : habit == Habit::end_of_day ? "end_of_day" : "sluggish";
}

std::vector<TrueEvent> Parcel::published(Instant until) const {
  std::vector<TrueEvent> result;
  std::ranges::copy_if(life, std::back_inserter(result),
                       [until](const TrueEvent& event) { return event.published_at <= until; });
  return result;
}

std::vector<test::WireEvent> Parcel::planned(Instant now) const {
  std::vector<test::WireEvent> result;
  for (const Plan& plan : plans)
    if (plan.from <= now && now < plan.until) result.push_back(plan.wire);
  return result;
}

// What was planned may be told a little before its time: then it has to come.
bool Parcel::has_arrived(Instant now) const {
  return std::ranges::any_of(life, [now](const TrueEvent& event) {
    const Instant settled_at = event.was_planned ? event.occurred_at - plan_taken_back : event.occurred_at;
    return settled_at <= now && is_terminal(event.status);
  });
}

void cancel(Parcel& parcel, Dice dice, const std::string& carrier, Instant now) {
  std::erase_if(parcel.life, [now](const TrueEvent& event) { return event.occurred_at > now; });
  parcel.plans.clear();
  const Words& words = words_of(carrier).at(Step::cancelled);
  const Instant at = past_midnight(std::chrono::floor<minutes>(now) + minutes{1}, utc_offset(carrier));
  parcel.cancelled =
      TrueEvent{at, at + dice.time(minutes{0}, minutes{5}), {at, words.code, words.text, words.reason}, words.status};
}

Parcel draw_parcel(Dice dice, const std::string& carrier, Instant entered, Habit habit, const DataFaults& faults) {
  Parcel parcel = draw_life(dice, carrier, entered, habit, faults);
  Dice plans = dice.fork("plans");
  if (plans.chance(faults.planned)) draw_plans(parcel, plans, carrier, entered);
  return parcel;
}

Status true_status(const std::vector<TrueEvent>& known) {
  Status status = Status::registered;
  for (const TrueEvent& event : known)
    if (event.status != Status::unmapped) status = event.status;
  return status;
}

}  // namespace remitod::sim
