// A drop folder of this machine behaves as a server's folder does.
#include "carriers/local_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using test::read_file;
using test::write_file;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct LocalFilesTest : testing::Test {
  LocalFilesTest() {
    site.folder = folder.path().string() + "/";
    site.archive_folder = "done";
    site.file_bytes_max = 100;
  }
  void put(const std::string& name, const std::string& text) { write_file(folder.path() / name, text); }

  test::TemporaryFolder folder;
  FileSite site;
};

TEST_F(LocalFilesTest, PlainFilesAreListedAndFetched) {
  put("a día.csv", "12");
  std::filesystem::create_directory(folder.path() / "sub");
  std::filesystem::create_symlink("a día.csv", folder.path() / "link.csv");
  LocalFiles local(site);
  const auto listing = local.list();
  ASSERT_TRUE(listing);
  ASSERT_THAT(listing->files, SizeIs(1));
  EXPECT_EQ(listing->files[0].name, "a día.csv");
  EXPECT_EQ(listing->files[0].bytes, 2u);
  EXPECT_EQ(local.fetch("a día.csv"), "12");
}

TEST_F(LocalFilesTest, ChangeOfEqualSizeShowsInTheTime) {
  put("a", "1");
  LocalFiles local(site);
  const auto before = local.list();
  const auto path = folder.path() / "a";
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::milliseconds{1});
  EXPECT_NE(local.list()->files, before->files);
}

TEST_F(LocalFilesTest, NamesThatAreNoTextAreToldAndLeft) {
  put("\xff.csv", "1");
  LocalFiles local(site);
  const auto listing = local.list();
  ASSERT_TRUE(listing);
  EXPECT_THAT(listing->files, IsEmpty());
  EXPECT_THAT(listing->unreadable, ElementsAre("?.csv"));
}

TEST_F(LocalFilesTest, FileOverTheCapIsNotTaken) {
  put("a", std::string(101, 'x'));
  LocalFiles local(site);
  EXPECT_EQ(local.fetch("a").error().kind, FetchError::Kind::too_large);
  put("a", std::string(100, 'x'));
  EXPECT_EQ(local.fetch("a")->size(), 100u);
}

TEST_F(LocalFilesTest, FileIsArchivedOrRemoved) {
  put("a", "1");
  put("b", "2");
  LocalFiles local(site);
  EXPECT_TRUE(local.archive("a", "20261123-a"));
  EXPECT_TRUE(local.remove("b"));
  EXPECT_THAT(local.list()->files, IsEmpty());
  EXPECT_EQ(read_file(folder.path() / "done" / "20261123-a"), "1");
}

TEST_F(LocalFilesTest, FolderThatIsNotThereIsAnErrorThatNamesIt) {
  site.folder += "nothing/";
  LocalFiles local(site);
  const auto listing = local.list();
  ASSERT_FALSE(listing);
  EXPECT_THAT(listing.error().message, testing::HasSubstr("nothing/"));
  EXPECT_FALSE(local.fetch("a"));
}

TEST_F(LocalFilesTest, StoppedFolderGivesNothing) {
  put("a", "1");
  LocalFiles local(site);
  local.stop();
  EXPECT_EQ(local.list().error().kind, FetchError::Kind::stopped);
  EXPECT_EQ(local.fetch("a").error().kind, FetchError::Kind::stopped);
  EXPECT_EQ(local.remove("a").error().kind, FetchError::Kind::stopped);
  EXPECT_EQ(read_file(folder.path() / "a"), "1");
}

}  // namespace
}  // namespace remitod::carriers
