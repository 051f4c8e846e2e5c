// The parts of a lane against simple models of them.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "scheduler/checkpoint.h"
#include "scheduler/due_heap.h"
#include "scheduler/id_index.h"
#include "scheduler/phase.h"
#include "scheduler/shipment_rows.h"
#include "scheduler/token_bucket.h"
#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using test::monday;

RC_GTEST_PROP(TokenBucket, NeverGivesMoreThanRateTimesWindowPlusBurst, ()) {
  const int per_second_in_thousandths = *rc::gen::inRange(1, 50'000);
  const double per_second = per_second_in_thousandths / 1000.0;
  TokenBucket bucket(per_second, per_second, monday);
  const auto steps = *rc::gen::container<std::vector<std::int64_t>>(rc::gen::weightedOneOf<std::int64_t>(
      {{5, rc::gen::inRange<std::int64_t>(0, 200'000)}, {1, rc::gen::inRange<std::int64_t>(0, 100'000'000)}}));
  std::vector<Instant> given;
  Instant now = monday;
  for (const std::int64_t step : steps) {
    now += std::chrono::microseconds{step};
    while (bucket.take(now)) given.push_back(now);
  }
  // In thousandths of millionths, so that the check is exact as well.
  const std::int64_t burst = std::max<std::int64_t>(1000, per_second_in_thousandths) * 1'000'000;
  for (std::size_t first = 0; first < given.size(); ++first) {
    for (std::size_t last = first; last < given.size(); ++last) {
      const auto tokens = static_cast<std::int64_t>(last - first + 1) * 1'000'000'000;
      RC_ASSERT(tokens <= (given[last] - given[first]).count() * per_second_in_thousandths + burst);
    }
  }
}

RC_GTEST_PROP(TokenBucket, GivesAtTheMomentItNamesAndNotBefore, ()) {
  const double per_second = *rc::gen::inRange(1, 20'000) / 1000.0;
  TokenBucket bucket(per_second, per_second, monday);
  Instant now = monday;
  for (int i = 0; i < 20; ++i) {
    now += std::chrono::microseconds{*rc::gen::inRange(0, 2'000'000)};
    while (bucket.take(now)) {
    }
    const Instant next = bucket.next_token(now);
    RC_ASSERT(next > now);
    RC_ASSERT(!bucket.take(next - std::chrono::microseconds{1}));
    RC_ASSERT(bucket.take(next));
    now = next;
  }
}

RC_GTEST_PROP(PhaseGrid, NextPointIsTheFirstAfterTheMoment, ()) {
  const auto id = *rc::gen::arbitrary<std::int64_t>();
  const auto interval = *rc::gen::inRange<Second>(1, 1'000'000);
  const auto points = *rc::gen::inRange<Second>(1, interval + 1);
  const PhaseGrid grid(interval, points, *rc::gen::inRange<Second>(0, interval / points));
  const auto moment = *rc::gen::inRange<Second>(1, 4'000'000'000);
  const Second point = grid.next_point(moment, id);
  RC_ASSERT(point > moment);
  RC_ASSERT(point - moment <= interval);
  RC_ASSERT(point % interval == grid.phase_of(id));
}

RC_GTEST_PROP(DueHeap, BehavesAsASortedSet, ()) {
  ShipmentRows rows;
  DueHeap heap(rows);
  std::set<DueHeap::Entry> model;
  std::map<Slot, Second> due;
  std::int64_t next_id = 1;
  const auto any_slot = [&] { return *rc::gen::elementOf(due); };
  const int steps = *rc::gen::inRange(0, 300);
  for (int step = 0; step < steps; ++step) {
    const int action = due.empty() ? 0 : *rc::gen::inRange(0, 6);
    if (action <= 2) {
      const Slot slot = rows.insert(next_id++, "R");
      const auto moment = *rc::gen::inRange<Second>(0, 50);
      heap.push(slot, moment);
      model.insert({moment, slot});
      due[slot] = moment;
    } else if (action == 3) {
      const DueHeap::Entry first = heap.pop();
      RC_ASSERT(first == *model.begin());
      model.erase(first);
      due.erase(first.slot);
      rows.erase(first.slot);
    } else if (action == 4) {
      const auto [slot, moment] = any_slot();
      heap.erase(slot);
      model.erase({moment, slot});
      due.erase(slot);
      rows.erase(slot);
    } else {
      const auto [slot, moment] = any_slot();
      const auto other = *rc::gen::inRange<Second>(0, 50);
      heap.move(slot, other);
      model.erase({moment, slot});
      model.insert({other, slot});
      due[slot] = other;
    }
    RC_ASSERT(heap.size() == model.size());
    for (const auto& [slot, moment] : due) RC_ASSERT(heap.due(slot) == moment);
    const auto now = *rc::gen::inRange<Second>(0, 50);
    RC_ASSERT(heap.count_due(now) == static_cast<std::size_t>(std::ranges::count_if(
                                         model, [&](const DueHeap::Entry& entry) { return entry.due <= now; })));
  }
}

RC_GTEST_PROP(ShipmentRows, BehaveAsAMapWithAnIndex, ()) {
  ShipmentRows rows;
  IdIndex index(rows);
  std::map<std::int64_t, std::string> model;
  const auto steps = *rc::gen::container<std::vector<std::pair<std::int64_t, std::size_t>>>(
      rc::gen::pair(rc::gen::inRange<std::int64_t>(-40, 400), rc::gen::inRange<std::size_t>(0, 5)));
  for (const auto& [id, length] : steps) {
    if (const std::optional<Slot> slot = index.find(id)) {
      RC_ASSERT(rows.remito(*slot) == model.at(id));
      index.erase(*slot);
      rows.erase(*slot);
      model.erase(id);
    } else {
      RC_ASSERT(!model.contains(id));
      model[id] = std::string(length, 'x') + (length != 0 ? std::to_string(id & 7) : "");
      index.insert(rows.insert(id, model[id]));
    }
  }
  RC_ASSERT(index.size() == model.size());
  for (const auto& [id, remito] : model) {
    const std::optional<Slot> slot = index.find(id);
    RC_ASSERT(slot.has_value());
    RC_ASSERT(rows[*slot].shipment_id == id);
    RC_ASSERT(rows.remito(*slot) == remito);
  }
}

RC_GTEST_PROP(Checkpoint, ReadsBackWhatWasWritten, (const std::map<std::int64_t, std::uint32_t>& asked)) {
  std::vector<AskedAt> entries;
  for (const auto& [id, second] : asked) entries.push_back({id, std::max(second, 1U)});
  std::ranges::reverse(entries);
  const auto read = decode_checkpoint(encode_checkpoint(entries));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const AskedAt& entry = entries[entries.size() - 1 - i];
    RC_ASSERT((*read)[i].shipment_id == entry.shipment_id);
    RC_ASSERT((*read)[i].last_asked == to_instant(entry.asked));
  }
}

RC_GTEST_PROP(Checkpoint, RandomBytesAreRefusedOrSortedPairs, (std::string bytes)) {
  if (!bytes.empty() && *rc::gen::arbitrary<bool>()) bytes[0] = '\x01';
  const auto read = decode_checkpoint(bytes);
  if (!read) return;
  for (std::size_t i = 1; i < read->size(); ++i) RC_ASSERT((*read)[i - 1].shipment_id < (*read)[i].shipment_id);
}

RC_GTEST_PROP(Checkpoint, ADamagedOneIsRefusedOrStillSortedPairs,
              (const std::map<std::int64_t, std::uint32_t>& asked)) {
  std::vector<AskedAt> entries;
  for (const auto& [id, second] : asked) entries.push_back({id, std::max(second, 1U)});
  std::string bytes = encode_checkpoint(entries);
  bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  const auto read = decode_checkpoint(bytes);
  if (!read) return;
  for (std::size_t i = 1; i < read->size(); ++i) RC_ASSERT((*read)[i - 1].shipment_id < (*read)[i].shipment_id);
}

}  // namespace
}  // namespace remitod::scheduler
