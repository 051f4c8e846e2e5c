// The example alerts and the dashboard name metrics that there are, and every alert has its page in the runbook.
#include <gmock/gmock.h>
#include <re2/re2.h>

#include <set>
#include <string>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace remitod::test {
namespace {

using Words = std::set<std::string>;

std::string page(const std::string& file) {
  return read_file(source_dir() / file);
}

Words found_in(const std::string& text, const RE2& pattern) {
  Words words;
  std::string word;
  for (re2::StringPiece rest(text); RE2::FindAndConsume(&rest, pattern, &word);) words.insert(word);
  return words;
}

const RE2 metric_name(R"((remitod_[a-z_]+))");
const std::string rules = "systemd/prometheus/remitod.rules.yml";

// What metrics.cpp gives a name to. A histogram has three series.
Words metrics() {
  static const RE2 named(R"~("(remitod_[a-z_]+)")~");
  Words names = found_in(page("daemon/metrics.cpp"), named);
  for (const char* suffix : {"_bucket", "_sum", "_count"})
    names.insert(std::string("remitod_detection_delay_seconds") + suffix);
  return names;
}

TEST(Watching, TheAlertsAndTheDashboardNameMetricsThatThereAre) {
  ASSERT_TRUE(metrics().contains("remitod_breaker_open"));
  for (const std::string& file : {rules, std::string("systemd/grafana/remitod.json")})
    for (const std::string& name : found_in(page(file), metric_name))
      EXPECT_TRUE(metrics().contains(name)) << file << ": " << name;
}

TEST(Watching, EveryAlertHasItsPageInTheRunbookAndEveryPageItsAlert) {
  static const RE2 alert(R"(- alert: (\w+))"), heading(R"((?m)^### (Remitod\w+)$)");
  static const RE2 link(R"~(runbook_url: "file:///usr/share/doc/remitod/systemd/README.md#(\w+)")~");
  const Words alerts = found_in(page(rules), alert);
  EXPECT_EQ(found_in(page("systemd/README.md"), heading), alerts);
  Words anchors;
  for (std::string name : alerts) {
    for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    anchors.insert(name);
  }
  EXPECT_EQ(found_in(page(rules), link), anchors);
}

TEST(Watching, PrometheusTakesTheRules) {
  const Finished checked = run_to_end({"promtool", "check", "rules", (source_dir() / rules).string()});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

}  // namespace
}  // namespace remitod::test
