// What the feed poller holds of one carrier, and of a window on its way from the question to the database. Private to
// feed_poller.cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carriers/feed_schedule.h"
#include "carriers/request.h"
#include "daemon/database_retry.h"
#include "daemon/feed_poller.h"
#include "daemon/told_commit.h"

namespace remitod::daemon {

/// A window on its way from the question to the database.
struct FeedPoller::Window {
  carriers::FeedWindow asked;
  SessionPointer session = {};
  bool is_renewed = false;        ///< the session, for this window
  carriers::HttpRequest last{};   ///< what the links of its answer start from: URL and options
  carriers::PagePosition page{};  ///< the next
  std::vector<carriers::HttpAnswer> pages{};

  std::optional<db::RawAnswer> raw{};  ///< once it is mapped; kept if it told something new, or is imperfect
  bool imperfect = false;              ///< parts of it were not understood
  std::size_t unmapped_logged = 0, ahead_logged = 0;
};

/// Why a window was not read.
struct FeedPoller::Failure {
  std::string_view kind;
  std::string message;
  bool may_be_too_much = false;                          ///< for one answer
  std::optional<std::chrono::seconds> retry_after = {};  ///< as the carrier says
  Instant not_before = {};                               ///< likewise
};

struct FeedPoller::Carrier {
  Carrier(FeedPoller& poller, std::shared_ptr<CarrierAccess> access_used, bool in_shadow)
      : access(std::move(access_used)),
        profile(access->profile()),
        feed(*carriers::feed_schedule(*profile)),
        shadow(in_shadow),
        recall_retry(poller.runtime_, [this, &poller] { poller.recall(*this); }),
        told(poller.runtime_, poller.executor_) {}

  const std::string& name() const { return profile->name(); }
  db::ApplyRules rules() const {
    return {name(),          {profile->registration_grace()},
            profile->tail(), profile->give_up_after(),
            shadow,          profile->can_track()};
  }
  Instant end_of_window() const { return std::min(since + window_length, until); }

  std::shared_ptr<CarrierAccess> access;
  std::shared_ptr<const carriers::Profile> profile;
  const carriers::FeedSchedule& feed;
  const bool shadow;
  std::unique_ptr<Alarm> look_alarm, room_alarm;
  DatabaseRetry recall_retry;
  ToldCommit told;
  FeedCounters counters;

  std::optional<Instant> asked_until;  ///< nothing: never, before the first look
  Instant since{}, until{};            ///< what is left of this look
  std::chrono::microseconds window_length = feed.window_max;
  std::unique_ptr<Window> window;
  bool busy = false;  ///< from recall() or look() to rest()
  bool waits_for_room = false;
  std::string trouble;  ///< why the last window failed
  std::chrono::seconds backoff{0};
};

}  // namespace remitod::daemon
