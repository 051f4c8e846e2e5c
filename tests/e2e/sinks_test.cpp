// Transitions to receivers, by the real program: webhooks whose signatures openssl(1) verifies, and a command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string other_secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// What openssl makes of secret, id, timestamp and body.
std::string signature_of_openssl(const std::string& whsec, const ReceivedRequest& request) {
  const TemporaryFolder folder;
  write_file(folder.path() / "signed",
             *request.header("webhook-id") + "." + *request.header("webhook-timestamp") + "." + request.body);
  write_file(folder.path() / "secret", whsec.substr(6));
  const Finished finished = run_to_end(
      {"sh", "-ec",
       "key=$(openssl base64 -d -A <$1/secret | od -An -v -tx1 | tr -d ' \\n')\n"
       "printf v1,; openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary $1/signed | openssl base64 -A",
       "sh", folder.path().string()});
  if (finished.exit_code != 0) throw std::runtime_error(finished.err);
  return finished.out;
}

/// One that is no whole answer.
ScriptedAnswer answer_that(ScriptedAnswer::Then then, const std::string& begins = "") {
  ScriptedAnswer answer;
  answer.bytes = begins;
  answer.then = then;
  return answer;
}

class SinksTest : public testing::Test {
 protected:
  std::string secret_file(const std::string& name, const std::string& text) {
    write_file(installation_.folder() / name, text);
    return "\"file:" + (installation_.folder() / name).string() + "\"";
  }
  std::string webhook(const std::string& name, const ScriptedServer& receiver, const std::string& more = "") {
    return "[sinks." + name + "]\ntype = \"webhook\"\nurl = \"" + receiver.url("/hook") + "\"\nsecrets = [" +
           secret_file("whsec", secret) + "]\n" + more;
  }
  void start(const std::string& sinks) {
    installation_.configure(sinks);
    installation_.start();
  }
  Platform& platform() { return installation_.platform(); }
  /// A transition: no carrier is configured, so none makes the remito. Then the order may ask again; before that it is
  /// no transition.
  void tell(const std::string& order) { platform().ask_remito("key-" + std::to_string(++keys_), order, "nobody"); }
  bool all_is_told() {
    return eventually([&] {
      return platform().number(
                 "select (select count(*) from remito_requests where settled_at is null) + "
                 "(select count(*) from transitions where seq is null)") == 0;
    });
  }
  bool all_is_delivered() {
    return eventually([&] {
      return platform().number(
                 "select (select max(seq) from transitions) = (select min(cursor_seq) from sinks) and "
                 "not exists (select 1 from sink_letters)") == 1;
    });
  }
  json sink(const std::string& name) {
    const json report = installation_.status();
    for (const json& one : report.at("sinks"))
      if (one.at("sink") == name) return one;
    throw std::runtime_error("no sink " + name);
  }

  Installation installation_;
  int keys_ = 0;
};

TEST_F(SinksTest, TransitionArrivesAsASignedCloudEvent) {
  ScriptedServer receiver([](const ReceivedRequest&) { return ScriptedAnswer::ok(""); });
  start(webhook("shop", receiver));
  tell("1001");
  ASSERT_TRUE(receiver.wait_for_requests(1)) << installation_.log();
  const ReceivedRequest request = receiver.requests().at(0);
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.target(), "/hook");
  EXPECT_EQ(request.header("content-type"), "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(request.header("webhook-signature"), signature_of_openssl(secret, request));
  const auto age = std::chrono::system_clock::now().time_since_epoch() -
                   std::chrono::seconds{std::stoll(request.header("webhook-timestamp").value())};
  EXPECT_LT(age, std::chrono::minutes{5}) << "receivers refuse what is older";
  const json event = json::parse(request.body);
  EXPECT_EQ(event["id"], request.header("webhook-id"));
  EXPECT_EQ(event["id"], platform().text("select cast(id as text) from transitions"));
  EXPECT_EQ(event["type"], "remitod.request.remito_refused");
  EXPECT_EQ(event["data"]["order_number"], "1001");
  EXPECT_TRUE(all_is_delivered()) << installation_.log();
}

TEST_F(SinksTest, BothSecretsSignWhileOneTakesTheOthersPlace) {
  ScriptedServer receiver([](const ReceivedRequest&) { return ScriptedAnswer::ok(""); });
  start("[sinks.shop]\ntype = \"webhook\"\nurl = \"" + receiver.url() + "\"\nsecrets = [" +
        secret_file("new", other_secret) + ", " + secret_file("old", secret) + "]\n");
  tell("1001");
  ASSERT_TRUE(receiver.wait_for_requests(1)) << installation_.log();
  const ReceivedRequest request = receiver.requests().at(0);
  EXPECT_EQ(request.header("webhook-signature"),
            signature_of_openssl(other_secret, request) + " " + signature_of_openssl(secret, request));
}

TEST_F(SinksTest, SinkThatHangsHoldsUpNeitherAnotherNorTheDaemon) {
  ScriptedServer hanging([](const ReceivedRequest&) { return answer_that(ScriptedAnswer::Then::hang); });
  ScriptedServer receiver([](const ReceivedRequest&) { return ScriptedAnswer::ok(""); });
  start(webhook("hanging", hanging) + webhook("shop", receiver));
  for (int i = 0; i < 40; ++i) tell(std::to_string(i));
  EXPECT_TRUE(receiver.wait_for_requests(40)) << installation_.log();
  EXPECT_EQ(sink("hanging")["delivered"], 0);
}

