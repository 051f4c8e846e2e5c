// Reads kept answers again with today's profile: `remitod --reread`. What a better profile understands now becomes the
// events and transitions that it would have become then, once; what was told is not told again. Oldest first, a few
// answers at a time: loaded and reconciled on the database's thread, mapped on the carrier's mapping thread.
//
// An answer is reconciled with the shipments that it was asked about, also with those that have ended since. Belongs to
// the deciding thread.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/profile.h"
#include "daemon/runtime.h"
#include "db/executor.h"
#include "db/raw_answers.h"
#include "db/stores.h"

namespace remitod::daemon {

class Reread {
 public:
  /// So many transitions of a dry run are listed.
  static constexpr std::size_t listed_max = 100;

  struct Progress {
    std::int64_t reread_id = 0;
    std::string carrier;
    bool dry_run = false;
    std::int64_t answers = 0;    ///< there are to be read
    std::int64_t done = 0;       ///< of them
    std::int64_t unread = 0;     ///< of those: today's profile does not understand them, or they are damaged
    std::int64_t not_whole = 0;  ///< beside them: kept in part only, and not read
    std::int64_t new_events = 0;
    std::int64_t updated_events = 0;  ///< known ones that mean something else now, or read otherwise
    std::int64_t transitions = 0;
    std::int64_t still_unmapped = 0;                   ///< new events with a code that the profile does not know
    std::vector<db::PreviewedTransition> listed = {};  ///< of a dry run, the first ones
    bool finished = false;
    std::string error;  ///< of the database: what was done stays done
  };

  /// `transitions_written`: the outbox may look.
  Reread(Runtime& runtime, Offload& mapper, db::Executor& executor, std::function<void()> transitions_written);
  ~Reread();

  void add_carrier(std::shared_ptr<const carriers::Profile> profile, bool shadow);
  /// The id to ask progress() with, once it is known how much there is to read. One of a carrier at a time: the error
  /// says what stands in the way.
  using Begun = std::expected<std::int64_t, std::string>;
  void begin(std::string_view carrier, std::optional<Instant> since, bool dry_run,
             std::move_only_function<void(Begun)> then);
  /// Those under way and the last ones that finished.
  std::optional<Progress> progress(std::int64_t reread_id) const;
  bool has(std::string_view carrier) const { return carriers_.contains(carrier); }
  /// Those under way end with the answers that are in work.
  void stop() { stopping_ = true; }
  bool idle() const { return active_.empty(); }

 private:
  struct Carrier {
    std::shared_ptr<const carriers::Profile> profile;
    bool shadow = false;
  };
  struct Active;
  void load(Active& active);
  void map(Active& active, db::KeptPage page);
  struct Read;
  void apply(Active& active, Read read);
  void applied(Active& active, const db::PreviewedReports& outcome);
  void finish(Active& active, std::string error);

  Runtime& runtime_;
  Offload& mapper_;
  db::Executor& executor_;
  std::function<void()> transitions_written_;
  std::map<std::string, Carrier, std::less<>> carriers_;
  std::map<std::int64_t, std::unique_ptr<Active>> active_;
  std::map<std::int64_t, Progress> finished_;  ///< the last few
  std::int64_t last_id_ = 0;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
