// The real program killed while a carrier makes a shipment: it finds it, sends again under the same key, or asks a
// person; and what a person settles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/maker.h"
#include "tests/support/postgres.h"

namespace remitod::test {
namespace {

using testing::ElementsAre, testing::HasSubstr, testing::SizeIs, testing::StartsWith;
using Mode = Maker::Mode;

struct Recourse : testing::Test {
  Recourse() { set_up(installation_); }
  void set_up(Installation& installation) {
    maker_.install(installation);
    installation.start();
  }
  Platform& platform() { return installation_.platform(); }
  std::string of(const std::string& column, const std::string& key = "K1") {
    return platform().text("select " + column + " from remito_requests where request_key = '" + key + "'");
  }
  bool becomes(const std::string& state, const std::string& key = "K1") {
    return eventually([&] { return of("state", key) == state; });
  }
  /// Asked of this carrier, and killed when its request has arrived.
  void kill_in_the_call(const std::string& carrier, Mode mode) {
    maker_.set(mode);
    Maker::ask(platform(), "K1", carrier);
    ASSERT_TRUE(eventually([&] { return maker_.arrivals() == 1; })) << installation_.log();
    installation_.kill();
    EXPECT_EQ(of("state"), "sending");
    maker_.set(Mode::ordinary);
    installation_.start();
  }

