// What the platform does: orders that ask for remitos, shipments that it made by itself, and histories of an older
// system.
#include <algorithm>
#include <array>

#include "scheduler/adaptive_config.h"
#include "tests/sim/profiles.h"
#include "tests/sim/world.h"

namespace remitod::sim {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr hours poll_interval{1};
constexpr double shipments_a_day_max = 8;
constexpr double requests_a_day_max = 8;
constexpr std::array all_carriers{"chazki", "correios", "expreso", "llave", "oca"};
constexpr std::array all_habits{Habit::at_once, Habit::end_of_day, Habit::sluggish};

// All that OCA and Chazki want to know.
constexpr const char* payload = R"({
  "sender": {"name": "Tienda Demo", "email": "tienda@example.com",
             "address": {"street": "Av. Demo", "number": "1", "postcode": "1001", "district": "CABA", "province": "CABA"}},
  "recipient": {"first_name": "Ana", "last_name": "Prueba", "phone": "999999999", "document_number": "00000000",
                "address": {"street": "Calle Falsa", "number": "123", "postcode": "1001", "district": "Lince",
                            "province": "Lima", "department": "Lima"}},
  "parcels": [{"weight_kg": 1, "length_cm": 10, "width_cm": 10, "height_cm": 10, "description": "Libro"}]})";

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

}  // namespace

void World::found_carriers() {
  Dice dice = dice_.fork("carriers");
  for (const std::string name : all_carriers) {
    if (!wire_.carriers().empty() && !dice.chance(0.5)) continue;
    const auto profile = sim_profile(name);
    const Habit habit = dice.pick(std::span<const Habit>(all_habits));
    Carrier& carrier =
        wire_.add(std::make_unique<Carrier>(name, habit, draw_limits(*profile), plan_.data, dice.fork(name)));
    lanes_.push_back(lane_for(carrier));
    const auto& adaptive = lanes_.back().adaptive;
    follow_watches_.emplace(
        name,
        FollowWatch(name, {adaptive ? adaptive->max_interval : poll_interval,
                           minutes{15} + std::chrono::duration_cast<microseconds>(time_scale_ * seconds{90}), tail}));
    import_history(carrier);
    plan_shipments(carrier);
    if (carrier.can_create()) plan_requests(carrier);
  }
  silence([this](Silence& silence) { silence.begin(now_); });  // until the daemon starts
  at(start_ + minutes{10}, [this] { look(); });
}

LimitWatch::Limits World::draw_limits(const carriers::Profile& profile) {
  Dice dice = dice_.fork("limits " + profile.name());
  LimitWatch::Limits limits;
  limits.requests_per_second = profile.limits().requests_per_second;
  limits.concurrency = profile.limits().concurrency;
  // Some allow little, so that what piles up in an outage takes its time.
  if (dice.chance(0.5)) limits.requests_per_second = 0.1 + 0.4 * dice.share();
  if (dice.chance(0.5)) limits.concurrency = 1;
  // Enough for everybody, with retries: who waits for a quota waits for no fault.
  if (dice.chance(0.3)) limits.requests_per_hour = 240;
  // Fewer than any carrier has shipments, so that a lane that does not know of it goes beyond.
  if (options_.mutation == Mutation::ignore_quota) limits.requests_per_hour = 2;
  if (dice.chance(0.3)) limits.requests_per_minute = 40;
  return limits;
}

scheduler::LaneConfig World::lane_for(const Carrier& carrier) const {
  const auto profile = sim_profile(carrier.name());
  const LimitWatch::Limits& limits = carrier.watch().limits();
  scheduler::LaneConfig lane;
  lane.carrier = carrier.name();
  lane.interval = poll_interval;
  lane.requests_per_second = limits.requests_per_second;
  lane.requests_per_minute = limits.requests_per_minute;
  lane.requests_per_hour = limits.requests_per_hour;
  lane.leaves_tenth_for_creates = profile->can_create();
  lane.concurrency = limits.concurrency;
  lane.batch_max = profile->limits().batch_max;
  lane.adaptive = draw_adaptive(*profile);
  if (options_.mutation == Mutation::ignore_rate) lane.requests_per_second *= 3;
  if (options_.mutation == Mutation::ignore_concurrency) lane.concurrency *= 3;
  if (options_.mutation == Mutation::ignore_quota) {
    lane.requests_per_hour.reset();
    lane.interval = minutes{10};
    lane.adaptive.reset();
  }
  return lane;
}

