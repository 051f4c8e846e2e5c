// What adaptive schedules have learned.
#include "db/learned_store.h"

#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;
using testing::IsEmpty;
using testing::SizeIs;

class LearnedSchedules : public test::StoreTest {
 protected:
  std::vector<LearnedSchedule> load() {
    return run<std::vector<LearnedSchedule>>([](Session& at) { return load_learned_schedules(at); });
  }
  void save(const LearnedSchedule& learned) {
    run<bool>([&](Session& at) -> DbResult<bool> {
      const auto saved = save_learned_schedule(at, learned, noon);
      if (!saved) return std::unexpected(saved.error());
      return true;
    });
  }
};
REMITOD_ON_BOTH_ENGINES(LearnedSchedules);

TEST_P(LearnedSchedules, ComeBackAsTheyWereSavedWhateverTheirBytes) {
  EXPECT_THAT(load(), IsEmpty());
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  save({"express", bytes, "r1"});
  save({"norte", "e", ""});
  const auto learned = load();
  ASSERT_THAT(learned, SizeIs(2));
  EXPECT_EQ(learned[0].carrier, "express");
  EXPECT_EQ(learned[0].earlier, bytes);
  EXPECT_EQ(learned[0].recent, "r1");
  EXPECT_EQ(learned[1].carrier, "norte");
  EXPECT_EQ(learned[1].recent, "");
}

TEST_P(LearnedSchedules, WhatIsRecentIsSavedWithoutWritingTheRestAgain) {
  save({"express", "earlier", "r1"});
  save({"express", std::nullopt, "r2"});
  ASSERT_THAT(load(), SizeIs(1));
  EXPECT_EQ(load()[0].earlier, "earlier");
  EXPECT_EQ(load()[0].recent, "r2");
}

}  // namespace
}  // namespace remitod::db
