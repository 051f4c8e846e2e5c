#include "tests/demo/parcel_life.h"

#include <algorithm>

namespace remitod::demo {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

// Draws that depend on nothing but the parcel's number.
class Dice {
 public:
  explicit Dice(std::string_view number) : state_(hash_of(number)) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return low + static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::uint64_t state_;
};

Instant published_at(Instant occurred, Habit habit, hours utc_offset, Dice& dice) {
  switch (habit) {
    case Habit::prompt:
      return occurred + minutes{dice.between(1, 15)};
    case Habit::sluggish:
      return occurred + minutes{dice.between(10, 180)};
    case Habit::end_of_day: {
      const auto local_day = std::chrono::floor<days>(occurred + utc_offset);
      const Instant tonight = local_day + hours{20} + minutes{40} - utc_offset;
      return occurred < tonight ? tonight : tonight + days{1};
    }
  }
  return occurred;
}

}  // namespace

// FNV-1a: the same on every machine and in every process.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash ^ (hash >> 29);
}

Status status_of(Step step) {
  switch (step) {
    case Step::admitted:
      return Status::registered;
    case Step::on_the_way:
      return Status::in_transit;
    case Step::out:
      return Status::out_for_delivery;
    case Step::absent:
    case Step::bad_address:
    case Step::desists:
      return Status::attempt_failed;
    case Step::delivered:
      return Status::delivered;
    case Step::back:
      return Status::returned;
  }
  return Status::unmapped;
}

Reason reason_of(Step step) {
  switch (step) {
    case Step::absent:
      return Reason::recipient_absent;
    case Step::bad_address:
      return Reason::address_not_found;
    case Step::desists:
      return Reason::recipient_refused;
    default:
      return Reason::none;
  }
}

std::vector<LifeEvent> life_of(std::string_view number, Instant entered, Habit habit, hours utc_offset) {
  Dice dice(number);
  std::vector<LifeEvent> life;
  Instant at = entered;
  const auto add = [&](Step step, int minutes_low, int minutes_high) {
    at += minutes{dice.between(minutes_low, minutes_high)};
    life.push_back({step, at, published_at(at, habit, utc_offset, dice)});
  };
  add(Step::admitted, 30, 120);
  add(Step::on_the_way, 120, 480);
  add(Step::out, 480, 900);
  const std::int64_t fate = dice.between(1, 100);
  if (fate <= 12) {
    add(Step::absent, 60, 240);
    add(Step::out, 600, 900);
    add(Step::delivered, 60, 240);
  } else if (fate <= 18) {
    add(Step::bad_address, 60, 240);
    add(Step::out, 600, 900);
    add(Step::delivered, 60, 240);
  } else if (fate <= 23) {
    add(Step::desists, 60, 240);
    add(Step::back, 600, 1200);
  } else {
    add(Step::delivered, 60, 300);
  }
  // A system that publishes late still publishes in order.
  for (std::size_t i = 1; i < life.size(); ++i)
    life[i].published_at = std::max(life[i].published_at, life[i - 1].published_at);
  return life;
}

std::vector<LifeEvent> published(std::vector<LifeEvent> life, Instant now) {
  std::erase_if(life, [now](const LifeEvent& event) { return event.published_at > now; });
  return life;
}

}  // namespace remitod::demo
