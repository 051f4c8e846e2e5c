#include <gtest/gtest.h>

#include <zlib.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/backtest_report.h"
#include "daemon/backtest_trace.h"
#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using daemon::parse_trace;

const std::string header = "ship,carrier,created,published,status,final\n";

std::string error_of(const std::string& csv) {
  const auto trace = parse_trace(csv);
  return trace ? "" : trace.error();
}

TEST(BacktestTrace, ReadsRowsWithNamesOrNumbers) {
  const auto trace = parse_trace(header + "A-1,norte,100,200,picked_up,0\r\n17,3,100,300,delivered,1\n");
  ASSERT_TRUE(trace.has_value()) << trace.error();
  ASSERT_EQ(trace->rows.size(), 2U);
  EXPECT_EQ(trace->ships.at(trace->rows[0].ship), "A-1");
  EXPECT_EQ(trace->carriers.at(trace->rows[0].carrier), "norte");
  EXPECT_EQ(trace->rows[1].ship, 17);
  EXPECT_EQ(trace->rows[1].carrier, 3);
  EXPECT_EQ(trace->rows[1].published, 300U);
  EXPECT_TRUE(trace->rows[1].final);
  EXPECT_NE(trace->rows[0].status, trace->rows[1].status);
}

TEST(BacktestTrace, SaysInWhichLineWhatWasExpected) {
  EXPECT_EQ(error_of("ship,carrier\n"), "line 1: expected the header ship,carrier,created,published,status,final");
  EXPECT_EQ(error_of(header + "1,1,1,2,x\n"),
            "line 2: expected six fields: ship,carrier,created,published,status,final");
  EXPECT_EQ(error_of(header + "1,1,1,2,x,0\n1,1,1,-5,x,0\n"),
            "line 3: created and published: expected seconds since the epoch, before 2100");
  EXPECT_EQ(error_of(header + "1,1,1795435200000,1795435260000,x,1\n"),
            "line 2: created and published: expected seconds since the epoch, before 2100");
  EXPECT_EQ(error_of(header + "1,1,1795435200,4294967295,x,1\n"),
            "line 2: created and published: expected seconds since the epoch, before 2100")
      << "the hour after it would be the first of 1970";
  EXPECT_EQ(error_of(header + "1,1,1,2,x,yes\n"), "line 2: final: expected 0 or 1");
  EXPECT_EQ(error_of(header + "1,1,1,2,x,0\n1,2,1,2,y,1\n"),
            "line 3: ship 1: expected the same carrier and created as in its first row");
  EXPECT_EQ(error_of(header), "no rows");
}

TEST(BacktestTrace, MayBeginAsSpreadsheetsBeginTheirFiles) {
  EXPECT_EQ(error_of("\xEF\xBB\xBF" + header + "1,norte,100,200,picked_up,0\r\n"), "");
}

TEST(BacktestTrace, OfACompressedFileThatWasCutOffNothingIsBelieved) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "trace.csv.gz";
  const gzFile file = gzopen(path.c_str(), "wb");
  std::string csv = header;
  for (int i = 1; i <= 1000; ++i)
    csv += std::to_string(i * 7919) + ",norte,1000," + std::to_string(2000 + i) + ",a,1\n";
  gzwrite(file, csv.data(), static_cast<unsigned>(csv.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
  ASSERT_TRUE(daemon::read_trace(path.string()).has_value());
  // All rows are there; what tells that they are all is not.
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 4);
  const auto cut = daemon::read_trace(path.string());
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error(), path.string() + ": ends in the middle of what was compressed");
}

TEST(BacktestReport, CountsDelaysPollsAndRequestsByCarrierAndOverall) {
  const auto trace = parse_trace(header + "1,norte,1000,2000,a,1\n2,norte,1000,2000,a,1\n3,sur,1000,5000,a,1\n");
  ASSERT_TRUE(trace.has_value());
  scheduler::Backtest backtest;
  backtest.polls = {{1, 2300, 1}, {2, 2300, 1}, {3, 3000, 2}, {3, 6200, 3}};
  backtest.detections = {{0, 2300}, {1, 2300}, {2, 6200}};
  const daemon::BacktestSummary summary = daemon::summarise(*trace, backtest);
  EXPECT_EQ(summary.all.polls, 4U);
  EXPECT_EQ(summary.all.requests, 3U);
  EXPECT_EQ(summary.carriers.at("norte").requests, 1U);
  EXPECT_EQ(summary.carriers.at("sur").requests, 2U);
  EXPECT_DOUBLE_EQ(summary.all.mean, 10);
  EXPECT_DOUBLE_EQ(summary.all.p50, 5);
  EXPECT_DOUBLE_EQ(summary.all.p90, 20);
  EXPECT_DOUBLE_EQ(summary.carriers.at("norte").within_10, 1);
  EXPECT_DOUBLE_EQ(summary.carriers.at("sur").within_10, 0);
}

TEST(BacktestReport, TellsWhatWasNeverSeen) {
  const auto trace = parse_trace(header + "1,norte,1000,2000,a,1\n");
  ASSERT_TRUE(trace.has_value());
  const daemon::BacktestSummary summary = daemon::summarise(*trace, {});
  EXPECT_EQ(summary.all.unseen, 1U);
  EXPECT_NE(daemon::backtest_text("x", summary, summary).find("1 published statuses were never seen"),
            std::string::npos);
}

TEST(BacktestReport, GivesTheSameFiguresAsData) {
  const auto trace = parse_trace(header + "1,norte,1000,2000,a,1\n");
  ASSERT_TRUE(trace.has_value());
  scheduler::Backtest backtest;
  backtest.polls = {{1, 2060, 1}};
  backtest.detections = {{0, 2060}};
  const daemon::BacktestSummary summary = daemon::summarise(*trace, backtest);
  const auto json = nlohmann::json::parse(daemon::backtest_json(summary, summary));
  EXPECT_EQ(json["carriers"]["norte"]["schedule"]["polls"], 1);
  EXPECT_EQ(json["all"]["hourly"]["delay_minutes"]["mean"], 1.0);
}

TEST(BacktestReport, ANameThatIsNoUtf8IsNoReasonToSayNothing) {
  const auto trace = parse_trace(header + "1,Env\xEDos,1000,2000,a,1\n");
  ASSERT_TRUE(trace.has_value());
  const daemon::BacktestSummary summary = daemon::summarise(*trace, {});
  EXPECT_NE(daemon::backtest_json(summary, summary).find("Env\xEF\xBF\xBDos"), std::string::npos);
}

}  // namespace
}  // namespace remitod::test
