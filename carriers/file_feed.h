// A carrier that tells by files: [feed] kind = "files". What the profile says of the folder, and from a file's bytes to
// what it says of shipments. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "carriers/file_transport.h"
#include "carriers/mapping.h"
#include "carriers/profile.h"

namespace remitod::carriers {

struct FileFeed {
  FileSite site;
  std::string files;  ///< how the names look, for people: "*.csv"
  enum class After : std::uint8_t { leave, archive, remove };
  After after = After::leave;
  std::chrono::seconds interval{600};  ///< between two looks into the folder
  std::chrono::seconds settle{60};     ///< a file that did not change for so long is complete
};

/// Null: this carrier does not tell by files.
const FileFeed* file_feed(const Profile& profile);

/// Does the profile's feed read files of this name? The profile has one.
bool takes_file(const Profile& profile, std::string_view name);

/// Do both read the very same files: by one login, in one folder, of the same names? Of two that overlap otherwise
/// nothing is known. Both have such a feed.
bool reads_same_files(const Profile& one, const Profile& other);

/// The same for equal bytes, and for no others.
std::string content_fingerprint(std::string_view bytes);

/// A file of rows (CSV, fixed width) is read some thousands of them at a time, so that its document tree stays small
/// whatever its length; as a whole where the profile's XPaths look beyond their row. `missing` and `extra` of the
/// answer are for the caller to tell: nobody asked for anything.
std::expected<TrackAnswer, CarrierTrouble> map_file(const Profile& profile, std::string_view bytes);

}  // namespace remitod::carriers
