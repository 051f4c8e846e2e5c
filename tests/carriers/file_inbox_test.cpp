// Which files are read when: complete ones, once.
#include "carriers/file_inbox.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace remitod::carriers {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Instant start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};

ListedFile file(const std::string& name, std::uint64_t bytes = 10, const std::string& modified = "21:04") {
  return {name, bytes, modified};
}

struct FileInboxTest : testing::Test {
  FileInbox::Plan look(std::vector<ListedFile> listing) {
    FileInbox::Plan plan = inbox.look(listing, now);
    now += 1min;
    return plan;
  }
  std::vector<ListedFile> to_read(std::vector<ListedFile> listing) { return look(std::move(listing)).read; }

  FileInbox inbox{1min};
  Instant now = start;
};

TEST_F(FileInboxTest, NewFileIsReadWhenItHasSettled) {
  const auto plan = look({file("a")});
  EXPECT_THAT(plan.read, IsEmpty());
  EXPECT_EQ(plan.next_complete, start + 1min);
  EXPECT_THAT(to_read({file("a")}), ElementsAre(file("a")));
}

TEST_F(FileInboxTest, TwoLooksInAHurryAreNotEnough) {
  EXPECT_THAT(inbox.look(std::vector{file("a")}, start).read, IsEmpty());
  EXPECT_THAT(inbox.look(std::vector{file("a")}, start + 59s).read, IsEmpty());
  EXPECT_THAT(inbox.look(std::vector{file("a")}, start + 60s).read, ElementsAre(file("a")));
}

TEST_F(FileInboxTest, FileThatGrowsIsNotComplete) {
  for (std::uint64_t bytes = 1; bytes < 10; ++bytes) EXPECT_THAT(to_read({file("a", bytes)}), IsEmpty());
  EXPECT_THAT(to_read({file("a", 9, "21:05")}), IsEmpty());
  EXPECT_THAT(to_read({file("a", 9, "21:05")}), ElementsAre(file("a", 9, "21:05")));
}

TEST_F(FileInboxTest, FileThatWentAwayAndCameBackSettlesAnew) {
  look({file("a")});
  look({});
  EXPECT_THAT(to_read({file("a")}), IsEmpty());
}

TEST_F(FileInboxTest, WhatWasReadIsDoneUntilItChanges) {
  inbox.remember({file("a"), "content", now});
  auto plan = look({file("a")});
  EXPECT_THAT(plan.read, IsEmpty());
  EXPECT_THAT(plan.done, ElementsAre(file("a")));
  EXPECT_EQ(plan.next_complete, std::nullopt);
  EXPECT_THAT(look({file("a", 10, "22:00")}).done, IsEmpty()) << "another one is coming under this name";
  EXPECT_THAT(to_read({file("a", 10, "22:00")}), ElementsAre(file("a", 10, "22:00")));
}

TEST_F(FileInboxTest, WhatComesBackAfterTheFolderWasWithoutItIsReadAgain) {
  inbox.remember({file("a"), "content", now});
  inbox.remember({file("b"), "content", now});
  look({file("a"), file("b")});
  inbox.taken_away("a");
  look({file("a")});
  EXPECT_THAT(to_read({file("a"), file("b")}), ElementsAre(file("a"))) << "b has not settled";
  EXPECT_THAT(to_read({file("a"), file("b")}), ElementsAre(file("a"), file("b")));
  inbox.remember({file("a"), "content", now});
  EXPECT_THAT(look({file("a"), file("b")}).done, ElementsAre(file("a")));
}

TEST_F(FileInboxTest, ContentIsKnownByWhateverNameAndAsLongAsAnyFileHasIt) {
  inbox.remember({file("a"), "content", now});
  inbox.remember({file("b"), "content", now});
  EXPECT_TRUE(inbox.knows_content("content"));
  inbox.remember({file("a"), "other", now});
  EXPECT_TRUE(inbox.knows_content("content"));
  EXPECT_TRUE(inbox.knows_content("other"));
  inbox.forget(std::vector<std::string>{"b", "never seen"});
  EXPECT_FALSE(inbox.knows_content("content"));
  EXPECT_EQ(inbox.remembered(), 1u);
}

TEST_F(FileInboxTest, FileThatCannotBeUnderstoodIsTriedAgainWhenItChanges) {
  look({file("a")});
  ASSERT_THAT(to_read({file("a")}), ElementsAre(file("a")));
  inbox.refuse(file("a"));
  EXPECT_THAT(to_read({file("a")}), IsEmpty());
  EXPECT_EQ(inbox.refused(), 1u);
  EXPECT_THAT(to_read({file("a", 11)}), IsEmpty());
  EXPECT_EQ(inbox.refused(), 0u);
  EXPECT_THAT(to_read({file("a", 11)}), ElementsAre(file("a", 11)));
}

TEST_F(FileInboxTest, FileThatTurnedOutToBeStillComingSettlesAnew) {
  look({file("a")});
  look({file("a")});
  inbox.still_coming(file("a"));
  EXPECT_THAT(to_read({file("a")}), IsEmpty());
  EXPECT_THAT(to_read({file("a")}), ElementsAre(file("a")));
}

TEST_F(FileInboxTest, OldestThatAreGoneAreForgottenFirstAndListedOnesNever) {
  std::vector<ListedFile> still_there;
  for (std::size_t i = 0; i < remembered_files_max; ++i) {
    const ListedFile each = file("f" + std::to_string(i));
    inbox.remember({each, "c" + std::to_string(i), start + std::chrono::seconds(i)});
    if (i < 3) still_there.push_back(each);
  }
  inbox.look(still_there, start);
  EXPECT_THAT(inbox.forgettable(), ElementsAre("f3"));
  inbox.forget(inbox.forgettable());
  EXPECT_THAT(inbox.forgettable(), IsEmpty());
}

/// Whatever a sender does, each state of a file that stays for three looks is read exactly once.
RC_GTEST_PROP(FileInboxWithAnySender, ReadsEachStateThatSettlesOnce, ()) {
  FileInbox inbox{1min};
  Instant now = start;
  std::map<std::string, int> versions;
  std::map<std::pair<std::string, int>, int> reads;
  const auto turns = *rc::gen::container<std::vector<std::pair<int, bool>>>(
      rc::gen::pair(rc::gen::inRange(0, 3), rc::gen::arbitrary<bool>()));
  const auto look_once = [&] {
    std::vector<ListedFile> listing;
    for (const auto& [name, version] : versions) listing.push_back(file(name, static_cast<std::uint64_t>(version)));
    for (const ListedFile& each : inbox.look(listing, now).read) {
      ++reads[{each.name, static_cast<int>(each.bytes)}];
      inbox.remember({each, each.name + std::to_string(each.bytes), now});
    }
    now += 1min;
  };
  for (const auto& [which, settles] : turns) {
    const std::string name = "f" + std::to_string(which);
    ++versions[name];
    for (int i = 0; i < (settles ? 3 : 1); ++i) look_once();
    if (settles) RC_ASSERT((reads[{name, versions[name]}] == 1));
  }
  for (const auto& [state, count] : reads) RC_ASSERT(count == 1);
}

}  // namespace
}  // namespace remitod::carriers
