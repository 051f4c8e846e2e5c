// What a process leaves to the next one, once a minute and at its end: when each shipment was last asked, until when a
// carrier wanted to be left alone, and what adaptive schedules have learned. So `kill -9` costs a minute of it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/poller.h"
#include "daemon/runtime.h"
#include "db/learned_store.h"
#include "db/stores.h"

namespace remitod::daemon {

/// What the process before this one left. Wanted while the lanes are filled.
class Remembered {
 public:
  static db::DbResult<Remembered> load(db::Session& session);
  Instant last_asked(const db::OpenShipment& shipment) const;  ///< epoch: never, as far as is known
  /// Before the first shipment is added: all but when each was asked. A carrier that is hourly now keeps what is known
  /// of it for another time.
  void restore_lanes(Poller& poller) const;

 private:
  void add(const db::LaneCheckpoint& checkpoint);

  std::map<std::string, std::vector<scheduler::Lane::Asked>, std::less<>> asked_;
  struct Wishes {
    scheduler::Lane::Wishes told;
    Instant saved_at;
  };
  std::map<std::string, Wishes, std::less<>> wishes_;
  std::vector<db::LearnedSchedule> learned_;
};

class Checkpoints {
 public:
  Checkpoints(const Runtime& runtime, db::Executor& executor, Poller& poller)
      : runtime_(runtime), executor_(executor), poller_(poller) {}
  /// Calls `then` when it is done, committed or not.
  void save(const std::string& carrier, std::function<void()> then);

 private:
  const Runtime& runtime_;
  db::Executor& executor_;
  Poller& poller_;
};

}  // namespace remitod::daemon
