// What the poller holds of one carrier, and of an answer on its way from the wire to the database. Private to
// poller*.cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/paging.h"
#include "carriers/transport.h"
#include "daemon/poller.h"

namespace remitod::daemon {

/// What a batch asks about, for a thread that cannot look into the lane: that lives on.
class AskedShipments {
 public:
  AskedShipments(const scheduler::Lane& lane, const scheduler::Batch& batch) {
    shipments_.reserve(batch.slots.size());
    for (const scheduler::Slot slot : batch.slots)
      shipments_.emplace_back(std::string(lane.remito(slot)), lane.registered_at(slot));
  }
  std::vector<carriers::TrackItem> items() const {
    std::vector<carriers::TrackItem> items;
    items.reserve(shipments_.size());
    for (const auto& [remito, registered_at] : shipments_) items.push_back({remito, registered_at});
    return items;
  }

 private:
  std::vector<std::pair<std::string, Instant>> shipments_;
};

// A request on its way.
struct Poller::Asking {
  struct Pages {
    carriers::HttpRequest last;  ///< what the links of its answer start from: URL and options
    carriers::PagePosition position;
    std::vector<carriers::HttpAnswer> answers;  ///< so far
    Instant due{};                              ///< when the carrier's rate has room for the next
    Instant planned_at{};                       ///< when that was reckoned
  };
  scheduler::Batch batch;
  SessionPointer session;
  std::unique_ptr<Pages> pages;  ///< null where answers have none
};

// What was read from an answer.
struct Poller::Mapped {
  scheduler::Batch batch;
  SessionPointer session;
  carriers::HttpAnswer answer;  ///< of several pages the last, with the bodies of all
  std::expected<carriers::TrackAnswer, carriers::CarrierTrouble> track;
  std::vector<std::size_t> page_ends = {};  ///< of all pages but the last, in the body
};

// A mapped answer, or a part of one, that brought something and waits for its commit.
struct Poller::Uncommitted {
  struct Changed {
    scheduler::Slot slot = 0;
    std::uint64_t read_fingerprint = 0;
    db::PolledReport polled;
  };
  scheduler::Batch batch;
  std::uint64_t body_fingerprint = 0;
  std::vector<Changed> changed;
  struct Raw {
    db::RawAnswer answer;
    bool tells_news = false;    ///< a commit found something new
    bool is_understood = true;  ///< all parts, and none was refused
  };
  std::shared_ptr<Raw> raw;  ///< of all parts, kept with the last one
  bool last_part = true;     ///< with it the request is done
  bool imperfect = false;    ///< parts of the answer were not understood
  Instant committed_at{};    ///< the time of events that have none
};

struct Poller::Carrier {
  Carrier(std::shared_ptr<CarrierAccess> access_used, scheduler::LaneConfig config)
      : name(config.carrier),
        access(std::move(access_used)),
        profile(access->profile()),
        has_pages(profile->can_track() && carriers::has_pages(*profile, carriers::PagedOperation::track)),
        lane(config, remitod::fingerprint(config.carrier)) {}
  std::string name;
  std::shared_ptr<CarrierAccess> access;
  std::shared_ptr<const carriers::Profile> profile;
  bool has_pages;  ///< an answer may come in several
  bool shadow = false;
  scheduler::Lane lane;
  std::unique_ptr<Alarm> wake_alarm;
  std::unique_ptr<Alarm> commit_alarm;  ///< ends the gathering, and the wait after a commit that failed
  PollCounters counters;

  std::vector<Uncommitted> waiting;        ///< for the next commit
  std::vector<Uncommitted> committing;     ///< in the transaction that runs now
  std::size_t reports_waiting = 0;         ///< in both of these
  std::chrono::seconds commit_backoff{0};  ///< not zero: the last commit failed, and this is how long we wait
  bool commit_paused = false;
  /// After a report that the database refuses, so many answers go in one by one, so that only the bad one is lost.
  std::size_t one_by_one = 0;

  std::deque<Asking> pages_due;  ///< in the order of Pages::due
  std::unique_ptr<Alarm> page_alarm;

  bool is_learning = false;  ///< or waits for its turn to

  std::size_t others_under_way = 0;  ///< requests of others (for remitos, logins) that wait for their answer
  /// Requests that polls leave to others.
  std::size_t reserved_for_remitos = 0, reserved_for_cancels = 0, reserved_for_feed = 0;

  /// Those about orders need nothing while they rest, or wait for how one fares that tries.
  std::size_t reserved(Instant now) const {
    return reserved_for_feed + (lane.orders_may_go(now) ? reserved_for_remitos + reserved_for_cancels : 0);
  }
  /// What the carrier's rate and concurrency leave beside all that is under way.
  std::size_t spare_requests(Instant now) {
    const auto places = static_cast<std::size_t>(lane.config().concurrency);
    return std::min(places - std::min(places, lane.in_flight() + others_under_way), lane.spare_requests(now));
  }

  carriers::Call call(const SessionPointer& session, Instant now) const {
    return call_in(session, now, profile->track_needs_random() ? access->random() : carriers::Random{});
  }

  db::ApplyRules rules() const {
    return {name, {profile->registration_grace()}, profile->tail(), profile->give_up_after(), shadow};
  }
};

}  // namespace remitod::daemon