std::shared_ptr<const scheduler::AdaptiveConfig> World::draw_adaptive(const carriers::Profile& profile) const {
  Dice dice = dice_.fork("schedule " + profile.name());
  if (dice.chance(0.5)) return nullptr;
  scheduler::AdaptiveConfig adaptive;
  adaptive.calendar =
      std::make_shared<const scheduler::Calendar>(scheduler::Calendar::make(profile.zone(), {}).value());
  adaptive.max_interval = minutes{dice.between(60, 150)};
  if (dice.chance(0.5))
    adaptive.budget.share_of_hourly = 0.25 + 0.75 * dice.share();
  else if (dice.chance(0.5))
    adaptive.budget.target_delay = minutes{dice.between(5, 60)};
  return std::make_shared<const scheduler::AdaptiveConfig>(std::move(adaptive));
}

// ------------------------------------------------------------------ what it
// writes

void World::tell_daemon() {
  // As the watcher does, when it does.
  if (!daemon_ || (!calm_ && dice_.chance(plan_.host.lost_wake))) return;
  daemon_->runtime.after(milliseconds{50}, [this] { daemon_->intake.wake(); });
}

void World::follow(Carrier& carrier, const std::string& remito, Instant entered, bool baseline) {
  carrier.take_in(remito, entered);
  const std::string order = std::to_string(++orders_);
  database_.sql(
      "insert into shipments (order_number, carrier, remito, "
      "baseline, registered_at) values (" +
      quoted(order) + ", " + quoted(carrier.name()) + ", " + quoted(remito) + ", " + (baseline ? "1" : "0") + ", " +
      std::to_string(to_micros(entered)) + ")");
  tell_daemon();
  plan_cancellation(carrier, order);
}

void World::ask_for_remito(const Carrier& carrier, const std::string& order, const std::string& key) {
  database_.sql("insert into remito_requests (request_key, order_number, carrier, payload) values (" + quoted(key) +
                ", " + quoted(order) + ", " + quoted(carrier.name()) + ", " + quoted(payload) + ")");
  tell_daemon();
}

// At once, a little later, or when the parcel is long on its way. Some click twice, and some want it after all.
void World::plan_cancellation(const Carrier& carrier, const std::string& order) {
  Dice dice = dice_.fork("cancel " + order);
  if (!dice.chance(plan_.orders.cancelled)) return;
  constexpr std::array<microseconds, 4> within{seconds{0}, seconds{5}, minutes{10}, hours{20}};
  const Instant moment = now_ + dice.time(seconds{0}, dice.pick(std::span<const microseconds>(within)));
  at(moment, [this, order] { cancel(order, "cancel-" + order); });
  if (dice.chance(0.2))
    at(moment + dice.time(seconds{0}, minutes{30}), [this, order] { cancel(order, "cancel-" + order + "-2"); });
  if (carrier.can_cancel() && dice.chance(0.5))
    at(moment + dice.time(minutes{1}, hours{6}), [this, &carrier, order] { ask_again(carrier, order); });
}

void World::cancel(const std::string& order, const std::string& key) {
  trace_.add(now_, "not wanted", order);
  database_.sql("insert into cancel_requests (request_key, order_number) values (" + quoted(key) + ", " +
                quoted(order) + ")");
  tell_daemon();
}

// As soon as the platform can read that it is cancelled, it may.
void World::ask_again(const Carrier& carrier, const std::string& order) {
  std::int64_t cancelled = 0;
  database_.session().query_row(
      db::Sql{"select coalesce((select status from shipments where order_number = :order order by id desc limit 1) = "
              "'cancelled', (select state from remito_requests where order_number = :order order by id desc limit 1) = "
              "'cancelled', 0)"},
      {{"order", order}}, {&cancelled});
  if (cancelled != 0) ask_for_remito(carrier, order, "key-" + order + "-again");
}

// From an older system: some of them are at their end already.
void World::import_history(Carrier& carrier) {
  Dice dice = dice_.fork("import " + carrier.name());
  const std::int64_t count = dice.between(0, 8);
  for (std::int64_t i = 0; i < count; ++i)
    follow(carrier, "IM" + std::to_string(100'000'000 + i) + "BR", start_ - dice.time(hours{1}, hours{36}), true);
}

void World::plan_shipments(Carrier& carrier) {
  Dice dice = dice_.fork("shipments " + carrier.name());
  std::int64_t count = 0;
  now_and_then(1 + dice.share() * shipments_a_day_max, dice, [&](Instant moment) {
    const std::string remito = "AA" + std::to_string(100'000'000 + ++count) + "BR";
    at(moment, [this, &carrier, remito] { follow(carrier, remito, now_ - minutes{1}, false); });
  });
}

void World::plan_requests(Carrier& carrier) {
  Dice dice = dice_.fork("requests " + carrier.name());
  now_and_then(1 + dice.share() * requests_a_day_max, dice, [&](Instant moment) {
    at(moment, [this, &carrier] {
      const std::string order = std::to_string(1'000'000 + ++orders_);
      ask_for_remito(carrier, order, "key-" + order);
      plan_cancellation(carrier, order);
    });
  });
}

}  // namespace remitod::sim
