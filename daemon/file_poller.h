// Carriers that tell by files: looks into their folders, reads what is new, and brings it to the database.
//
//   look       what does the folder hold? (carriers/file_transport.h)
//   plan       which of it is complete and new (carriers/file_inbox.h)
//   tidy       files that were read before and are still there: archived or deleted, where the profile says so and the
//              carrier is not in shadow
//   fetch      the next new file; one whose content was read before is only remembered
//   map        bytes -> reports (carriers/file_feed.h)
//   commit     its reports go in by parts, those of shipments that are open here; the last part remembers the file
//              (told_commit.h)
//   rest       when all are done, until the next look
//
// A file is remembered in the transaction of the last of its reports: whatever cuts this short, it is read again from
// the beginning, and what was known already changes nothing. A file is tidied up at the look after the one that read
// it, so only what the folder still lists as it was read.
//
// All functions are called on the deciding thread, and all callbacks come back on it. They hold the poller: it has to
// outlive the work of `offload` and the executor. Folders and mapping are on `offload`, in one queue for each carrier.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carriers/file_feed.h"
#include "carriers/file_transport.h"
#include "carriers/profile.h"
#include "daemon/raw_keeper.h"
#include "daemon/runtime.h"
#include "daemon/told_commit.h"
#include "daemon/trouble.h"
#include "db/executor.h"
#include "db/stores.h"

namespace remitod::daemon {

/// Counted since the start.
struct FileCounters {
  std::uint64_t looks = 0;
  std::uint64_t files_read = 0;
  std::uint64_t files_known = 0;  ///< new names for contents that were read before
  std::uint64_t failures = 0;     ///< looks, files and reports
  std::uint64_t reports = 0;      ///< of shipments that are open here
  std::uint64_t extra = 0;        ///< of others: ignored
  std::uint64_t wrong_rows = 0;   ///< parts of files left out
  std::uint64_t unmapped = 0;
  std::uint64_t transitions = 0;
  Instant last_read_at{};
  std::string last_error;
  Instant last_error_at{};
};

class FilePoller {
 public:
  struct Hooks {
    std::function<void()> transitions_written;  ///< the outbox may look
  };
  FilePoller(Runtime& runtime, Offload& offload, db::Executor& executor, RawKeeper& raw, Hooks hooks);
  ~FilePoller();

  /// The profile has a file_feed().
  void add_carrier(std::shared_ptr<const carriers::Profile> profile, std::unique_ptr<carriers::FileTransport> files,
                   bool shadow = false);
  /// What was read before comes from the database; then the first look.
  void start();
  /// Transfers that are under way end, and no further look begins.
  void stop();
  bool idle() const;  ///< nothing is under way

  struct CarrierView {
    const carriers::Profile& profile;
    const FileCounters& counters;
    std::size_t files_remembered;
  };
  std::vector<CarrierView> carriers() const;
  /// What a person should look at: a folder of which the last look failed, or files in it that cannot be read.
  std::vector<Trouble> trouble() const;

 private:
  struct Carrier;
  struct File;
  void recall(Carrier& carrier);
  void look(Carrier& carrier);
  void looked(Carrier& carrier, std::expected<carriers::FileListing, carriers::FetchError> listing);
  bool is_small_enough(Carrier& carrier, const carriers::ListedFile& file);
  void next_step(Carrier& carrier);
  void tidy(Carrier& carrier, carriers::ListedFile file);
  void fetch(Carrier& carrier, carriers::ListedFile file);
  void fetched(Carrier& carrier, std::unique_ptr<File> file);
  void map(Carrier& carrier, std::unique_ptr<File> file);
  void mapped(Carrier& carrier, std::unique_ptr<File> file,
              std::expected<carriers::TrackAnswer, carriers::CarrierTrouble> answer);
  void commit(Carrier& carrier, std::unique_ptr<File> file, std::vector<Report> reports);
  void read(Carrier& carrier, const ToldSums& told);
  void rest(Carrier& carrier, Instant until);
  void refuse(Carrier& carrier, const carriers::ListedFile& file, std::string_view kind, std::string_view message);
  void note_failure(Carrier& carrier, std::string_view file, std::string_view kind, std::string_view message);
  void note_imperfections(Carrier& carrier, const File& file, const carriers::TrackAnswer& answer);
  static void note_oddities(Carrier& carrier, std::span<const ToldReport> told);
  static db::RawAnswer raw_of(const Carrier& carrier, const File& file, std::string why);

  Runtime& runtime_;
  Offload& offload_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Hooks hooks_;
  std::vector<std::unique_ptr<Carrier>> carriers_;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
