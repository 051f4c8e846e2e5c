#include "tests/sim/carrier.h"

#include <algorithm>
#include <utility>

#include "tests/sim/trace.h"

namespace remitod::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// As the profiles promise in its name.
constexpr hours key_window{24};
constexpr minutes found_within{5};
// Further than any plan is ahead.
constexpr hours dated_back{60};

std::uint64_t hash_of(std::string_view text) {
  return Dice(0).fork(text).next();
}

}  // namespace

// ------------------------------------------------------------------ what it
// lets its customers do

void LimitWatch::begun(Instant now, const std::string& carrier, bool is_login) {
  const double burst = std::max(1.0, limits_.requests_per_second / 5);  // scheduler/README.md, Limits
  const double seconds = std::chrono::duration<double>(now - level_at_).count();
  level_ = std::max(0.0, level_ - seconds * limits_.requests_per_second) + 1;
  level_at_ = now;
  if (level_ <= burst && now != let_go_at_) lent_ = 0;
  if (is_login) ++lent_;
  if (level_ > burst + lent_ + 1e-3)
    broken("rate", carrier + " was sent more than " + std::to_string(limits_.requests_per_second) + " a second");
  count_window(minute_, limits_.requests_per_minute, minutes{1}, now, carrier + " in a minute");
  count_window(hour_, limits_.requests_per_hour, hours{1}, now, carrier + " in an hour");
  if (++under_way_ > limits_.concurrency)
    broken("concurrency", carrier + " was sent " + std::to_string(under_way_) + " requests at once");
}

void LimitWatch::ended(Instant now, bool is_login) {
  --under_way_;
  if (is_login) let_go_at_ = now;
}

// Each that was under way when the session ended, not only the one that causes the login: the answer to a slow one
// comes when that is over.
void LimitWatch::is_sent_again(Instant now) {
  ++lent_;
  let_go_at_ = now;
}

void LimitWatch::count_window(std::deque<Instant>& asked, std::optional<int> most, std::chrono::microseconds period,
                              Instant now, const std::string& what) const {
  if (!most) return;
  while (!asked.empty() && asked.front() <= now - period) asked.pop_front();
  asked.push_back(now);
  if (asked.size() > static_cast<std::size_t>(*most))
    broken("quota",
           what + ": " + std::to_string(asked.size()) + " requests, and " + std::to_string(*most) + " allowed");
}

void LimitWatch::clock_was_set() {
  level_ = 0;
  minute_.clear();
  hour_.clear();
}

// ------------------------------------------------------------------ what it
// knows and says

Carrier::Carrier(std::string name, Habit habit, LimitWatch::Limits limits, const DataFaults& faults, Dice dice)
    : name_(std::move(name)),
      habit_(habit),
      watch_(limits),
      faults_(faults),
      parcel_dice_(dice.fork("parcels")),
      answer_dice_(dice.fork("answers")) {}

void Carrier::take_in(const std::string& remito, Instant entered) {
  parcels_.emplace(remito, draw_parcel(parcel_dice_.fork(remito), name_, entered, habit_, faults_));
}

std::vector<TrueEvent> Carrier::published(const std::string& remito, Instant now) const {
  const auto parcel = parcels_.find(remito);
  if (parcel == parcels_.end()) return {};
  std::vector<TrueEvent> events = parcel->second.published(frozen_at_ ? std::min(now, *frozen_at_) : now);
  // What we make happen happens though nothing else does any more.
  if (const auto& cancelled = parcel->second.cancelled; cancelled && cancelled->published_at <= now)
    events.push_back(*cancelled);
  return events;
}

bool Carrier::is_cancelled(const std::string& remito) const {
  const auto parcel = parcels_.find(remito);
  return parcel != parcels_.end() && parcel->second.cancelled.has_value();
}

std::vector<std::string> Carrier::made(const std::string& reference) const {
  std::vector<std::string> remitos;
  if (const auto found = made_.find(reference); found != made_.end())
    for (const Made& one : found->second) remitos.push_back(one.remito);
  return remitos;
}

bool Carrier::refuses(const std::string& order_number) {
  return hash_of(order_number) % 10 == 0;
}

const std::string& Carrier::reference_of(const std::string& client_ref, const std::string& order_number) const {
  return name_ == "chazki" ? order_number : client_ref;
}