  Maker maker_;
  Installation installation_;
};

TEST_F(Recourse, KilledInTheCallItAdoptsWhatTheCarrierMade) {
  kill_in_the_call("finder", Mode::hangs_after);
  ASSERT_TRUE(becomes("granted")) << installation_.log();
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(maker_.arrivals(), 1u);
  EXPECT_EQ(platform().number("select count(*) from transitions where to_status = 'ready_to_ship'"), 1);
  EXPECT_EQ(installation_.status()["remitos"]["adopted"], 1);
}

TEST_F(Recourse, KilledInTheCallItSendsAnewWhatTheCarrierShowsNotToHaveMade) {
  kill_in_the_call("finder", Mode::hangs_before);
  ASSERT_TRUE(becomes("granted")) << installation_.log();
  EXPECT_EQ(maker_.arrivals(), 2u);
  EXPECT_THAT(maker_.made().begin()->second, SizeIs(1));
}

TEST_F(Recourse, KilledInTheCallItSendsAgainUnderTheSameKey) {
  kill_in_the_call("keyed", Mode::hangs_after);
  ASSERT_TRUE(becomes("granted")) << installation_.log();
  EXPECT_THAT(maker_.arrived(), SizeIs(1)) << "byte by byte the same key";
  EXPECT_EQ(maker_.arrivals(), 2u);
  EXPECT_THAT(maker_.made().begin()->second, ElementsAre("N1"));
}

TEST_F(Recourse, KilledInTheCallOfACarrierThatPromisesNothingItAsksAPersonWhoSettlesIt) {
  kill_in_the_call("bare", Mode::hangs_after);
  ASSERT_TRUE(becomes("needs_operator")) << installation_.log();
  EXPECT_EQ(maker_.arrivals(), 1u);
  const Finished status = installation_.remitod({"--status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, HasSubstr("remitod --settle K1 --adopt REMITO | --refuse WHY | --resend"));
  EXPECT_LT(status.out.find("--settle"), status.out.find("bare  ")) << "first things first:\n" << status.out;

  EXPECT_EQ(installation_.remitod({"--settle", "K1", "--adopt", "N 1"}).exit_code, 64);
  const Finished settled = installation_.remitod({"--settle", "K1", "--adopt", " N1 ", "--json"});
  EXPECT_EQ(settled.exit_code, 0) << settled.err;
  EXPECT_EQ(nlohmann::json::parse(settled.out)["state"], "granted");
  EXPECT_EQ(of("remito"), "N1");
  EXPECT_EQ(of("operator_action"), "adopted remito N1");
  EXPECT_NE(of("operator"), "");
  EXPECT_THAT(installation_.log_lines({"remito_settled_by_operator", "K1", "N1"}), SizeIs(1));
  EXPECT_EQ(platform().number("select count(*) from transitions where to_status = 'ready_to_ship'"), 1);
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 0);
  EXPECT_EQ(installation_.remitod({"--settle", "K1", "--resend"}).exit_code, 65) << "it is granted";
  EXPECT_EQ(installation_.remitod({"--settle", "nobody", "--resend"}).exit_code, 66);
}

TEST_F(Recourse, APersonHasItSentAnewOrRefusesIt) {
  kill_in_the_call("bare", Mode::hangs_before);
  ASSERT_TRUE(becomes("needs_operator"));
  EXPECT_EQ(installation_.remitod({"--settle", "1", "--resend"}).exit_code, 0);
  ASSERT_TRUE(becomes("granted")) << installation_.log();
  EXPECT_THAT(maker_.arrived(), SizeIs(1)) << "under the same reference";
  maker_.set(Mode::hangs_before);
  Maker::ask(platform(), "K2", "bare");
  ASSERT_TRUE(becomes("needs_operator", "K2")) << "after the time-out";
  const Finished refused = installation_.remitod({"--settle", "K2", "--refuse", "la agencia no lo tiene"});
  EXPECT_EQ(refused.exit_code, 0) << refused.err;
  EXPECT_THAT(refused.out, HasSubstr("la agencia no lo tiene"));
  EXPECT_EQ(platform().number("select count(*) from transitions where to_status = 'remito_refused' and text = "
                              "'la agencia no lo tiene'"),
            1);
}

TEST_F(Recourse, WithoutADaemonNobodySettlesAndNobodyAsks) {
  installation_.stop();
  EXPECT_EQ(installation_.remitod({"--settle", "K1", "--resend"}).exit_code, 69);
  const auto file = installation_.folder() / "one.json";
  write_file(file, R"({"request_key": "A", "order_number": "1", "carrier": "finder"})");
  EXPECT_EQ(installation_.remitod({"--request-remito", file.string()}).exit_code, 69);
  EXPECT_EQ(installation_.remitod({"--settle", "K1"}).exit_code, 64) << "with what?";
  EXPECT_EQ(installation_.remitod({"--settle", "K1", "--adopt", "N1", "--resend"}).exit_code, 64);
  const Finished empty = installation_.remitod({"--settle", "K1", "--adopt", ""});
  EXPECT_EQ(empty.exit_code, 64);
  EXPECT_THAT(empty.err, HasSubstr("--adopt wants the remito"));
  EXPECT_THAT(installation_.remitod({"--settle", " ", "--resend"}).err, HasSubstr("--settle: which request?"));
  EXPECT_EQ(installation_.remitod({"--status", "--wait"}).exit_code, 64);
}

TEST_F(Recourse, RequestsComeFromTheCommandLineToo) {
  const auto file = installation_.folder() / "requests.jsonl";
  write_file(file, R"({"request_key": "A", "order_number": "00417", "carrier": "finder", "payload": {"notes": "frágil"}}
{"request_key": "B", "order_number": "2", "carrier": "nobody"}
)");
  const Finished waited = installation_.remitod({"--request-remito", file.string(), "--wait", "--json"});
  EXPECT_EQ(waited.exit_code, 1) << "one is refused: " << waited.err;
  const auto requests = nlohmann::json::parse(waited.out)["requests"];
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(of("order_number", "A"), "00417");
  EXPECT_EQ(of("state", "A"), "granted");
  EXPECT_EQ(of("state", "B"), "refused");
  const Finished again = installation_.remitod({"--request-remito", file.string()});
  EXPECT_EQ(again.out, "0 request(s) inserted, 2 there already\n");
  EXPECT_EQ(maker_.arrivals(), 1u);

  write_file(file,
             "{\"request_key\": \"C\", \"order_number\": \"3\", \"carrier\": \"finder\"}\n\n{\"request_kei\": 1}\n");
  const Finished wrong = installation_.remitod({"--request-remito", file.string()});
  EXPECT_EQ(wrong.exit_code, 65);
  EXPECT_THAT(wrong.err, HasSubstr("requests.jsonl:3: request_kei: is no column that can be written (did you mean "
                                   "'request_key'?)"));
  EXPECT_EQ(platform().number("select count(*) from remito_requests"), 2) << "none of them";
}

}  // namespace
}  // namespace remitod::test
