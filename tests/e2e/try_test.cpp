// --try-carrier, with a daemon and without: what it prints, keeps, and never shows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <thread>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Listens at a Unix socket and hangs up on whoever comes.
class HangingUp {
 public:
  explicit HangingUp(const std::string& path) : acceptor_(context_, path), thread_([this] { accept_all(); }) {}
  ~HangingUp() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }
  HangingUp(const HangingUp&) = delete;
  HangingUp& operator=(const HangingUp&) = delete;

 private:
  void accept_all() {
    boost::system::error_code error;
    while (!error) acceptor_.accept(error);  // the socket closes at once
  }

  boost::asio::io_context context_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::thread thread_;
};

class TryCarrier : public testing::Test {
 protected:
  TryCarrier() {
    installation_.configure(installation_.carrier("oca", carrier_.url(), asked_by_hand_only));
    write_file(installation_.folder() / "password", std::string(canary) + "\n");
    const demo::Parcel parcel{"7001", {{demo::Step::admitted, installation_.now() - std::chrono::hours{2}, {}}}};
    // The carrier echoes what it was sent.
    const std::string echo = "<!-- " + std::string(canary) + " -->";
    carrier_.says("<NumeroEnvio>7001<", ScriptedAnswer::ok(demo::soap_tracking(&parcel) + echo, xml_headers));
  }
  Finished try_it(std::vector<std::string> more = {}, const std::string& remito = "7001") {
    std::vector<std::string> arguments{"--try-carrier", "oca", "--remito", remito};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Finished finished = installation_.remitod(arguments);
    EXPECT_THAT(finished.out + finished.err, Not(HasSubstr(canary)));
    return finished;
  }
  std::filesystem::path kept() const { return installation_.folder() / "kept"; }

  static constexpr std::string_view canary = "canary-4f1d-secret";
  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(TryCarrier, AsksByItselfWhereNoDaemonRuns) {
  const Finished finished = try_it();
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("<NumeroEnvio>7001</NumeroEnvio>"), HasSubstr("HTTP 200 text/xml"),
                                  HasSubstr("7001: events"), HasSubstr("oca answers, and the answer is read")));
  EXPECT_EQ(carrier_.asked("7001"), 1U);
}

TEST_F(TryCarrier, AsksThroughTheDaemonThatRuns) {
  installation_.start();
  // Only the daemon can: its secret is no longer where the configuration says.
  std::filesystem::remove(installation_.folder() / "password");
  const Finished finished = try_it({"--json"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const auto trial = nlohmann::json::parse(finished.out);
  EXPECT_EQ(trial["outcome"], "read");
  EXPECT_EQ(trial["read"]["reports"][0]["remito"], "7001");
  EXPECT_EQ(carrier_.asked("7001"), 1U);
}

TEST_F(TryCarrier, DoesNotPassOverADaemonThatDoesNotAnswer) {
  const HangingUp daemon((installation_.folder() / "control.sock").string());
  const Finished finished = try_it();
  EXPECT_EQ(finished.exit_code, 69);
  EXPECT_THAT(finished.err, HasSubstr("control.sock"));
  EXPECT_EQ(carrier_.asked("7001"), 0U);
}

TEST_F(TryCarrier, KeepsTheAnswerAsASampleAndOverwritesNone) {
  const Finished first = try_it({"--save", kept().string()});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  const std::string sample = read_file(kept() / "samples" / "live_7001.xml");
  EXPECT_THAT(sample, AllOf(HasSubstr("7001"), HasSubstr("[secret]"), Not(HasSubstr(canary))));
  EXPECT_THAT(read_file(kept() / "samples" / "live_7001.expected.json"), HasSubstr("\"asked\": [\"7001\"]"));

  const Finished second = try_it({"--save", kept().string()});
  EXPECT_EQ(second.exit_code, 73);
  EXPECT_THAT(second.err, HasSubstr("is there already"));
  EXPECT_EQ(read_file(kept() / "samples" / "live_7001.xml"), sample);
}

TEST_F(TryCarrier, TellsInWordsWhatCameToNothing) {
  carrier_.says("<NumeroEnvio>7002<", ScriptedAnswer::status(503, "<html>maintenance</html>"));
  const Finished trouble = try_it({}, "7002");
  EXPECT_EQ(trouble.exit_code, 76);
  EXPECT_THAT(trouble.out, HasSubstr("FAILED oca answers with trouble: http_status"));

  carrier_.says("<NumeroEnvio>7003<", ScriptedAnswer{.bytes = "", .again = "", .then = ScriptedAnswer::Then::close});
  const Finished silent = try_it({}, "7003");
  EXPECT_EQ(silent.exit_code, 69);
  EXPECT_THAT(silent.out, HasSubstr("FAILED oca gives no answer that can be read: transport"));
}

TEST_F(TryCarrier, SaysByItsExitCodeWhyThereIsNothingToKeep) {
  carrier_.says("<NumeroEnvio>7003<", ScriptedAnswer{.bytes = "", .again = "", .then = ScriptedAnswer::Then::close});
  const Finished silent = try_it({"--save", kept().string()}, "7003");
  EXPECT_EQ(silent.exit_code, 69);
  EXPECT_THAT(silent.err, HasSubstr("nothing is saved"));
}

TEST_F(TryCarrier, DoesNotCallAnAnswerReadThatSaysNothingOfTheNumber) {
  const demo::Parcel other{"7001", {{demo::Step::admitted, installation_.now() - std::chrono::hours{2}, {}}}};
  carrier_.says("<NumeroEnvio>7004<", ScriptedAnswer::ok(demo::soap_tracking(&other), xml_headers));
  const Finished finished = try_it({}, "7004");
  EXPECT_EQ(finished.exit_code, 76);
  EXPECT_THAT(finished.out, HasSubstr("FAILED oca answers, and nothing is read of 7004\n"));
}

TEST_F(TryCarrier, AsksByItselfOnlyWhenTheCarrierMayBeAsked) {
  installation_.configure(
      installation_.carrier("oca", carrier_.url(), asked_by_hand_only + "windows = [\"2026-01-01 00:00-00:01\"]\n"));
  const Finished closed = try_it();
  EXPECT_EQ(closed.exit_code, 75);
  EXPECT_THAT(closed.err, HasSubstr("oca is not asked: its windows and blackouts do not allow it now"));
  EXPECT_EQ(carrier_.asked("7001"), 0U);
}

TEST_F(TryCarrier, KnowsOnlyTheCarriersThatAreConfigured) {
  const Finished alone = installation_.remitod({"--try-carrier", "oca2", "--remito", "1"});
  EXPECT_EQ(alone.exit_code, 64);
  EXPECT_THAT(alone.err, HasSubstr("did you mean 'oca'"));
  installation_.start();
  const Finished asked = installation_.remitod({"--try-carrier", "correios", "--remito", "1"});
  EXPECT_EQ(asked.exit_code, 64);
  EXPECT_THAT(asked.err, HasSubstr("no carrier \"correios\" is configured"));
  EXPECT_EQ(installation_.remitod({"--try-carrier", "oca"}).exit_code, 64) << "without --remito";
}

}  // namespace
}  // namespace remitod::test
