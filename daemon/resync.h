// Resyncs asked for by hand: a request row (from the CLI or the platform) marks shipments as due in their lanes; this
// follows them until each was answered. It is not a second poller: limits, breaker and concurrency hold.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "daemon/poller.h"
#include "daemon/runtime.h"
#include "db/stores.h"

namespace remitod::daemon {

class Resync {
 public:
  struct Progress {
    std::int64_t resync_id = 0;
    std::string target;
    std::size_t shipments = 0;
    std::size_t done = 0;
    bool finished = false;
    std::string error;
    std::vector<std::string> carriers;  ///< those whose shipments are still waited for
  };

  Resync(Runtime& runtime, db::Executor& executor, Poller& poller);
  /// A row of resync_requests with the shipments that it means. One that is under way goes on as it is. Before the
  /// lanes are filled it waits: who is not in its lane by then cannot be asked.
  void begin(const db::ResyncRequest& request, std::vector<db::ResyncScope> scope);
  /// Each open shipment of the start is in its lane.
  void lanes_filled();
  void answered(std::span<const std::int64_t> shipment_ids);
  /// Those under way and the last ones that finished.
  std::optional<Progress> progress(std::int64_t resync_id) const;
  std::size_t under_way() const { return active_.size(); }

 private:
  struct Active {
    std::string target;
    std::size_t shipments = 0;
    std::map<std::string, std::unordered_set<std::int64_t>> left;  ///< by carrier
    bool done() const;
  };
  void finish(std::int64_t resync_id, std::size_t shipments, std::string target, std::string error);
  void record(const Progress& finished);

  Runtime& runtime_;
  db::Executor& executor_;
  Poller& poller_;
  std::map<std::int64_t, Active> active_;
  std::vector<std::pair<db::ResyncRequest, std::vector<db::ResyncScope>>> waiting_;  ///< for the lanes
  bool lanes_are_filled_ = false;
  std::map<std::int64_t, Progress> finished_;  ///< the last few
};

}  // namespace remitod::daemon
