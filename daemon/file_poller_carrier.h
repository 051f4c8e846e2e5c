// What the file poller holds of one carrier, and of a file on its way from the folder to the database. Private to
// file_poller.cpp.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carriers/file_inbox.h"
#include "daemon/database_retry.h"
#include "daemon/file_poller.h"
#include "daemon/told_commit.h"

namespace remitod::daemon {

/// A file on its way from the folder to the database.
struct FilePoller::File {
  carriers::ListedFile listed;
  std::string bytes;
  std::string content{};               ///< fingerprint
  bool is_known = false;               ///< some file said this before
  std::optional<db::RawAnswer> raw{};  ///< kept if it told something new, or is imperfect
  bool imperfect = false;              ///< parts of it were not understood
  std::size_t unmapped_logged = 0, ahead_logged = 0;

  carriers::RememberedFile remembered(Instant now) const { return {listed, content, now}; }
};

struct FilePoller::Carrier {
  Carrier(FilePoller& poller, std::shared_ptr<const carriers::Profile> profile_used,
          std::unique_ptr<carriers::FileTransport> transport)
      : profile(std::move(profile_used)),
        feed(*carriers::file_feed(*profile)),
        files(std::move(transport)),
        inbox(feed.settle),
        recall_retry(poller.runtime_, [this, &poller] { poller.recall(*this); }),
        told(poller.runtime_, poller.executor_) {}

  const std::string& name() const { return profile->name(); }
  /// In shadow nothing: another system still wants the files.
  bool tidies() const { return feed.after != carriers::FileFeed::After::leave && !shadow; }
  db::ApplyRules rules() const {
    return {name(),          {profile->registration_grace()},
            profile->tail(), profile->give_up_after(),
            shadow,          profile->can_track()};
  }

  std::shared_ptr<const carriers::Profile> profile;
  const carriers::FileFeed& feed;
  bool shadow = false;
  std::shared_ptr<carriers::FileTransport> files;  ///< shared with the work that is under way
  carriers::FileInbox inbox;
  std::unique_ptr<Alarm> look_alarm;
  DatabaseRetry recall_retry;
  ToldCommit told;
  FileCounters counters;

  bool busy = false;  ///< from recall() or look() to rest()
  std::deque<carriers::ListedFile> to_tidy, to_read;
  std::optional<Instant> next_complete;
  bool any_read = false;  ///< in this look
  std::string failure;    ///< the first of this look
  std::string trouble;    ///< the same of the last one
  std::string refusal;    ///< why the last file was refused
  std::unique_ptr<File> committing;
};

}  // namespace remitod::daemon
