// The channel to a command, with real programs.
#include "daemon/command_channel.h"

#include <gmock/gmock.h>

#include <csignal>
#include <map>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace remitod::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = SinkOutcome::Kind;

class CommandChannelTest : public testing::Test {
 protected:
  CommandChannelTest() { std::signal(SIGPIPE, SIG_IGN); }

  void command(const std::string& script, std::chrono::milliseconds timeout = 1min) {
    channel_ = std::make_unique<CommandChannel>(
        runtime_, CommandChannel::Settings{{"sh", "-c", script, "sh", folder_.path().string()}, timeout});
  }
  void use(CommandChannel::Settings settings) {
    channel_ = std::make_unique<CommandChannel>(runtime_, std::move(settings));
  }
  void send(const std::string& id, const std::string& body) {
    outcomes_.erase(id);
    channel_->send({id, body}, [this, id](SinkOutcome outcome) {
      EXPECT_FALSE(outcomes_.contains(id)) << "told twice";
      outcomes_[id] = std::move(outcome);
    });
    EXPECT_FALSE(outcomes_.contains(id)) << "told from inside the call";
  }
  /// For scripts that give back each line as it is.
  void send(const std::string& id) { send(id, id); }
  SinkOutcome outcome(const std::string& id) {
    EXPECT_TRUE(test::eventually([&] {
      runtime_.context().restart();
      runtime_.context().run_for(1ms);
      return outcomes_.contains(id);
    })) << id;
    return outcomes_[id];
  }
  std::string file(const std::string& name) const {
    const auto path = folder_.path() / name;
    return std::filesystem::exists(path) ? test::read_file(path) : "";
  }

  test::TemporaryFolder folder_;
  AsioRuntime runtime_{1.0, {}};
  std::map<std::string, SinkOutcome> outcomes_;
  std::unique_ptr<CommandChannel> channel_;
};

TEST_F(CommandChannelTest, LineIsDeliveredWhenTheCommandPrintsItsId) {
  command(
      "echo starts >>$1/starts; while read -r line; do echo \"$line\" >>$1/lines; echo noise; echo ${line%% *}; done");
  send("1", "1 first");
  EXPECT_EQ(outcome("1").kind, Kind::delivered);
  send("2", "2 second");
  send("3", "3 third");
  EXPECT_EQ(outcome("2").kind, Kind::delivered);
  EXPECT_EQ(outcome("3").kind, Kind::delivered);
  EXPECT_EQ(file("lines"), "1 first\n2 second\n3 third\n");
  EXPECT_EQ(file("starts"), "starts\n") << "one program takes them all";
}

TEST_F(CommandChannelTest, AnswersMayComeInAnotherOrder) {
  command("read -r a; read -r b; echo $b; echo $a; cat >/dev/null");
  send("1");
  send("2");
  EXPECT_EQ(outcome("2").kind, Kind::delivered);
  EXPECT_EQ(outcome("1").kind, Kind::delivered);
}

TEST_F(CommandChannelTest, CommandThatEndsHasTakenOnlyWhatItAnsweredFor) {
  command("read -r line; echo $line; read -r line; exit 3");
  send("1");
  send("2");
  EXPECT_EQ(outcome("1").kind, Kind::delivered);
  const SinkOutcome second = outcome("2");
  EXPECT_EQ(second.kind, Kind::failed);
  EXPECT_THAT(second.why, HasSubstr("exit code 3"));
  send("2");
  EXPECT_EQ(outcome("2").kind, Kind::delivered) << "it was started again";
}

TEST_F(CommandChannelTest, RestsGrowWhileTheCommandTakesNothing) {
  command("exit 1");
  for (const auto rest : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    send("1");
    EXPECT_EQ(outcome("1").retry_after, rest);
  }
}

TEST_F(CommandChannelTest, AnswerMakesTheRestsShortAgain) {
  command("test -e $1/ready || exit 1; read -r line; echo $line; read -r line; exit 1");
  for (int i = 0; i < 3; ++i) {
    send("1");
    outcome("1");
  }
  test::write_file(folder_.path() / "ready", "");
  send("1");
  send("2");
  EXPECT_EQ(outcome("1").kind, Kind::delivered);
  EXPECT_EQ(outcome("2").retry_after, 1s);
}

TEST_F(CommandChannelTest, CommandThatSaysNothingInTimeIsKilledWithAllThatItStarted) {
  command("sleep 1000 & echo $! >$1/pid; wait", 300ms);
  send("1");
  const SinkOutcome silent = outcome("1");
  EXPECT_EQ(silent.kind, Kind::failed);
  EXPECT_THAT(silent.why, HasSubstr("in time"));
  const std::filesystem::path process = "/proc/" + std::to_string(std::stoi(file("pid")));
  EXPECT_TRUE(test::eventually(
      [&] { return !std::filesystem::exists(process) || test::read_file(process / "stat").contains(") Z "); }));
}

TEST_F(CommandChannelTest, CommandThatReadsNothingMoreIsToldByItsSilence) {
  command("exec <&-; sleep 1000", 300ms);
  send("1", std::string(200'000, 'x'));
  EXPECT_EQ(outcome("1").kind, Kind::failed);
}

TEST_F(CommandChannelTest, CommandWhoseOutputSomebodyElseHoldsOpenEndsAllTheSame) {
  command("setsid sleep 1000 & echo $! >$1/pid; read -r line; exit 1");
  send("1");
  EXPECT_THAT(outcome("1").why, HasSubstr("exit code 1"));
  ::kill(std::stoi(file("pid")), SIGKILL);
}

TEST_F(CommandChannelTest, LineWithoutEndIsNoAnswer) {
  command("read -r line; head -c 100000 /dev/zero | tr '\\0' x; sleep 1000");
  send("1");
  EXPECT_THAT(outcome("1").why, HasSubstr("64 KiB"));
}

TEST_F(CommandChannelTest, ProgramThatDoesNotExistFails) {
  use({{"/nonexistent/program"}, 1min});
  send("1");
  const SinkOutcome missing = outcome("1");
  EXPECT_EQ(missing.kind, Kind::failed);
  EXPECT_THAT(missing.why, HasSubstr("/nonexistent/program"));
  EXPECT_EQ(missing.retry_after, 1s);
}

TEST_F(CommandChannelTest, CommandEndsWithItsChannel) {
  command("trap 'echo ended >$1/ended; exit 0' TERM; read -r line; echo $line; while :; do read -r line || :; done");
  send("1");
  outcome("1");
  channel_.reset();
  EXPECT_TRUE(test::eventually([&] { return file("ended") == "ended\n"; }));
}

TEST_F(CommandChannelTest, CommandThatDoesNotEndIsKilledWithItsChannelAndIsNoZombie) {
  command("trap '' TERM; echo $$ >$1/pid; read -r line; echo $line; while :; do sleep 1000; done");
  send("1");
  outcome("1");
  channel_.reset();
  EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(std::stoi(file("pid")))));
}

}  // namespace
}  // namespace remitod::daemon
