// Which files of a folder are to be read now. Pure: the time is an argument, and so is what the folder lists. Belongs
// to one thread.
//
//   A file is complete when its size and time were the same in two looks at least `settle` apart. It is read once; read
//   again when its size or time changed since; and what it says is not read again when some file was read before that
//   had the same content, whatever it was called (a file sent twice, or renamed). A file that could not be understood
//   is tried again when it changes, or by the next process.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/file_transport.h"
#include "carriers/tracking.h"

namespace remitod::carriers {

/// A file that has been read, as it was listed then.
struct RememberedFile {
  ListedFile file;
  std::string content;  ///< fingerprint of its bytes
  Instant read_at{};
};

/// Of a folder so many files are remembered, and all that it still lists.
inline constexpr std::size_t remembered_files_max = 10'000;

class FileInbox {
 public:
  explicit FileInbox(std::chrono::seconds settle) : settle_(settle) {}

  struct Plan {
    std::vector<ListedFile> read;          ///< complete and new, by name
    std::vector<ListedFile> done;          ///< read before, unchanged since and still there
    std::optional<Instant> next_complete;  ///< when the first of those that are still coming may be complete
  };
  /// `listing` is all that the folder holds now; what it held before and holds no more is forgotten as far as it was
  /// not read. `now` is of a clock that nobody sets.
  Plan look(std::span<const ListedFile> listing, Instant now);

  bool knows_content(std::string_view content) const { return contents_.contains(content); }
  /// It has been read: told by the database at the start, and when that is committed.
  void remember(const RememberedFile& remembered);
  /// It is not as it was listed: it is still coming.
  void still_coming(const ListedFile& file) { seen_.erase(file.name); }
  /// It was taken out of the folder: whatever stands there by this name from now on is another.
  void taken_away(std::string_view name);
  /// It cannot be understood.
  void refuse(const ListedFile& file);

  /// Names of the oldest that need not be remembered any more once one more is: they are gone from the folder.
  std::vector<std::string> forgettable() const;
  void forget(std::span<const std::string> names);
  std::size_t remembered() const { return remembered_.size(); }
  std::size_t refused() const;  ///< of those that the folder holds

 private:
  /// A file of the last look.
  struct Seen {
    ListedFile file;
    Instant since{};  ///< the first look that found it like this
    bool refused = false;
  };
  struct Remembered {
    RememberedFile read;
    /// The folder was without it since. Times are often of minutes only: should one of the same name, size and time
    /// come, its content decides.
    bool was_gone = false;
  };
  bool was_read(const ListedFile& file) const;
  void forget_content(const std::string& content);

  std::chrono::seconds settle_;
  std::map<std::string, Seen, std::less<>> seen_;
  std::map<std::string, Remembered, std::less<>> remembered_;
  std::multiset<std::string, std::less<>> contents_;  ///< of all that are remembered
};

}  // namespace remitod::carriers
