// What a lane holds. Private to lane.cpp, which asks and answers, to lane_plan.cpp, which says when, to
// lane_orders.cpp, which lets requests about orders through, and to lane_adaptive.cpp, which learns.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/breaker.h"
#include "scheduler/due_heap.h"
#include "scheduler/id_index.h"
#include "scheduler/invariant.h"
#include "scheduler/lane.h"
#include "scheduler/lane_learning.h"
#include "scheduler/limits.h"
#include "scheduler/moments.h"
#include "scheduler/phase.h"
#include "scheduler/shipment_rows.h"

namespace remitod::scheduler {

inline std::optional<Breaker::Rest> rest_wanted(const BatchOutcome& outcome) {
  if (!outcome.retry_after) return std::nullopt;
  return Breaker::Rest(*outcome.retry_after, outcome.is_wished);
}

struct Lane::Impl {
  struct Request {
    std::uint64_t id = 0;
    Second taken_at = 0;
    bool probe = false;
    bool on_wire = true;
    std::vector<DueHeap::Entry> asked;  ///< with when each was due
    std::vector<Slot> saw;              ///< of those: that something new was published
  };

  Impl(LaneConfig stated, std::uint64_t seed_given)
      : config(std::move(stated)),
        seed(seed_given),
        limits(config),
        breaker(config),
        orders(config),
        jitter(seed_given),
        index(rows),
        heap(rows),
        grid(grid_wanted(1)) {}

  const ShipmentRow& row(Slot slot) const {
    require(rows.holds(slot), "a slot that was asked about is in use");
    return rows[slot];
  }
  Second interval() const { return static_cast<Second>(config.interval.count()); }
  /// Is this the trial that decides?
  bool is_trying(std::uint64_t of) const { return of == trial && orders.state() == BreakerState::half_open; }
  bool full() const { return on_wire >= static_cast<std::size_t>(config.concurrency); }

  // lane_plan.cpp: the schedule.
  Second slack() const;  ///< how far ahead of its point a shipment may be asked to fill a batch
  Second due_after(Slot slot, Second moment) const;
  Second due_on_entry(Slot slot, Second entered, Second now);
  PhaseGrid grid_wanted(Second points_now) const;
  void fit_grid(Second now);
  Second retry_at(const ShipmentRow& row, Second now);
  void plan_anew(Second now);
  std::optional<Second> first_missed() const;
  void spread_overdue(Instant now, std::chrono::microseconds silence, std::chrono::seconds overdue_min);
  /// The first moment at which the shipment is to be asked after it was asked (or entered, if it was not), whatever is
  /// the time now.
  Second first_due(Slot slot, Second now) const;
  Second first_point(Slot slot, Second entered, Second now) const;  ///< of one that was never asked

  // lane_adaptive.cpp
  OpenShipment open_shipment(Slot slot, Second now) const;
  std::vector<OpenShipment> open_shipments(Second now) const;
  bool may_ride(const DueHeap::Entry& entry, Second now) const;  ///< in a request that goes now and has room
  /// Those whom a sentinel or a sweep is to ask are due now. None begins while the one before is still being asked.
  void begin_rounds(Second now);
  bool round_under_way(Second now) const;
  void choose(const Round& round, Second now);
  std::optional<Second> next_round(Second now) const;
  void note_missed(Slot slot, const Request& request);
  void start_learning(Second now);
  void replace_schedule(Second now);

  // lane_plan.cpp: the clock.
  bool was_set_back(Instant now) const;
  Instant advance(Instant now);  ///< every `now` goes through here; what comes out never goes back by small steps
  void clock_set_back(Instant now);
  void note_service(Instant now);

  // lane.cpp
  void mark(Slot slot);
  void settle(const DueHeap::Entry& asked, const Request& request, BatchOutcome::Kind kind, Second now);

  LaneConfig config;
  std::uint64_t seed;
  Limits limits;
  Breaker breaker;
  Breaker orders;           ///< of requests about orders: how these fare holds up no poll
  std::uint64_t trial = 0;  ///< the newest of those with which `orders` tried
  Jitter jitter;
  ShipmentRows rows;
  IdIndex index;
  DueHeap heap;
  PhaseGrid grid;
  std::unique_ptr<LaneLearning> learning;  ///< null: not adaptive, or nothing has happened yet
  std::optional<Lane::Lessons> unused;     ///< learned while the lane was adaptive, which it is not now
  Second round_at = 0;                     ///< of the last sentinel or sweep; 0: none
  std::vector<Request> requests;           ///< taken and not finished
  std::size_t on_wire = 0;                 ///< of those: without an answer yet
  std::uint64_t last_batch_id = 0;
  std::size_t resync_left = 0;
  Second newest_asked = 0;        ///< of all shipments
  std::optional<Instant> latest;  ///< the latest `now`; small steps back do not count
  /// From when on somebody might have been asked and was not: the last look for what to ask, or when the limits allow
  /// it after that; or the last moment at which requests in flight kept the lane from it.
  Instant served_at{};
  bool came_overdue = false;  ///< a shipment came whose point had passed; until the next take()
};

}  // namespace remitod::scheduler
