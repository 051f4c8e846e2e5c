#include "daemon/asio_runtime.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "daemon/worker_pool.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using daemon::Alarm;
using daemon::AsioRuntime;
using daemon::Runtime;
using daemon::WorkerPool;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

// ------------------------------------------------------------------ time

TEST(AsioRuntimeTest, WithoutAScaleItIsTheWallsTime) {
  const AsioRuntime runtime(1.0, Instant{});
  const Instant before = daemon::wall_clock();
  const Instant now = runtime.now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, daemon::wall_clock());
}

TEST(AsioRuntimeTest, WithAScaleTimeRunsFasterFromItsOrigin) {
  const Instant origin = daemon::wall_clock() - 10s;
  const AsioRuntime runtime(3600, origin);
  EXPECT_GE(runtime.now(), origin + 10h);
  const Instant now = runtime.now();
  EXPECT_GE(runtime.in(1s), now + 1h) << "an hour of the daemon's is a second of the wall's";
}

TEST(AsioRuntimeTest, AMomentIsFoundOnTheSteadyClock) {
  const AsioRuntime runtime(3600, daemon::wall_clock());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_GE(runtime.steady_at(runtime.now() + 10h), before + 9s);
  const auto passed = runtime.steady_at(runtime.now() - 10h);
  EXPECT_LE(passed, std::chrono::steady_clock::now()) << "what has passed is now";
}

// ------------------------------------------------------------------ alarms

TEST(AsioAlarmTest, RingsAtItsMomentAndNotBefore) {
  AsioRuntime runtime(1.0, Instant{});
  Instant rang{};
  const auto alarm = runtime.alarm([&] { rang = runtime.now(); });
  const Instant at = runtime.now() + 20ms;
  alarm->set(at);
  runtime.context().run();
  EXPECT_GE(rang, at);
}

TEST(AsioAlarmTest, RingsADayAheadWhenADayIsASecond) {
  AsioRuntime runtime(1e6, daemon::wall_clock());
  Instant rang{};
  const auto alarm = runtime.alarm([&] { rang = runtime.now(); });
  const Instant at = runtime.now() + 24h;
  alarm->set(at);
  runtime.context().run();
  EXPECT_GE(rang, at);
}

TEST(AsioAlarmTest, RingOnceEachInTheOrderOfTheirMoments) {
  AsioRuntime runtime(1.0, Instant{});
  std::vector<int> rung;
  const auto first = runtime.alarm([&] { rung.push_back(1); });
  const auto second = runtime.alarm([&] { rung.push_back(2); });
  const Instant now = runtime.now();
  second->set(now + 30ms);
  first->set(now + 5ms);
  runtime.context().run();
  EXPECT_THAT(rung, ElementsAre(1, 2));
}

TEST(AsioAlarmTest, SettingItAgainReplacesTheMoment) {
  AsioRuntime runtime(1.0, Instant{});
  std::vector<Instant> rung;
  const auto alarm = runtime.alarm([&] { rung.push_back(runtime.now()); });
  const Instant later = runtime.now() + 40ms;
  alarm->set(runtime.now() + 24h);
  alarm->set(runtime.now() + 1ms);
  alarm->set(later);
  runtime.context().run();
  ASSERT_THAT(rung, SizeIs(1));
  EXPECT_GE(rung.front(), later);
}

TEST(AsioAlarmTest, CancelledOrDestroyedItDoesNotRing) {
  AsioRuntime runtime(1.0, Instant{});
  int rung = 0;
  const auto cancelled = runtime.alarm([&] { ++rung; });
  auto destroyed = runtime.alarm([&] { ++rung; });
  cancelled->set(runtime.now() + 1ms);
  destroyed->set(runtime.now() + 1ms);
  cancelled->cancel();
  destroyed.reset();
  runtime.context().run();
  EXPECT_EQ(rung, 0);
}

TEST(AsioAlarmTest, CancelledAfterItsMomentButBeforeItsTurnItDoesNotRing) {
  AsioRuntime runtime(1.0, Instant{});
  int rung = 0;
  std::unique_ptr<Alarm> second;
  const auto first = runtime.alarm([&] { second->cancel(); });
  second = runtime.alarm([&] { ++rung; });
  const Instant past = runtime.now() - 1s;
  first->set(past);
  second->set(past);
  runtime.context().run();
  EXPECT_EQ(rung, 0);
}

TEST(AsioAlarmTest, ItsRingMaySetItAgainOrDestroyIt) {
  AsioRuntime runtime(1.0, Instant{});
  int rung = 0;
  std::unique_ptr<Alarm> alarm;
  alarm = runtime.alarm([&] {
    if (++rung == 3)
      alarm.reset();
    else
      alarm->set(runtime.now() + 1ms);
  });
  alarm->set(runtime.now());
  runtime.context().run();
  EXPECT_EQ(rung, 3);
  EXPECT_FALSE(alarm);
}

