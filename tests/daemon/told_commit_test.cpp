// Reports that came unasked for, on their way into a database that has trouble.
#include "daemon/told_commit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/virtual_daemon.h"
#include "tests/support/virtual_database.h"
#include "tests/support/virtual_runtime.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using daemon::ToldCommit;
using daemon::ToldReport;
using daemon::ToldSums;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ToldCommitTest : public testing::Test {
 protected:
  ToldCommitTest() { database_.sql("create table remembered (reports integer)"); }

  void follow(const std::string& remito) {
    database_.sql("insert into shipments (order_number, carrier, remito, registered_at, accepted_at, cycle) values ('" +
                  remito + "', 'test', '" + remito + "', 0, 1, 1)");
  }
  static Report picked_up(const std::string& remito) {
    const TrackingEvent event{.code = "REC",
                              .text = "Recogido",
                              .status = Status::picked_up,
                              .occurred_at = OccurredAt{.at = monday - 1h},
                              .place = {}};
    return {.remito = remito, .kind = Report::Kind::events, .events = {event}};
  }
  /// Of `count` shipments, "0", "1", ...
  static std::vector<Report> reports(std::size_t count) {
    std::vector<Report> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(picked_up(std::to_string(i)));
    return all;
  }
  void begin(std::vector<Report> reports) {
    commit_.begin({.rules = {"test", {}},
                   .reports = std::move(reports),
                   .remember = [](db::Session& session, std::size_t count, Instant) -> db::DbResult<void> {
                     session.execute("insert into remembered (reports) values (:count)", {{"count", count}});
                     return {};
                   },
                   .told = [this](std::span<const ToldReport> told) { parts_.push_back(told.size()); },
                   .left_out = [this](const Report& report, const db::DbError&) { left_out_.push_back(report.remito); },
                   .delayed = [this](const db::DbError&) { ++delayed_; },
                   .done = [this](const std::expected<ToldSums, db::DbError>& sums) { ends_.push_back(sums); }});
  }
  std::string remembered() { return database_.text("select coalesce(group_concat(reports), '') from remembered"); }
  std::int64_t picked_up_in_all() {
    return database_.number("select count(*) from shipments where status = 'picked_up'");
  }

  VirtualDatabase database_;
  VirtualRuntime runtime_{monday};
  VirtualExecutor executor_{runtime_, database_};
  ToldCommit commit_{runtime_, executor_};
  std::vector<std::size_t> parts_;
  std::vector<std::string> left_out_;
  int delayed_ = 0;
  std::vector<std::expected<ToldSums, db::DbError>> ends_;
};

TEST_F(ToldCommitTest, ManyGoInByPartsAndTheLastOneRemembers) {
  follow("0");
  follow("999");
  begin(reports(1001));
  runtime_.run_for(1s);
  EXPECT_THAT(parts_, ElementsAre(1, 1, 0));
  ASSERT_THAT(ends_, SizeIs(1));
  ASSERT_TRUE(ends_[0]);
  EXPECT_EQ(ends_[0]->reports, 1001U);
  EXPECT_EQ(ends_[0]->shipments, 2U);
  EXPECT_EQ(ends_[0]->extra, 999U);
  EXPECT_EQ(ends_[0]->transitions, 2U);
  EXPECT_FALSE(ends_[0]->failed_before);
  EXPECT_EQ(remembered(), "1001");
  begin(reports(1));
  runtime_.run_for(1s);
  ASSERT_THAT(ends_, SizeIs(2));
  EXPECT_EQ(ends_[1]->reports, 1U) << "of this batch";
  EXPECT_EQ(ends_[1]->transitions, 0U) << "which says nothing new";
}

TEST_F(ToldCommitTest, NothingAtAllIsRememberedToo) {
  begin({});
  runtime_.run_for(1s);
  EXPECT_THAT(ends_, SizeIs(1));
  EXPECT_EQ(remembered(), "0");
}

TEST_F(ToldCommitTest, OneThatTheDatabaseRefusesIsLeftOutAlone) {
  for (int i = 0; i < 700; ++i) follow(std::to_string(i));
  database_.sql(
      "create trigger refuse before insert on tracking_events when new.shipment_id in (select id from shipments "
      "where remito in ('123', '600')) begin select raise(abort, 'no'); end");
  begin(reports(700));
  runtime_.run_for(1s);
  EXPECT_THAT(left_out_, ElementsAre("123", "600"));
  ASSERT_THAT(ends_, SizeIs(1));
  EXPECT_EQ(ends_[0]->shipments, 698U);
  EXPECT_EQ(picked_up_in_all(), 698);
  EXPECT_EQ(remembered(), "698");
  EXPECT_EQ(delayed_, 0);
}

TEST_F(ToldCommitTest, WhatFailsInPassingGoesAgainUntilItIsIn) {
  follow("0");
  executor_.fail(3, db::DbError::Kind::busy);
  begin(reports(1));
  runtime_.run_for(6s);
  EXPECT_EQ(executor_.works(), 3U) << "after 1 s and after 2 s more";
  runtime_.run_for(2s);
  EXPECT_EQ(delayed_, 3);
  ASSERT_THAT(ends_, SizeIs(1));
  EXPECT_TRUE(ends_[0]->failed_before);
  EXPECT_EQ(picked_up_in_all(), 1);
  EXPECT_EQ(ends_[0]->committed_at, monday + 7s);
}

TEST_F(ToldCommitTest, WhoStopsWhileItWaitsForTheDatabaseHearsNoMore) {
  executor_.fail_always(db::DbError::Kind::connection);
  begin(reports(1));
  runtime_.run_for(2s);
  EXPECT_TRUE(commit_.stop());
  const std::size_t works = executor_.works();
  executor_.stop_failing();
  runtime_.run_for(1h);
  EXPECT_EQ(executor_.works(), works);
  EXPECT_THAT(ends_, IsEmpty());
  EXPECT_EQ(remembered(), "");
}

TEST_F(ToldCommitTest, WhoStopsDuringAPartThatThenFailsHearsThatItDid) {
  executor_.set_latency(1s);
  executor_.fail_always(db::DbError::Kind::connection);
  begin(reports(1));
  EXPECT_FALSE(commit_.stop());
  runtime_.run_for(1h);
  ASSERT_THAT(ends_, SizeIs(1));
  ASSERT_FALSE(ends_[0]);
  EXPECT_TRUE(ends_[0].error().retryable());
  EXPECT_EQ(executor_.works(), 1U);
  EXPECT_EQ(delayed_, 0);
}

TEST_F(ToldCommitTest, WhoStopsDuringAPartHasTheRestBroughtIn) {
  executor_.set_latency(1s);
  begin(reports(1001));
  EXPECT_FALSE(commit_.stop());
  runtime_.run_for(1h);
  ASSERT_THAT(ends_, SizeIs(1));
  EXPECT_TRUE(ends_[0]);
  EXPECT_EQ(remembered(), "1001");
}

}  // namespace
}  // namespace remitod::test
