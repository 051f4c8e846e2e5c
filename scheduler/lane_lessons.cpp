#include "scheduler/lane_lessons.h"

#include <array>
#include <bit>
#include <limits>

#include "scheduler/adaptive_state.h"
#include "scheduler/compact_bytes.h"
#include "scheduler/phase.h"

namespace remitod::scheduler {
namespace {

constexpr char version = 1;
constexpr std::uint64_t second_max = std::numeric_limits<Second>::max();
constexpr std::uint64_t waits_max = 1 << 20;
constexpr std::uint64_t any = ~std::uint64_t{0};

using Fields = std::array<double Budget::Period::*, 6>;
constexpr Fields period_fields{&Budget::Period::polls,         &Budget::Period::requests,
                               &Budget::Period::polls_allowed, &Budget::Period::requests_allowed,
                               &Budget::Period::seen,          &Budget::Period::delay};

void put_period(std::string& out, const Budget::Period& period) {
  for (const auto field : period_fields) put_double(out, period.*field);
}

Budget::Period take_period(ByteReader& reader) {
  Budget::Period period;
  for (const auto field : period_fields) period.*field = reader.number();
  return period;
}

void put_budget(std::string& out, const Budget::State& budget) {
  out.push_back(budget.started ? 1 : 0);
  put_varint(out, budget.next);
  for (const double number : {budget.prices.poll, budget.prices.request, budget.polls_owed, budget.requests_owed})
    put_double(out, number);
  put_period(out, budget.current);
  put_varint(out, budget.recent.size());
  for (const Budget::Period& period : budget.recent) put_period(out, period);
}

Budget::State take_budget(ByteReader& reader) {
  Budget::State budget;
  budget.started = reader.varint(1) == 1;
  budget.next = static_cast<Second>(reader.varint(second_max));
  for (double* number : {&budget.prices.poll, &budget.prices.request, &budget.polls_owed, &budget.requests_owed})
    *number = reader.number();
  budget.current = take_period(reader);
  const std::uint64_t periods = reader.varint(reader.left() / (period_fields.size() * sizeof(double)));
  for (std::uint64_t i = 0; i < periods; ++i) budget.recent.push_back(take_period(reader));
  return budget;
}

}  // namespace

std::string serialise(const RecentLessons& lessons) {
  std::string out(1, version);
  put_varint(out, lessons.earlier_waits);
  const std::string state = serialise(lessons.state);
  put_varint(out, state.size());
  out += state;
  put_varint(out, lessons.budget_stated);
  put_budget(out, lessons.budget);
  put_varint(out, lessons.batches_since);
  return out;
}

std::optional<RecentLessons> parse_recent_lessons(std::string_view bytes) {
  if (!bytes.starts_with(version)) return std::nullopt;
  ByteReader reader(bytes.substr(1));
  RecentLessons lessons;
  lessons.earlier_waits = reader.varint(waits_max);
  std::optional<AdaptiveState> state = parse_adaptive_state(reader.bytes(reader.varint(reader.left())));
  if (!state) return std::nullopt;
  lessons.state = *std::move(state);
  lessons.budget_stated = reader.varint(any);
  lessons.budget = take_budget(reader);
  lessons.batches_since = static_cast<Second>(reader.varint(second_max));
  if (!reader.finished() || !(lessons.budget.prices.poll > 0)) return std::nullopt;
  return lessons;
}

std::uint64_t number_of(const ScheduleConfig::Budget& budget) {
  const std::uint64_t share = std::bit_cast<std::uint64_t>(budget.share_of_hourly.value_or(0));
  const auto requests = static_cast<std::uint64_t>(budget.requests_a_day.value_or(0));
  const auto delay = static_cast<std::uint64_t>(budget.target_delay.value_or(std::chrono::seconds{}).count());
  return mix(share ^ mix(requests ^ mix(delay))) >> 1;  // a varint of ours has 63 bits at most
}

}  // namespace remitod::scheduler
