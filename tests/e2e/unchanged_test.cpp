// Polls whose answers say nothing new cost no SQL at all, counted by the daemon itself.
#include <gtest/gtest.h>

#include <atomic>
#include <iostream>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using std::chrono::hours;

class Unchanged : public testing::Test {
 protected:
  // Asks about each of `shipments` ten times a second, and waits until all has been told.
  void start_following(const std::string& carrier, int shipments, const std::string& suffix) {
    installation_.configure(
        installation_.carrier(carrier, server_.url(""), "interval = \"60 s\"\nrequests_per_second = 10000.0\n"));
    installation_.start();
    for (int i = 0; i < shipments; ++i)
      installation_.platform().follow(carrier, std::to_string(100 + i) + suffix, std::to_string(1000 + i));
    ASSERT_TRUE(eventually([&] {
      return installation_.platform().number("select count(*) from shipments where status = 'in_transit'") ==
                 shipments &&
             installation_.platform().number("select count(*) from transitions where seq is null") == 0;
    })) << installation_.log();
  }

  struct Counted {
    std::int64_t statements, polls, unchanged;
  };
  Counted count(const std::string& carrier) {
    const nlohmann::json status = installation_.status();
    for (const nlohmann::json& one : status.at("carriers"))
      if (one.at("carrier") == carrier)
        return {status.at("database").at("statements"), one.at("polls"), one.at("unchanged")};
    return {};
  }

  // Statements between two looks at the daemon that are at least `polls` polls apart, less those of a look itself. The
  // fewest of three such stretches: a look of the intake at its tables falls into one of them at most, as it comes
  // every thirty seconds.
  std::int64_t fewest_statements(const std::string& carrier, std::int64_t polls) {
    std::int64_t fewest = -1;
    for (int stretch = 0; stretch < 3; ++stretch) {
      const Counted first = count(carrier);
      const Counted begin = count(carrier);
      const std::int64_t of_a_look = begin.statements - first.statements;
      // Watched from the carrier's side, because looking at the daemon costs statements.
      const std::int64_t answered = answered_;
      EXPECT_TRUE(eventually([&] { return answered_ >= answered + polls + under_way_max; }));
      const Counted end = count(carrier);
      EXPECT_GE(end.polls - begin.polls, polls);
      EXPECT_EQ(end.polls - begin.polls, end.unchanged - begin.unchanged);
      const std::int64_t statements = end.statements - begin.statements - of_a_look;
      std::cout << end.polls - begin.polls << " polls, " << statements << " statements\n";
      if (fewest < 0 || statements < fewest) fewest = statements;
    }
    return fewest;
  }
  /// Two requests of fifty shipments each, answered by the carrier but not yet counted by the daemon.
  static constexpr std::int64_t under_way_max = 100;
  std::atomic<std::int64_t> answered_ = 0;  ///< polls, by the carrier
  Installation installation_{{.time_scale = 600}};
  ScriptedServer server_{[this](const ReceivedRequest& request) { return answer(request); }};

 private:
  ScriptedAnswer answer(const ReceivedRequest& request) {
    const Instant then = from_iso8601("2026-11-01T12:00:00Z").value();
    const bool batch = request.body.contains("buscaEventosLista");
    std::vector<demo::Parcel> parcels;
    for (const std::string& number : demo::elements(request.body, batch ? "objetos" : "NumeroEnvio"))
      parcels.push_back({number, {{demo::Step::on_the_way, then, {}}}});
    answered_ += static_cast<std::int64_t>(parcels.size());
    std::string body = batch ? demo::batch_tracking(parcels) : demo::soap_tracking(&parcels.at(0));
    if (batch) body += "<!-- " + std::to_string(answered_) + " -->";  // as an envelope with a clock in it
    return ScriptedAnswer::ok(body, xml_headers);
  }
};

TEST_F(Unchanged, AnswersOfTheSameBytesCostNoStatement) {
  start_following("oca", 50, "");
  EXPECT_EQ(fewest_statements("oca", 500), 0);
}

TEST_F(Unchanged, BatchesWhoseEnvelopeAloneChangesCostNoStatement) {
  start_following("correios", 100, "BR");
  EXPECT_EQ(fewest_statements("correios", 500), 0);
}

}  // namespace
}  // namespace remitod::test
