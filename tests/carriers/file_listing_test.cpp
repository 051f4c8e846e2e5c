// Listings in the forms that servers write, and what is no file of ours in them.
#include "carriers/file_listing.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace remitod::carriers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(FileListingOf, MachineLinesAreFactsAndAName) {
  const auto listing = read_listing(
      "type=cdir;modify=20261123210405; .\r\n"
      "type=pdir;modify=20261123210405; ..\r\n"
      "Type=File;Size=812;Modify=20261123210405.250;UNIX.mode=0644; 214 of today.edi\r\n"
      "type=dir;modify=20261123210405; done\r\n"
      "modify=20261123210406;type=file;size=0; empty\r\n");
  ASSERT_TRUE(listing);
  EXPECT_THAT(listing->files, ElementsAre(ListedFile{"214 of today.edi", 812, "20261123210405.250"},
                                          ListedFile{"empty", 0, "20261123210406"}));
  EXPECT_THAT(listing->unreadable, IsEmpty());
}

TEST(FileListingOf, LongLinesOfUnixAreRead) {
  const auto listing = read_listing(
      "total 24\n"
      "drwxr-xr-x    2 0        0            4096 Nov 23 10:00 .\n"
      "-rw-r--r--    1 1000     1000          812 Nov 23 21:04 entregas.csv\n"
      "-rw-rw----+   1 CARRIER\\Domain Users 12 Nov  3  2025 two  blanks .csv\n"
      "-rw-r--r--    1 ftp      ftp   12345678901 Jan  1 00:00  leading blank\n"
      "lrwxrwxrwx    1 0        0               7 Nov 23 10:00 latest.csv -> entregas.csv\n");
  ASSERT_TRUE(listing);
  EXPECT_THAT(listing->files, ElementsAre(ListedFile{"entregas.csv", 812, "Nov 23 21:04"},
                                          ListedFile{"two  blanks .csv", 12, "Nov  3  2025"},
                                          ListedFile{" leading blank", 12345678901, "Jan  1 00:00"}));
  EXPECT_THAT(listing->unreadable, IsEmpty());
}

TEST(FileListingOf, LongLinesWithTheDayFirstAreRead) {
  const auto listing = read_listing(
      "-rw-r--r--   1 1000     1000          812 23 Nov 21:04 entregas.csv\n"
      "-rw-r--r--   1 1000     1000           23 23 Nov 2025  old ones.csv\n"
      "-rw-r--r--   1 1000     1000           23 Nov 23 21:04 the other way round.csv\n"
      "drwxr-xr-x   1 1000     1000         4096 23 Nov 10:00 done\n");
  ASSERT_TRUE(listing);
  EXPECT_THAT(listing->files, ElementsAre(ListedFile{"entregas.csv", 812, "23 Nov 21:04"},
                                          ListedFile{"old ones.csv", 23, "23 Nov 2025 "},
                                          ListedFile{"the other way round.csv", 23, "Nov 23 21:04"}));
  EXPECT_THAT(listing->unreadable, IsEmpty());
}

TEST(FileListingOf, LinesOfDirAreRead) {
  const auto listing = read_listing(
      "11-23-26  09:04PM       <DIR>          done\r\n"
      "11-23-26  09:04PM                  812 EVENTS of today.csv\r\n"
      "11-23-2026  21:04                   13 b.csv\r\n");
  ASSERT_TRUE(listing);
  EXPECT_THAT(listing->files, ElementsAre(ListedFile{"EVENTS of today.csv", 812, "11-23-26  09:04PM"},
                                          ListedFile{"b.csv", 13, "11-23-2026  21:04"}));
  EXPECT_THAT(listing->unreadable, IsEmpty());
}

TEST(FileListingOf, LinesThatAreNotUnderstoodAreToldAndNoMoreThanAFew) {
  std::string text = "-rw-r--r--    1 0  0  1 Nov 23 21:04 good.csv\n";
  for (int i = 0; i < 100; ++i) text += "what\x01 is this? " + std::to_string(i) + "\n";
  const auto listing = read_listing(text);
  ASSERT_TRUE(listing);
  EXPECT_THAT(listing->files, SizeIs(1));
  EXPECT_THAT(listing->unreadable, SizeIs(unreadable_lines_max));
  EXPECT_EQ(listing->unreadable[0], "what is this? 0");
}

TEST(FileListingOf, NamesThatCouldLeadElsewhereAreNoNames) {
  for (const std::string_view name : {"", ".", "..", "a/b", "a\\b", "a\x7f", "a\tb", "\xff.csv"})
    EXPECT_FALSE(is_file_name(name)) << name;
  for (const std::string_view name : {"a.csv", ".hidden", "día.csv", "a b", "-rf"}) EXPECT_TRUE(is_file_name(name));
  const auto listing = read_listing("type=file;size=1;modify=1; ../../etc/passwd\r\n");
  EXPECT_THAT(listing->files, IsEmpty());
  EXPECT_THAT(listing->unreadable, SizeIs(1));
}

TEST(FileListingOf, MoreFilesThanAnyFolderHoldsAreRefused) {
  std::string text;
  for (std::size_t i = 0; i <= listed_files_max; ++i) text += "type=file;size=1;modify=1; a\r\n";
  const auto listing = read_listing(text);
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().kind, FetchError::Kind::too_large);
}

RC_GTEST_PROP(FileListingOfAnything, GivesOnlyNamesThatCanBeAskedFor, (const std::string& bytes)) {
  const auto listing = read_listing(bytes);
  RC_ASSERT(listing.has_value());
  for (const ListedFile& file : listing->files) RC_ASSERT(is_file_name(file.name));
}

}  // namespace
}  // namespace remitod::carriers
