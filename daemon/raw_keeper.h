// Brings answers to the database that changed something or could not be understood, without letting a carrier that
// fails all day, or one that tells a great deal, fill it: at most one transaction a second and one at a time, a bounded
// number of bytes waiting, one answer that could not be understood for each carrier, remito and reason in that time,
// and so many bytes of each carrier in the database. What the database does not take waits until it does, or we stop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/carrier_access.h"
#include "daemon/runtime.h"
#include "db/raw_answers.h"

namespace remitod::daemon {

class RawKeeper {
 public:
  /// Of a carrier at most `bytes_max` are kept, as they are stored; the newest.
  RawKeeper(Runtime& runtime, db::Executor& executor, std::uint64_t bytes_max = std::uint64_t{64} << 20);
  /// What is secret to this carrier's access is in none of its answers that are kept.
  void add_carrier(std::shared_ptr<const CarrierAccess> access);
  /// One that could not be understood, or not wholly. Of those that say the same of one shipment, or of none, one is
  /// enough, but where it has told something new besides: --reread is to find that again.
  void keep(db::RawAnswer answer, bool tells_news = false);
  /// One that told something new.
  void keep_changed(db::RawAnswer answer);
  /// From here on nothing waits for others to be written with it: whoever stops waits for the end.
  void stop();
  std::uint64_t dropped() const { return dropped_; }
  bool idle() const { return waiting_.empty() && !writing_; }  ///< all that was kept is where it is kept

 private:
  struct Waiting {
    db::RawAnswer answer;
    bool is_understood;
    std::shared_ptr<const carriers::Redactor> redactor;  ///< null: of a carrier that was not added
  };
  void add(db::RawAnswer answer, bool is_understood);
  void flush();
  std::vector<std::string> to_trim();
  void flush_soon();

  Runtime& runtime_;
  db::Executor& executor_;
  const std::uint64_t bytes_max_;
  std::unique_ptr<Alarm> alarm_;
  std::map<std::string, std::shared_ptr<const CarrierAccess>, std::less<>> carriers_;
  std::vector<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::set<std::string> untrimmed_;       ///< carriers with further answers since the last trimming
  std::chrono::microseconds trim_at_{0};  ///< not before, by the clock that nobody sets
  bool writing_ = false, stopping_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace remitod::daemon
