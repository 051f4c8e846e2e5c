// What the poller holds of one carrier, and of an answer on its way from the wire to the database. Private to
// poller*.cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/transport.h"
#include "daemon/poller.h"

namespace remitod::daemon {

// What the mapping thread made of an answer.
struct Poller::Mapped {
  scheduler::Batch batch;
  carriers::HttpAnswer answer;
  std::expected<carriers::TrackAnswer, carriers::CarrierTrouble> track;
};

// A mapped answer, or a part of one, that brought something and waits for its commit.
struct Poller::Answered {
  struct Changed {
    scheduler::Slot slot = 0;
    std::uint64_t read_fingerprint = 0;
    db::PolledReport polled;
  };
  scheduler::Batch batch;
  std::uint64_t body_fingerprint = 0;
  std::vector<Changed> changed;
  std::shared_ptr<const db::RawAnswer> raw;  ///< kept if the commit finds a code that is new and unknown
  bool last_part = true;                     ///< with it the request is done
};

struct Poller::Carrier {
  Carrier(std::shared_ptr<const carriers::Profile> profile_used, scheduler::LaneConfig config)
      : name(config.carrier), profile(std::move(profile_used)), lane(config, remitod::fingerprint(config.carrier)) {}
  std::string name;
  std::shared_ptr<const carriers::Profile> profile;
  scheduler::Lane lane;
  std::unique_ptr<Alarm> wake_alarm;
  std::unique_ptr<Alarm> commit_alarm;
  PollCounters counters;

  std::vector<Answered> waiting;           ///< for the next commit
  std::vector<Answered> committing;        ///< in the transaction that runs now
  std::size_t reports_waiting = 0;         ///< in both of these
  std::chrono::seconds commit_backoff{0};  ///< not zero: the last commit failed, and this is how long we wait
  bool commit_paused = false;
  /// After a report that the database refuses, so many answers go in one by one, so that only the bad one is lost.
  std::size_t one_by_one = 0;

  std::size_t creating = 0;  ///< requests of others (for remitos) that wait for their answer
  std::size_t reserved = 0;  ///< requests that polls leave to others

  /// What the carrier's rate and concurrency leave beside all that is under way.
  std::size_t spare_requests(Instant now) {
    const auto places = static_cast<std::size_t>(lane.config().concurrency);
    return std::min(places - std::min(places, lane.in_flight() + creating), lane.spare_requests(now));
  }

  db::ApplyRules rules() const {
    return {name, {profile->registration_grace()}, profile->tail(), profile->give_up_after()};
  }
};

}  // namespace remitod::daemon
