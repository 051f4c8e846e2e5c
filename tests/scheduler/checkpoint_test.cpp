#include "scheduler/checkpoint.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/scheduler/lane_fixture.h"

namespace remitod::scheduler {
namespace {

using test::LaneBundle;
using namespace std::chrono_literals;

TEST(Checkpoint, ReadsBackSortedById) {
  const auto read =
      decode_checkpoint(encode_checkpoint({{70, 1'700'003'600}, {3, 1'700'000'000}, {-5, 1'700'000'001}}));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0].shipment_id, -5);
  EXPECT_EQ((*read)[1].shipment_id, 3);
  EXPECT_EQ((*read)[2].shipment_id, 70);
  EXPECT_EQ((*read)[0].last_asked, to_instant(1'700'000'001));
  EXPECT_EQ((*read)[2].last_asked, to_instant(1'700'003'600));
}

TEST(Checkpoint, TakesAnyId) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto read = decode_checkpoint(encode_checkpoint({{most, 5}, {least, 4'294'967'295}, {0, 1}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().shipment_id, least);
  EXPECT_EQ(read->back().shipment_id, most);
}

TEST(Checkpoint, TakesAboutThreeBytesForAShipmentAskedWithinTheHour) {
  std::vector<AskedAt> entries;
  for (std::int64_t id = 1; id <= 100'000; ++id) {
    entries.push_back({5'000'000 + 3 * id, static_cast<Second>(1'700'000'000 + id * 7919 % 3600)});
  }
  EXPECT_LE(encode_checkpoint(entries).size(), 100'000U * 3 + 20);
}

TEST(Checkpoint, OfAnEmptyLaneIsEmpty) {
  const LaneBundle b({});
  const auto read = Lane::restore(b.lane.checkpoint());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->empty());
}

TEST(Checkpoint, HoldsOnlyWhatWasAnsweredAndIsStillThere) {
  LaneBundle b({});
  b.add(1, b.now - 20min);
  b.add(2);
  b.add(3, b.now - 30min);
  b.lane.remove(3);
  const auto read = Lane::restore(b.lane.checkpoint());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().shipment_id, 1);
  EXPECT_EQ(read->front().last_asked, b.now - 20min);
}

TEST(Checkpoint, HoldsAnIdOnceThatLeftAndCameBackWhileItWasAskedAbout) {
  LaneBundle b({});
  b.add(1, b.now - 20min);
  ASSERT_TRUE(b.take_next());
  b.lane.remove(1);
  b.add(1, b.now - 10min);
  const auto read = Lane::restore(b.lane.checkpoint());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->front().last_asked, b.now - 10min);
}

TEST(Checkpoint, RefusesWhatItDidNotWrite) {
  const std::string good = encode_checkpoint({{1, 100}, {2, 200}, {900, 300}});
  ASSERT_TRUE(decode_checkpoint(good));
  EXPECT_FALSE(decode_checkpoint(""));
  EXPECT_FALSE(decode_checkpoint("\x02" + good.substr(1)));
  EXPECT_FALSE(decode_checkpoint(good + '\0'));
  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_FALSE(decode_checkpoint(good.substr(0, length)));
}

TEST(Checkpoint, RefusesACountThatTheBytesCannotHold) {
  // 2^62 entries announced in twelve bytes.
  EXPECT_FALSE(decode_checkpoint(std::string("\x01\x80\x80\x80\x80\x80\x80\x80\x80\x40\x05\x02\x00", 13)));
}

TEST(Checkpoint, RefusesIdsThatRunOver) {
  // Two entries: the greatest id there is, and the one after it.
  const std::string greatest("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11);
  EXPECT_TRUE(decode_checkpoint(std::string("\x01\x01\x05", 3) + greatest));
  EXPECT_FALSE(decode_checkpoint(std::string("\x01\x02\x05", 3) + greatest + std::string("\x00\x00", 2)));
}

TEST(Checkpoint, RefusesMomentsBeforeTheEpoch) {
  EXPECT_TRUE(decode_checkpoint(std::string("\x01\x01\x05\x02\x05", 5)));
  EXPECT_FALSE(decode_checkpoint(std::string("\x01\x01\x05\x02\x06", 5)));
}

}  // namespace
}  // namespace remitod::scheduler
