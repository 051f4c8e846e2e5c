#include "scheduler/adaptive_state.h"

#include <limits>

#include "scheduler/compact_bytes.h"

namespace remitod::scheduler {
namespace {

constexpr char version = 1;
constexpr std::size_t wait_bytes_min = 4;

constexpr std::uint64_t second_max = std::numeric_limits<Second>::max();

}  // namespace

std::string serialise(const AdaptiveState& state) {
  std::string out;
  out.reserve(64 + state.waits.size() * 8);
  out.push_back(version);
  put_varint(out, state.waits.size());
  std::int64_t before = 0;
  for (const Wait& wait : state.waits) {
    const std::int64_t difference = std::int64_t{wait.hi} - before;
    before = wait.hi;
    put_varint(out, wait.status);
    put_varint(out, static_cast<std::uint64_t>(difference) << 1 ^ static_cast<std::uint64_t>(difference >> 63));
    put_varint(out, wait.hi - wait.lo);
    put_varint(out, wait.lo - wait.entered);
  }
  put_varint(out, state.scores.size());
  for (const double score : state.scores) put_double(out, score);
  put_double(out, state.prices.poll);
  put_double(out, state.prices.request);
  put_varint(out, state.last_batch);
  put_varint(out, state.awaited_from);
  return out;
}

std::optional<AdaptiveState> parse_adaptive_state(std::string_view bytes) {
  if (!bytes.starts_with(version)) return std::nullopt;
  ByteReader reader(bytes.substr(1));
  AdaptiveState state;
  const std::uint64_t waits = reader.varint(reader.left() / wait_bytes_min);
  state.waits.reserve(waits);
  std::int64_t before = 0;
  for (std::uint64_t i = 0; i < waits && reader.ok(); ++i) {
    Wait wait;
    wait.status = static_cast<StatusNumber>(reader.varint(statuses_max - 1));
    const std::uint64_t coded = reader.varint(2 * second_max + 1);
    before += static_cast<std::int64_t>(coded >> 1) ^ -static_cast<std::int64_t>(coded & 1);
    if (before < 1 || before > static_cast<std::int64_t>(second_max)) return std::nullopt;
    wait.hi = static_cast<Second>(before);
    wait.lo = wait.hi - static_cast<Second>(reader.varint(wait.hi));
    wait.entered = wait.lo - static_cast<Second>(reader.varint(wait.lo));
    state.waits.push_back(wait);
  }
  const std::uint64_t scores = reader.varint(reader.left() / sizeof(double));
  for (std::uint64_t i = 0; i < scores; ++i) state.scores.push_back(reader.number());
  state.prices = {.poll = reader.number(), .request = reader.number()};
  state.last_batch = static_cast<Second>(reader.varint(second_max));
  state.awaited_from = static_cast<Second>(reader.varint(second_max));
  if (!reader.finished() || !(state.prices.poll > 0)) return std::nullopt;
  return state;
}

}  // namespace remitod::scheduler
