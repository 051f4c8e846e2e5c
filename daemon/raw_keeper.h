// Brings answers that could not be understood to the database, without letting a carrier that fails all day fill it: at
// most one transaction a second, a bounded number waiting, and one answer for each carrier, remito and reason in that
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "daemon/runtime.h"
#include "db/stores.h"

namespace remitod::daemon {

class RawKeeper {
 public:
  RawKeeper(Runtime& runtime, db::Executor& executor);
  void keep(db::RawAnswer answer);
  std::uint64_t dropped() const { return dropped_; }

 private:
  void flush();

  Runtime& runtime_;
  db::Executor& executor_;
  std::unique_ptr<Alarm> alarm_;
  std::vector<db::RawAnswer> waiting_;
  std::uint64_t dropped_ = 0;
};

}  // namespace remitod::daemon
