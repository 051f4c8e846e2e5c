// What a lane holds. Private to lane.cpp, which asks and answers, and to lane_plan.cpp, which says when.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "scheduler/breaker.h"
#include "scheduler/due_heap.h"
#include "scheduler/id_index.h"
#include "scheduler/invariant.h"
#include "scheduler/lane.h"
#include "scheduler/moments.h"
#include "scheduler/shipment_rows.h"
#include "scheduler/token_bucket.h"

namespace remitod::scheduler {

struct Lane::Impl {
  struct Request {
    std::uint64_t id = 0;
    Second taken_at = 0;
    bool probe = false;
    bool on_wire = true;
    std::vector<DueHeap::Entry> asked;  ///< with when each was due
  };

  Impl(LaneConfig stated, std::uint64_t seed)
      : config(std::move(stated)),
        bucket(config.requests_per_second, Instant{}),
        breaker(config),
        jitter(seed),
        index(rows),
        heap(rows) {}

  const ShipmentRow& row(Slot slot) const {
    require(rows.holds(slot), "a slot that was asked about is in use");
    return rows[slot];
  }
  Second interval() const { return static_cast<Second>(config.interval.count()); }
  bool full() const { return on_wire >= static_cast<std::size_t>(config.concurrency); }

  // lane_plan.cpp: the schedule.
  Second slack() const;  ///< how far ahead of its point a shipment may be asked to fill a batch
  Second due_after(Slot slot, Second moment) const;
  Second retry_at(const ShipmentRow& row, Second now);
  void plan_anew(Second now);
  void spread_overdue(Second now);

  // lane_plan.cpp: the clock.
  bool was_set_back(Instant now) const;
  Instant advance(Instant now);  ///< every `now` goes through here; what comes out never goes back by small steps
  void clock_set_back(Instant now);
  void note_service(Instant now);

  // lane.cpp
  void mark(Slot slot);
  void settle(const DueHeap::Entry& asked, const Request& request, BatchOutcome::Kind kind, Second now);

  LaneConfig config;
  TokenBucket bucket;
  Breaker breaker;
  Jitter jitter;
  ShipmentRows rows;
  IdIndex index;
  DueHeap heap;
  std::vector<Request> requests;  ///< taken and not finished
  std::size_t on_wire = 0;        ///< of those: without an answer yet
  std::uint64_t last_batch_id = 0;
  std::size_t resync_left = 0;
  std::optional<Instant> latest;  ///< the latest `now`; small steps back do not count
  Instant served_at{};  ///< when somebody last looked for what to ask, or was kept from it by requests in flight
};

}  // namespace remitod::scheduler