std::vector<test::WireEvent> Carrier::shown(const std::string& remito, Instant now) {
  std::vector<test::WireEvent> rows;
  for (const TrueEvent& event : published(remito, now)) rows.push_back(event.wire);
  if (const auto parcel = parcels_.find(remito); parcel != parcels_.end())
    for (test::WireEvent& plan : parcel->second.planned(now)) {
      if (dates_plans_back_) plan.at -= dated_back;
      rows.push_back(std::move(plan));
    }
  if (!rows.empty() && answer_dice_.chance(faults_.duplicated))
    rows.push_back(answer_dice_.pick(std::span<const test::WireEvent>(rows)));
  if (answer_dice_.chance(faults_.reordered))
    for (std::size_t i = rows.size(); i > 1; --i)
      std::swap(rows[i - 1], rows[static_cast<std::size_t>(answer_dice_.between(0, static_cast<std::int64_t>(i) - 1))]);
  return rows;
}

Carrier::Reply Carrier::act(const Request& request, Instant now) {
  const bool wants_login = name_ == "expreso";
  if (request.kind == Request::Kind::login) return {json_token("T" + std::to_string(sessions_))};
  if (wants_login && request.token != "T" + std::to_string(sessions_)) return {json_login_wanted(), false};
  return {answer(request, now)};
}

carriers::FetchResult Carrier::answer(const Request& request, Instant now) {
  if (request.kind == Request::Kind::create) return create(request, now);
  if (request.kind == Request::Kind::find) return find(request.client_ref, now);
  if (request.kind == Request::Kind::cancel) return cancel(request.remitos.at(0), now);
  const std::string trace = faults_.volatile_envelope ? std::to_string(++answers_) : "same";
  if (name_ == "correios") {
    std::vector<test::WireParcel> parcels;
    for (const std::string& remito : request.remitos) parcels.push_back({remito, shown(remito, now)});
    return test::correios_tracking(parcels, trace);
  }
  const std::string& remito = request.remitos.at(0);
  const auto rows = shown(remito, now);
  if (name_ == "chazki") return test::chazki_tracking(rows, trace);
  if (name_ == "oca") return test::oca_tracking(remito, rows, trace);
  return json_tracking(rows, trace);
}

carriers::FetchResult Carrier::create(const Request& request, Instant now) {
  const std::string& reference = reference_of(request.client_ref, request.order_number);
  // The order's number is at the end of our reference.
  const bool is_refused = refuses(reference.substr(reference.rfind('-') + 1));
  constexpr const char* why = "El distrito no tiene cobertura";
  if (name_ == "chazki") return is_refused ? test::chazki_refused(why) : test::chazki_granted(make(reference, now));
  if (name_ == "oca")
    return is_refused ? test::oca_refused(reference, why) : test::oca_granted(reference, make(reference, now), "same");
  return is_refused ? json_refused(why) : json_number(make(reference, now));
}

const std::string& Carrier::make(const std::string& reference, Instant now) {
  std::vector<Made>& made = made_[reference];
  if (name_ == "llave" && !made.empty() && now < made.front().at + key_window) return made.front().remito;
  const std::string remito = name_ == "chazki" ? reference : "3905500" + std::to_string(100'000 + ++numbers_given_);
  made.push_back({remito, now, now + answer_dice_.time(std::chrono::seconds{0}, found_within)});
  if (made.size() > 1)
    broken("duplicate_shipment", name_ + " made " + std::to_string(made.size()) + " shipments for " + reference);
  take_in(remito, now);
  return made.back().remito;
}

// The second time would cost the same as the first.
carriers::FetchResult Carrier::cancel(const std::string& remito, Instant now) {
  const auto parcel = parcels_.find(remito);
  if (parcel == parcels_.end()) return json_refused("No existe");
  if (parcel->second.cancelled) broken("cancelled_twice", name_ + " was asked again to cancel " + remito);
  if (parcel->second.has_arrived(frozen_at_ ? std::min(now, *frozen_at_) : now)) return json_refused("Ya llego");
  if (hash_of(remito) % 6 == 0) return json_refused("No se puede anular");
  sim::cancel(parcel->second, parcel_dice_.fork("cancel " + remito), name_, now);
  return json_cancelled();
}

carriers::FetchResult Carrier::find(const std::string& reference, Instant now) const {
  const auto made = made_.find(reference);
  const bool is_there = made != made_.end() && now >= made->second.front().found_from;
  return is_there ? json_number(made->second.front().remito) : json_none();
}

}  // namespace remitod::sim