TEST(AsioRuntimeTest, PostsFromManyThreadsRunOnTheOneThatRunsTheLoop) {
  AsioRuntime runtime(1.0, Instant{});
  int ran = 0;  // no lock: that is what is promised
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) runtime.post([&] { ++ran; });
      });
  }
  runtime.context().run();
  EXPECT_EQ(ran, 4000);
}

// ------------------------------------------------------------------ the mapping thread

/// Runs the loop until `wanted` results are back.
struct Mapping {
  AsioRuntime runtime{1.0, Instant{}};
  std::vector<int> results;
  std::size_t wanted = 0;
  void back(int result) {
    results.push_back(result);
    if (results.size() == wanted) runtime.context().stop();
  }
  void run() {
    const auto never = runtime.alarm([] {});
    never->set(runtime.now() + 24h);  // keeps the loop waiting
    runtime.context().run();
  }
};

TEST(WorkerPoolTest, ResultsComeBackInOrderOnTheDecidingThread) {
  Mapping mapping;
  mapping.wanted = 1000;
  WorkerPool worker(mapping.runtime);
  const auto deciding = std::this_thread::get_id();
  std::size_t elsewhere = 0, here = 0;
  for (int i = 0; i < 1000; ++i)
    worker.run("carrier", [&, i]() -> Runtime::Task {
      const bool off = std::this_thread::get_id() != deciding;
      return [&, i, off] {
        elsewhere += off ? 1 : 0;
        here += std::this_thread::get_id() == deciding ? 1 : 0;
        mapping.back(i);
      };
    });
  mapping.run();
  EXPECT_TRUE(std::ranges::is_sorted(mapping.results));
  EXPECT_EQ(elsewhere, 1000u);
  EXPECT_EQ(here, 1000u);
}

TEST(WorkerPoolTest, WorkThatComesFromAResultIsDone) {
  Mapping mapping;
  mapping.wanted = 100;
  WorkerPool worker(mapping.runtime);
  std::function<void(int)> next = [&](int i) {
    worker.run("carrier", [&, i]() -> Runtime::Task {
      return [&, i] {
        mapping.back(i);
        if (i + 1 < 100) next(i + 1);
      };
    });
  };
  next(0);
  mapping.run();
  EXPECT_THAT(mapping.results, SizeIs(100));
}

TEST(WorkerPoolTest, ASlowQueueHoldsUpNoOther) {
  Mapping mapping;
  mapping.wanted = 101;
  std::atomic<bool> finish = false;
  WorkerPool worker(mapping.runtime);
  worker.run("slow", [&]() -> Runtime::Task {
    finish.wait(false);
    return [&] { mapping.back(100); };
  });
  std::function<void(int)> next = [&](int i) {
    worker.run(i % 2 == 0 ? "even" : "odd", [&, i]() -> Runtime::Task {
      return [&, i] {
        mapping.back(i);
        if (i + 1 < 100) return next(i + 1);
        finish = true;
        finish.notify_one();
      };
    });
  };
  next(0);
  mapping.run();
  EXPECT_EQ(mapping.results.back(), 100);
}

TEST(WorkerPoolTest, WorkOfOneQueueIsNeverDoneAtTheSameTime) {
  Mapping mapping;
  mapping.wanted = 2000;
  WorkerPool worker(mapping.runtime);
  std::array<int, 4> doing{};  // no lock: that is what is promised
  for (std::size_t i = 0; i < 2000; ++i)
    worker.run("carrier " + std::to_string(i % doing.size()), [&, i]() -> Runtime::Task {
      const int seen = ++doing[i % doing.size()];
      --doing[i % doing.size()];
      return [&, seen] { mapping.back(seen); };
    });
  mapping.run();
  EXPECT_THAT(mapping.results, Each(1));
}

TEST(WorkerPoolTest, DestroyedItFinishesWhatItDoesAndDropsWhatWaits) {
  AsioRuntime runtime(1.0, Instant{});
  std::atomic<bool> begun = false, finish = false;
  std::atomic<int> done = 0;
  {
    auto worker = std::make_unique<WorkerPool>(runtime);
    worker->run("carrier", [&]() -> Runtime::Task {
      begun = true;
      begun.notify_one();
      finish.wait(false);
      ++done;
      return [] {};
    });
    begun.wait(false);
    for (int i = 0; i < 10; ++i)
      worker->run("carrier", [&]() -> Runtime::Task {
        ++done;
        return [] {};
      });
    std::jthread destroyer([&] { worker.reset(); });
    finish = true;
    finish.notify_one();
  }
  EXPECT_GE(done, 1);
  EXPECT_LE(done, 11);
}

}  // namespace
}  // namespace remitod::test
