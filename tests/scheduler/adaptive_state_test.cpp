#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "scheduler/adaptive_state.h"

namespace remitod::test {
namespace {

using namespace scheduler;

rc::Gen<Wait> any_wait() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange<Second>(1, 1'000'000'000), rc::gen::inRange<Second>(0, 1'000'000'000),
                     rc::gen::inRange<Second>(0, 1'000'000'000), rc::gen::inRange<int>(0, int{statuses_max})),
      [](const std::tuple<Second, Second, Second, int>& parts) {
        const auto& [entered, until_lo, until_hi, status] = parts;
        return Wait{entered, entered + until_lo, entered + until_lo + until_hi, static_cast<StatusNumber>(status)};
      });
}

AdaptiveState example() {
  return {.waits = {{1000, 2000, 3000, 1}, {500, 500, 2900, 0}},
          .scores = {-12.5, 0, -1e9},
          .prices = {.poll = 0.25, .request = 1.5},
          .last_batch = 2900,
          .awaited_from = std::numeric_limits<Second>::max()};
}

RC_GTEST_PROP(AdaptiveState, ComesBackAsItWas, ()) {
  AdaptiveState state = example();
  state.waits = *rc::gen::container<std::vector<Wait>>(any_wait());
  const auto back = parse_adaptive_state(serialise(state));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == state);
}

TEST(AdaptiveState, RefusesEveryPartOfItself) {
  const std::string bytes = serialise(example());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(parse_adaptive_state(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(parse_adaptive_state(bytes + '\0'));
}

TEST(AdaptiveState, RefusesAnotherVersion) {
  std::string bytes = serialise(example());
  bytes[0] = 2;
  EXPECT_FALSE(parse_adaptive_state(bytes));
}

TEST(AdaptiveState, DoesNotBelieveACountThatTheBytesCannotHold) {
  std::string bytes = serialise({});
  bytes.replace(1, 1, "\xff\xff\xff\xff\x0f");
  EXPECT_FALSE(parse_adaptive_state(bytes));
}

RC_GTEST_PROP(AdaptiveState, BearsAnyBytes, (std::string bytes)) {
  bytes.insert(bytes.begin(), '\x01');
  if (const auto state = parse_adaptive_state(bytes)) RC_ASSERT(parse_adaptive_state(serialise(*state)) == state);
}

TEST(AdaptiveState, ATypicalWaitTakesAtMostNineBytes) {
  AdaptiveState state;
  const std::size_t empty = serialise(state).size();
  for (Second i = 0; i < 1000; ++i) {
    const Second hi = 1'770'000'000 + i * 3600;
    state.waits.push_back({hi - 500'000, hi - 7200, hi, 1});
  }
  EXPECT_LE(serialise(state).size() - empty, 9'000U + 8);
}

}  // namespace
}  // namespace remitod::test
