// Up to when feeds have been asked.
#include "db/feed_positions.h"

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using namespace std::chrono_literals;
using test::noon;

class FeedPositions : public test::StoreTest {
 protected:
  std::optional<Instant> load(std::string_view carrier) {
    return run<std::optional<Instant>>([=](Session& at) { return load_feed_position(at, carrier); });
  }
  void save(std::string_view carrier, Instant asked_until) {
    run<void>([=](Session& at) { return save_feed_position(at, carrier, asked_until); });
  }
};
REMITOD_ON_BOTH_ENGINES(FeedPositions);

TEST_P(FeedPositions, AreThoseOfEachCarrierAsTheyWereSavedLast) {
  EXPECT_FALSE(load("express"));
  save("express", noon);
  save("norte", noon - 7us);
  EXPECT_EQ(load("express"), noon);
  EXPECT_EQ(load("norte"), noon - 7us);
  save("express", noon - 1h);
  EXPECT_EQ(load("express"), noon - 1h) << "a clock that was ahead is set back";
}

TEST_P(FeedPositions, OfATransactionThatFailedIsNotThere) {
  save("express", noon);
  const auto failed = try_run<void>([](Session& at) -> DbResult<void> {
    if (auto saved = save_feed_position(at, "express", noon + 1h); !saved) return saved;
    return std::unexpected(DbError{});
  });
  EXPECT_FALSE(failed);
  EXPECT_EQ(load("express"), noon);
}

}  // namespace
}  // namespace remitod::db
