// The SQL that db/README.md shows to platform developers, run as they would run it, with the daemon's part in between.
#include <sstream>

#include "tests/db/request_fixture.h"

namespace remitod::db {
namespace {

using test::noon;

struct Example {
  bool as_owner = false;
  std::string sql;
};

/// The blocks fenced as "sql ENGINE" or "sql ENGINE owner", in order.
std::vector<Example> examples(const std::string& engine) {
  std::vector<Example> found;
  std::istringstream readme(test::read_file(test::source_dir() / "db" / "README.md"));
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (inside && line == "```")
      inside = false;
    else if (inside)
      found.back().sql += line + '\n';
    else if (line == "```sql " + engine || line == "```sql " + engine + " owner") {
      inside = true;
      found.push_back({line.ends_with(" owner"), ""});
    }
  }
  return found;
}

class ReadmeExamples : public test::RequestStoreTest {
 protected:
  std::string engine_word() const { return engine() == test::Engine::sqlite ? "sqlite" : "postgresql"; }
  std::string orders_table() const { return engine() == test::Engine::sqlite ? "shop_orders" : "shop.shop_orders"; }

  /// On PostgreSQL with no more than the platform's rights, unless the page says that the owner does this.
  void run_all() {
    OwnSession platform = another();
    for (const Example& example : examples(engine_word())) {
      SCOPED_TRACE(example.sql);
      if (engine() == test::Engine::postgresql)
        platform.session().run_script(example.as_owner ? "reset role" : "set role remitod_platform");
      ASSERT_NO_THROW(platform.session().run_script(example.sql));
    }
  }
  std::string order_state() {
    sql("drop table if exists seen; create table seen as select state from " + orders_table() +
        " where order_number = '1001'");
    return text("select state from seen");
  }
  /// How many rows the select that contains `words` gives now.
  std::int64_t rows_of(std::string_view words) {
    for (const Example& example : examples(engine_word()))
      if (example.sql.starts_with("select") && example.sql.contains(words)) {
        sql("drop table if exists told; create table told as " + example.sql);
        return number("select count(*) from told");
      }
    return -1;
  }
};
REMITOD_ON_BOTH_ENGINES(ReadmeExamples);

TEST_P(ReadmeExamples, RunInTheirOrder) {
  ASSERT_GE(examples(engine_word()).size(), 7u);
  run_all();
  EXPECT_EQ(number("select count(*) from remito_requests where accepted_at is null and requested_at > 1"), 1);
  EXPECT_EQ(number("select count(*) from shipments where accepted_at is null and registered_at is not null"), 1);
  EXPECT_EQ(number("select count(*) from resync_requests where accepted_at is null"), 1);
}

TEST_P(ReadmeExamples, AreWhatTheDaemonTakesUp) {
  run_all();
  EXPECT_EQ(accept(), 1u);
  const RemitoRequest request = claim().at(0);
  EXPECT_TRUE(request.payload.contains("\"ubigeo\": \"040103\""));
  EXPECT_EQ(run<std::vector<ResyncRequest>>([](Session& at) { return accept_resync_requests(at, noon, false); })
                .at(0)
                .target.to_string(),
            "order:1001");
  EXPECT_EQ(order_state(), "confirmed");
  settle({granted(request, "3867500000009999999")});
  EXPECT_EQ(order_state(), "ready_to_ship");

  EXPECT_EQ(rows_of("from_status"), 0) << "not dispatched yet";
  dispatch();
  EXPECT_EQ(rows_of("from_status"), 1);
}

TEST_P(ReadmeExamples, LateTransitionDoesNotMoveTheOrderBack) {
  run_all();
  const auto tell = [this](const std::string& status, const std::string& late) {
    sql("insert into transitions (subject, order_number, parcel_group, carrier, event_key, from_status, to_status, "
        "detected_at, late, created_at) values ('shipment', '1001', 1, 'oca', '" +
        status + "', 'registered', '" + status + "', 1, '" + late + "', 1)");
  };
  tell("delivered", "0");
  tell("attempt_failed", "1");
  EXPECT_EQ(order_state(), "delivered");
}

TEST_P(ReadmeExamples, AfterARestoreNothingIsDoneOrNumberedASecondTime) {
  settle({refused(claimed({.order = "7"}), "no")});
  const Transition before = dispatch().at(0);
  ask({.order = "9"});
  accept();
  sql("insert into remito_ranges (carrier, first_number, last_number, accepted_at, numbers, taken) values "
      "('olva', '0001', '5000', 1, 5000, 10), ('olva', '6001', '6500', 1, 500, 0)");
  run_all();
  EXPECT_EQ(number("select count(*) from remito_requests where order_number = '9' and state = 'sending'"), 1);
  EXPECT_EQ(run<std::size_t>([](Session& at) { return mark_interrupted_requests(at, noon); }), 1u);
  EXPECT_EQ(view("9")[0].state, "unknown") << "it may have been sent since the copy was made";
  EXPECT_EQ(number("select cast(sum(taken) as bigint) from remito_ranges"), 1010 + 500);
  settle({refused(claimed({.order = "8"}), "no")});
  const Transition after = dispatch().at(0);
  EXPECT_GE(after.seq, before.seq + 1'000'000);
  EXPECT_GE(after.id, before.id + 1'000'000);
}

TEST_P(ReadmeExamples, RefusalReachesTheOrderInTheCarriersWords) {
  run_all();
  accept();
  settle({refused(claim().at(0), "Sin cobertura")});
  EXPECT_EQ(order_state(), "remito_refused");
  sql("create table reasons as select reason from " + orders_table());
  EXPECT_EQ(text("select reason from reasons"), "Sin cobertura");
}

}  // namespace
}  // namespace remitod::db