TEST_F(SinksTest, ReceiverThatIsGoneDisablesItsSinkUntilItIsEnabled) {
  std::atomic<bool> gone = true;
  ScriptedServer receiver(
      [&](const ReceivedRequest&) { return gone ? ScriptedAnswer::status(410, "") : ScriptedAnswer::ok(""); });
  start(webhook("shop", receiver));
  tell("1001");
  ASSERT_TRUE(eventually([&] { return sink("shop")["disabled_at"].is_string(); })) << installation_.log();
  const Finished status = installation_.remitod({"--status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, HasSubstr("--enable-sink shop"));
  gone = false;
  EXPECT_EQ(installation_.remitod({"--enable-sink", "shop"}).out, "sink shop goes on\n");
  EXPECT_TRUE(all_is_delivered()) << installation_.log();
  EXPECT_EQ(installation_.remitod({"--enable-sink", "shop"}).out, "sink shop was not disabled\n");
  EXPECT_EQ(installation_.remitod({"--status"}).exit_code, 0);
}

TEST_F(SinksTest, DeadLettersAreToldAndReplayed) {
  std::atomic<bool> broken = true;
  ScriptedServer receiver(
      [&](const ReceivedRequest&) { return broken ? ScriptedAnswer::status(500, "") : ScriptedAnswer::ok(""); });
  start(webhook("shop", receiver, "retries = [\"50 ms\", \"100 ms\"]\n"));
  tell("1001");
  ASSERT_TRUE(all_is_told());
  tell("1001");
  ASSERT_TRUE(eventually([&] { return sink("shop")["dead"] == 2; })) << installation_.log();
  EXPECT_THAT(receiver.requests(), SizeIs(6));
  EXPECT_THAT(installation_.remitod({"--status"}).out, HasSubstr("2 dead letter(s) of sink shop"));
  broken = false;
  EXPECT_EQ(installation_.remitod({"--replay", "dead"}).out, "sink shop: 2 letter(s) will be sent\n");
  EXPECT_TRUE(all_is_delivered()) << installation_.log();
  EXPECT_EQ(installation_.remitod({"--replay", "shop:1..1"}).out, "sink shop: 1 letter(s) will be sent\n");
  EXPECT_TRUE(receiver.wait_for_requests(9));
  EXPECT_EQ(installation_.remitod({"--replay", "shpo"}).exit_code, 66);
  const Finished wrong = installation_.remitod({"--replay", "shop:2"});
  EXPECT_EQ(wrong.exit_code, 64);
  EXPECT_THAT(wrong.err, HasSubstr("none of dead, SINK, SINK:SEQ..SEQ"));
  const Finished nothing = installation_.remitod({"--replay", "shop:900..999"});
  EXPECT_EQ(nothing.exit_code, 66);
  EXPECT_THAT(nothing.err, HasSubstr("nothing to send again"));
}

TEST_F(SinksTest, CommandGetsALineForEachTransition) {
  const auto lines = installation_.folder() / "lines";
  start("[sinks.mail]\ntype = \"command\"\ncommand = [\"sh\", \"-c\", '''while read -r event; do echo \"$event\" >>" +
        lines.string() + "; echo \"$event\" | jq -r .id; done''']\n");
  for (int i = 0; i < 3; ++i) {
    tell("1001");
    ASSERT_TRUE(all_is_told());
  }
  EXPECT_TRUE(all_is_delivered()) << installation_.log();
  std::istringstream text(read_file(lines));
  std::vector<int> seqs;
  for (std::string line; std::getline(text, line);) seqs.push_back(json::parse(line)["data"]["seq"].get<int>());
  EXPECT_THAT(seqs, ElementsAre(1, 2, 3));
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(SinksTest, EveryTransitionArrivesInOrderFromADaemonThatIsKilledToAReceiverThatFails) {
  std::mt19937 random(20261124);
  std::atomic<bool> works = false;
  // Once for each: the first time that it was answered 200.
  std::mutex mutex;
  std::vector<std::string> arrived;
  std::set<std::string> seen;
  ScriptedServer receiver([&](const ReceivedRequest& request) {
    using Then = ScriptedAnswer::Then;
    const std::scoped_lock lock(mutex);
    const auto dice = works ? 99 : random() % 100;
    if (dice < 10) return answer_that(Then::reset);
    if (dice < 15) return answer_that(Then::hang);
    if (dice < 20) return answer_that(Then::close, "HTTP/1.1 200");
    if (dice < 40) return ScriptedAnswer::status(503, "", dice < 22 ? "Retry-After: 1\r\n" : "");
    if (seen.insert(*request.header("webhook-id")).second) arrived.push_back(request.body);
    return ScriptedAnswer::ok("");
  });
  const std::string retries = "retries = [" + std::string(R"("100 ms", "200 ms", )") + [] {
    std::string more;
    for (int i = 0; i < 47; ++i) more += "\"400 ms\", ";
    return more + "\"1 s\"";
  }() + "]\ntimeout = \"500 ms\"\n";
  start(webhook("shop", receiver, retries));
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 15; ++i) tell(std::to_string(i % 7));
    ASSERT_TRUE(receiver.wait_for_requests(receiver.requests().size() + 5));
    installation_.kill();
    installation_.start();
  }
  works = true;
  ASSERT_TRUE(all_is_told());
  ASSERT_TRUE(all_is_delivered()) << installation_.log();

  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), platform().number("select count(*) from transitions"));
  std::map<std::string, std::vector<std::int64_t>> by_key;
  for (const std::string& body : arrived) {
    const json event = json::parse(body);
    by_key[event["partitionkey"]].push_back(event["data"]["seq"].get<std::int64_t>());
  }
  EXPECT_EQ(by_key.size(), 7u);
  for (const auto& [key, seqs] : by_key) EXPECT_TRUE(std::ranges::is_sorted(seqs)) << key;
}

}  // namespace
}  // namespace remitod::test
