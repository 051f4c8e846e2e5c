// Reports that came unasked for, in a file or a feed, on their way into the database: by parts, each a transaction, of
// which the last one also remembers what they came from. Whatever cuts this short, nothing is remembered, and what was
// written already changes nothing when it comes again.
//
// Trouble that passes: the same part again, until it is in (database_retry.h). A report that the database refuses is
// found by halving its part, and left out, so that the rest goes on.
//
// One of these brings in one batch after the other. For the deciding thread; it has to outlive the executor's work.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "daemon/database_retry.h"
#include "daemon/runtime.h"
#include "daemon/told_reports.h"
#include "db/executor.h"
#include "db/stores.h"

namespace remitod::daemon {

/// What became of a batch.
struct ToldSums {
  std::size_t reports = 0;      ///< without those that were left out
  std::size_t shipments = 0;    ///< reports of shipments that are open here
  std::size_t extra = 0;        ///< of others: ignored
  std::size_t transitions = 0;  ///< new ones
  std::size_t news = 0;         ///< events that are new, or say something else now
  /// A commit failed, and what it had written may be there all the same: there may be more than these tell of.
  bool failed_before = false;
  Instant committed_at{};  ///< the last part
};

class ToldCommit {
 public:
  struct Batch {
    db::ApplyRules rules;
    std::vector<Report> reports;
    /// What else the last part writes, on a thread of the executor; perhaps more than once. `count` as
    /// ToldSums::reports.
    std::function<db::DbResult<void>(db::Session&, std::size_t count, Instant now)> remember;
    std::function<void(std::span<const ToldReport>)> told;            ///< a part is in
    std::function<void(const Report&, const db::DbError&)> left_out;  ///< the database refuses it
    std::function<void(const db::DbError&)> delayed;                  ///< a part goes again, unless we stop
    /// The end. An error: the parts before are in, and the batch is dropped. One that is retryable: we stop, and
    /// whether the part under way is in nobody knows.
    std::function<void(const std::expected<ToldSums, db::DbError>&)> done;
  };

  ToldCommit(Runtime& runtime, db::Executor& executor);

  /// The one before is done.
  void begin(Batch batch);
  /// What the executor has is still done, and then the rest, as long as the database does it. True: it was waiting for
  /// the database, and done() will not be called.
  bool stop();

 private:
  void next_part();
  void part_is_in(std::size_t count, std::span<const ToldReport> told);
  void failed(const db::DbError& error);
  void finish(const std::expected<ToldSums, db::DbError>& result);

  Runtime& runtime_;
  db::Executor& executor_;
  DatabaseRetry retry_;
  std::optional<Batch> batch_;
  ToldSums sums_;
  std::size_t committed_ = 0;  ///< of the batch's reports
  std::size_t at_once_;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
