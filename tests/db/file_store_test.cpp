// Which files of carriers have been read, and whose shipments they speak of.
#include <gmock/gmock.h>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using test::noon;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ReadFiles : public test::StoreTest {
 protected:
  void remember(std::string_view carrier, const ReadFile& file, std::vector<std::string> forgotten = {}) {
    run<void>([&](Session& at) { return remember_read_file(at, carrier, file, forgotten); });
  }
  std::vector<ReadFile> load(std::string_view carrier) {
    return run<std::vector<ReadFile>>([=](Session& at) { return load_read_files(at, carrier); });
  }
  std::vector<std::string> names(std::string_view carrier) {
    std::vector<std::string> all;
    for (const ReadFile& file : load(carrier)) all.push_back(file.name);
    return all;
  }
  std::vector<OpenShipment> find(std::string_view carrier, std::vector<std::string> remitos) {
    return run<std::vector<OpenShipment>>([=](Session& at) { return find_open_shipments(at, carrier, remitos); });
  }
};
REMITOD_ON_BOTH_ENGINES(ReadFiles);

TEST_P(ReadFiles, ComeBackAsTheyWereRemembered) {
  EXPECT_THAT(load("express"), IsEmpty());
  remember("express", {"día's \"file\".csv", std::int64_t{1} << 40, "Nov 23 21:04", "c0ffee", 100'000, noon});
  ASSERT_THAT(load("express"), SizeIs(1));
  const ReadFile file = load("express").at(0);
  EXPECT_EQ(file.name, "día's \"file\".csv");
  EXPECT_EQ(file.bytes, std::int64_t{1} << 40);
  EXPECT_EQ(file.modified, "Nov 23 21:04");
  EXPECT_EQ(file.content, "c0ffee");
  EXPECT_EQ(file.reports, 100'000);
  EXPECT_EQ(file.read_at, noon);
  EXPECT_THAT(load("other"), IsEmpty());
}

TEST_P(ReadFiles, OneThatWasSentAgainReplacesTheFirst) {
  remember("express", {"a.csv", 1, "1", "first", 1, noon});
  remember("express", {"a.csv", 2, "2", "second", 1, noon});
  ASSERT_THAT(load("express"), SizeIs(1));
  EXPECT_EQ(load("express").at(0).content, "second");
}

TEST_P(ReadFiles, NamesOfThisCarrierAreForgotten) {
  remember("express", {"a.csv", 1, "1", "x", 1, noon});
  remember("express", {"b.csv", 1, "1", "x", 1, noon});
  remember("other", {"a.csv", 1, "1", "x", 1, noon});
  remember("express", {"c.csv", 1, "1", "x", 1, noon}, {"a.csv", "never seen"});
  EXPECT_THAT(names("express"), ElementsAre("b.csv", "c.csv"));
  EXPECT_THAT(names("other"), ElementsAre("a.csv"));
}

TEST_P(ReadFiles, OnlyOpenShipmentsOfTheCarrierAreFound) {
  sql("insert into shipments (order_number, carrier, remito, accepted_at) values "
      "('1', 'express', '0001', 1), ('2', 'express', '0002', null), ('3', 'other', '0003', 1);"
      "insert into shipments (order_number, carrier, remito, accepted_at, ended_at) values "
      "('4', 'express', '0004', 1, 2), ('5', 'express', '0005', 1, null);");
  const auto found = find("express", {"0001", "0002", "0003", "0004", "unknown"});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].remito, "0001");
  EXPECT_EQ(found[0].carrier, "express");
  EXPECT_THAT(find("express", {}), IsEmpty());
  const auto waits = [this](std::vector<std::string> remitos) {
    return run<bool>([=](Session& at) { return waits_to_be_taken_up(at, "express", remitos); });
  };
  EXPECT_TRUE(waits({"0001", "0002"}));
  EXPECT_FALSE(waits({"0001", "0003", "0004", "unknown"}));
}

}  // namespace
}  // namespace remitod::db
