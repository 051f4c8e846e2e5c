// When a feed is asked that is not one of files: [feed] interval, overlap, window_max.
#pragma once

#include <chrono>

#include "carriers/profile.h"

namespace remitod::carriers {

struct FeedSchedule {
  std::chrono::seconds interval{std::chrono::minutes{10}};  ///< between two looks
  std::chrono::seconds overlap{std::chrono::hours{1}};      ///< asked again at each look: carriers publish late
  std::chrono::seconds window_max{std::chrono::hours{24}};  ///< of one question; more than `overlap`
};

/// Null: this carrier has no feed that is asked.
const FeedSchedule* feed_schedule(const Profile& profile);

}  // namespace remitod::carriers
