// What the platform does: orders that ask for remitos, shipments that it made by itself, and histories of an older
// system.
#include <algorithm>
#include <array>

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
    follow_watches_.emplace(
        name,
        FollowWatch(name, {poll_interval,
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
  if (options_.mutation == Mutation::ignore_rate) lane.requests_per_second *= 3;
  if (options_.mutation == Mutation::ignore_concurrency) lane.concurrency *= 3;
  if (options_.mutation == Mutation::ignore_quota) {
    lane.requests_per_hour.reset();
    lane.interval = minutes{10};
  }
  return lane;
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
  database_.sql(
      "insert into shipments (order_number, carrier, remito, "
      "baseline, registered_at) values (" +
      quoted(std::to_string(++orders_)) + ", " + quoted(carrier.name()) + ", " + quoted(remito) + ", " +
      (baseline ? "1" : "0") + ", " + std::to_string(to_micros(entered)) + ")");
  tell_daemon();
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
      database_.sql(
          "insert into remito_requests (request_key, "
          "order_number, carrier, payload) values (" +
          quoted("key-" + order) + ", " + quoted(order) + ", " + quoted(carrier.name()) + ", " + quoted(payload) + ")");
      tell_daemon();
    });
  });
}

}  // namespace remitod::sim
