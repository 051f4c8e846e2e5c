// The listener against clients that know no manners, over real sockets.
#include "daemon/web_listener.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "daemon/guests.h"
#include "tests/support/paths.h"
#include "tests/support/raw_client.h"

namespace remitod::test {
namespace {

using daemon::WebAnswer;
using daemon::WebLimits;
using daemon::WebListener;
using daemon::WebRequest;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view get_and_close = "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class WebListenerTest : public testing::Test {
 protected:
  void listen(WebListener::Handler handler, const WebLimits& limits = {}, const std::string& at = "127.0.0.1:0") {
    auto listening = WebListener::listen(at, std::move(handler), limits);
    if (!listening) throw std::runtime_error(listening.error());
    listener_ = std::move(*listening);
  }
  /// Answers with what it understood.
  void listen_and_repeat(const WebLimits& limits = {}) {
    listen(
        [this](const WebRequest& request, const WebListener::Reply& reply) {
          ++calls_;
          std::string said = request.method + " " + request.path;
          for (const auto& [key, value] : request.query) said += " " + key + "=" + value;
          reply({200,
                 "text/plain",
                 said + " " + request.host + " " + request.authorization + " " + request.body,
                 {{"X-Further", "yes"}}});
        },
        limits);
  }
  RawClient client() const { return RawClient(listener_->address()); }
  /// What a client hears that says this.
  std::string answer_to(std::string_view said) const {
    RawClient one = client();
    one.say(said);
    return one.hear();
  }

  std::unique_ptr<WebListener> listener_;
  std::atomic<int> calls_ = 0;
};

TEST_F(WebListenerTest, ARequestReachesTheHandlerDecoded) {
  listen_and_repeat();
  const std::string answer = answer_to(
      "POST /resync?target=oca%3AA%26B HTTP/1.1\r\nHost: localhost:9470\r\nAuthorization: Bearer abc\r\n"
      "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer, HasSubstr("X-Further: yes"));
  EXPECT_THAT(answer, EndsWith("POST /resync target=oca:A&B localhost:9470 Bearer abc {}"));
}

TEST_F(WebListenerTest, AUnixSocketDoesAsWellAndIsTheGroups) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "http.sock").string();
  listen([](const WebRequest&, const WebListener::Reply& reply) { reply({200, "text/plain", "here"}); }, {}, path);
  EXPECT_EQ(listener_->address(), path);
  EXPECT_THAT(answer_to(get_and_close), EndsWith("here"));
  struct stat file{};
  ASSERT_EQ(::stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0660u);
  const auto second = WebListener::listen(path, [](const WebRequest&, const WebListener::Reply&) {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("another daemon listens on " + path));
  EXPECT_THAT(answer_to(get_and_close), EndsWith("here")) << "the first one keeps it";
  listener_.reset();
  EXPECT_FALSE(std::filesystem::exists(path)) << "gone with the listener";
}

/// As systemd holds it: listens before anybody is there to answer, and after.
class PassedSocket {
 public:
  PassedSocket() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(descriptor_, 8) != 0)
      throw std::runtime_error("cannot listen at " + path());
  }
  ~PassedSocket() { ::close(descriptor_); }
  PassedSocket(const PassedSocket&) = delete;
  PassedSocket& operator=(const PassedSocket&) = delete;

  std::string path() const { return (folder_.path() / "http.sock").string(); }
  int descriptor() const { return descriptor_; }
  std::unique_ptr<WebListener> adopted_by(WebListener::Handler handler) const {
    auto adopted = WebListener::adopt(descriptor_, std::move(handler));
    if (!adopted) throw std::runtime_error(adopted.error());
    return std::move(*adopted);
  }

 private:
  TemporaryFolder folder_;
  int descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

void say_here(const WebRequest&, const WebListener::Reply& reply) {
  reply({200, "text/plain", "here"});
}

TEST_F(WebListenerTest, APassedSocketSurvivesTheListener) {
  const PassedSocket passed;
  for (const char* word : {"first", "second"}) {
    RawClient waiting(passed.path());  // before anybody is there to answer
    waiting.say(get_and_close);
    const auto adopted = passed.adopted_by(
        [word](const WebRequest&, const WebListener::Reply& reply) { reply({200, "text/plain", word}); });
    EXPECT_THAT(waiting.hear(), EndsWith(word));
  }
  EXPECT_EQ(daemon::socket_address(passed.descriptor()), passed.path());
  EXPECT_FALSE(WebListener::adopt(-1, say_here));
}

TEST_F(WebListenerTest, WhoAsksWhileOneListenerFollowsAnotherIsAnswered) {
  const PassedSocket passed;
  std::atomic<bool> over = false;
  int asked = 0, refused = 0;
  std::thread asking([&] {
    for (; !over; ++asked) try {
        RawClient one(passed.path());
        if (!one.say(get_and_close) || !one.hear().ends_with("here")) ++refused;
      } catch (const std::runtime_error&) {
        ++refused;
      }
  });
  int too_slow = 0;  // to be answered while a listener takes leave
  for (int i = 0; i < 300; ++i) {
    auto listener = passed.adopted_by(say_here);
    std::promise<void> left;
    const auto begun = std::chrono::steady_clock::now();
    listener->take_leave([&] { left.set_value(); });
    left.get_future().wait();
    if (std::chrono::steady_clock::now() - begun >= daemon::leave_taking) ++too_slow;
  }
  over = true;
  const auto last = passed.adopted_by(say_here);  // for who asks still
  asking.join();
  EXPECT_LE(refused, too_slow) << "of " << asked;
  EXPECT_GT(asked, 0);
}

TEST_F(WebListenerTest, TakingLeaveItAnswersWhoIsInAndHangsUpOnWhoWaitsForNothing) {
  listen_and_repeat();
  RawClient idle = client(), asking = client();
  idle.say("GET /before HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.hear_until("GET /before x");
  asking.say("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
  asking.hear_until("GET /first x");
  asking.say("GET /begun HTTP/1.1\r\nHo");
  // Heard later than what was said before, on the one thread that the listener has.
  EXPECT_THAT(answer_to(get_and_close), HasSubstr("GET /status"));
  std::promise<void> left;
  listener_->take_leave([&] { left.set_value(); });
  EXPECT_THAT(idle.hear(), testing::Not(HasSubstr("HTTP/1.1"))) << "no more than it has had";
  EXPECT_THROW(client(), std::runtime_error) << "nobody is let in any more";
  asking.say("st: x\r\n\r\n");
  EXPECT_THAT(asking.hear(), testing::AllOf(HasSubstr("Connection: close"), HasSubstr("GET /begun")));
  left.get_future().wait();
}

TEST_F(WebListenerTest, TakingLeaveItDoesNotWaitForWhoNeverAsks) {
  listen_and_repeat({.patience = std::chrono::hours{1}});
  const RawClient silent = client();
  EXPECT_THAT(answer_to(get_and_close), HasSubstr("GET /status")) << "let in after the other";
  std::promise<void> left;
  const auto begun = std::chrono::steady_clock::now();
  listener_->take_leave([&] { left.set_value(); });
  left.get_future().wait();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, daemon::leave_taking);
}

TEST_F(WebListenerTest, OneConnectionMayAskSeveralTimesAndWithoutWaiting) {
  listen_and_repeat();
  RawClient one = client();
  ASSERT_TRUE(one.say("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const std::string heard = one.hear();
  EXPECT_THAT(heard, HasSubstr("GET /a"));
  EXPECT_THAT(heard, HasSubstr("GET /b"));
}

TEST_F(WebListenerTest, ToHeadAnswersTheHeadAlone) {
  listen_and_repeat();
  const std::string answer = answer_to("HEAD /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 16\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(WebListenerTest, WhatIsNoRequestIsToldSo) {
  listen_and_repeat();
  EXPECT_THAT(answer_to("\x16\x03\x01 hello\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(answer_to("GET  HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  for (const char* target : {"*", "http://elsewhere/status", "/%zz", "/%00%"})
    EXPECT_THAT(answer_to(std::string("GET ") + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                StartsWith("HTTP/1.1 400"))
        << target;
  EXPECT_THAT(answer_to("POST /resync HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
              StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(calls_, 0);
}

TEST_F(WebListenerTest, AHeadThatIsTooLargeIsRefused) {
  listen_and_repeat();
  RawClient one = client();
  one.say("GET /status HTTP/1.1\r\nHost: x\r\n");
  const std::string header = "X-Filler: " + std::string(1000, 'a') + "\r\n";
  for (int i = 0; i < 20; ++i) one.say(header);
  EXPECT_THAT(one.hear(), StartsWith("HTTP/1.1 431"));
  EXPECT_EQ(calls_, 0);
}

TEST_F(WebListenerTest, ABodyThatIsTooLargeIsRefusedAnnouncedOrNot) {
  listen_and_repeat();
  EXPECT_THAT(answer_to("POST /resync HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  RawClient unannounced = client();
  unannounced.say("POST /resync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "1000\r\n" + std::string(0x1000, 'a') + "\r\n";
  for (int i = 0; i < 20; ++i) unannounced.say(chunk);
  EXPECT_THAT(unannounced.hear(), StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(calls_, 0);
}

TEST_F(WebListenerTest, WhatStandsBesideTheChunksOfABodyIsBoundedToo) {
  listen_and_repeat();
  for (const char* begins : {"1;", "0\r\nX: "}) {
    RawClient endless = client();
    endless.say("POST /resync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(begins) +
                std::string(200'000, 'a'));
    EXPECT_THAT(endless.hear_until("\r\n"), StartsWith("HTTP/1.1 413")) << begins;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(WebListenerTest, WhoDripsIsHungUpOnAllTheSame) {
  listen_and_repeat({.patience = milliseconds{300}});
  RawClient slow = client();
  ASSERT_TRUE(slow.say("GET /status HTTP/1.1\r\nX: "));
  // Patience is for the whole request: bytes that keep coming do not prolong it.
  const auto begun = std::chrono::steady_clock::now();
  while (slow.say("a") && std::chrono::steady_clock::now() - begun < std::chrono::seconds{30})
    EXPECT_THAT(answer_to(get_and_close), HasSubstr("GET /status")) << "and holds up nobody";
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{30});
}

TEST_F(WebListenerTest, WithTooManyConnectionsTheOneThatWaitedLongestGivesItsPlace) {
  listen_and_repeat({.connections = 3, .patience = std::chrono::minutes{10}});
  std::vector<RawClient> idle;
  for (int i = 0; i < 50; ++i) idle.push_back(client());
  EXPECT_THAT(answer_to(get_and_close), HasSubstr("GET /status"));
  for (int i = 0; i < 47; ++i) EXPECT_THAT(idle[static_cast<std::size_t>(i)].hear(), IsEmpty()) << i;
  ASSERT_TRUE(idle.back().say(get_and_close)) << "the last ones stay";
  EXPECT_THAT(idle.back().hear(), HasSubstr("GET /status"));
}

TEST_F(WebListenerTest, WhoeverHasAnAnswerToComeKeepsItsPlace) {
  std::promise<WebListener::Reply> asked;
  listen([&](const WebRequest&, WebListener::Reply reply) { asked.set_value(std::move(reply)); }, {.connections = 1});
  RawClient first = client();
  ASSERT_TRUE(first.say(get_and_close));
  const WebListener::Reply reply = asked.get_future().get();
  EXPECT_THAT(client().hear(), IsEmpty()) << "there is no place for it";
  reply({200, "text/plain", "late"});
  EXPECT_THAT(first.hear(), EndsWith("late"));
}

TEST_F(WebListenerTest, AnAnswerThatDoesNotComeIsToldAndMayComeTooLate) {
  std::promise<WebListener::Reply> asked;
  listen([&](const WebRequest&, WebListener::Reply reply) { asked.set_value(std::move(reply)); },
         {.answer_time = milliseconds{50}});
  EXPECT_THAT(answer_to(get_and_close), StartsWith("HTTP/1.1 503"));
  const WebListener::Reply reply = asked.get_future().get();
  reply({200, "text/plain", "too late"});
  listener_.reset();
  reply({200, "text/plain", "nobody is there any more"});
}

TEST_F(WebListenerTest, AnswersThatNobodyReadsAreBounded) {
  const std::string large(20'000'000, 'x');  // more than the system takes from us unread
  listen([&](const WebRequest&, const WebListener::Reply& reply) { reply({200, "text/plain", large}); },
         {.answer_bytes = 50'000'000});
  std::vector<RawClient> readers;
  for (int i = 0; i < 4; ++i) {
    readers.push_back(client());
    ASSERT_TRUE(readers.back().say(get_and_close));
    const std::string head = readers.back().hear_until("\r\n\r\n");
    EXPECT_THAT(head, StartsWith(i < 2 ? "HTTP/1.1 200" : "HTTP/1.1 503")) << i;
  }
  readers.erase(readers.begin(), readers.begin() + 2);
  for (std::string heard; !heard.starts_with("HTTP/1.1 200");) heard = answer_to(get_and_close).substr(0, 12);
}

TEST_F(WebListenerTest, AListenerThatGoesHangsUpOnEverybody) {
  std::promise<WebListener::Reply> asked;
  listen([&](const WebRequest&, WebListener::Reply reply) { asked.set_value(std::move(reply)); });
  RawClient idle = client(), waiting = client();
  waiting.say(get_and_close);
  const WebListener::Reply reply = asked.get_future().get();
  listener_.reset();
  EXPECT_THAT(idle.hear(), IsEmpty());
  EXPECT_THAT(waiting.hear(), IsEmpty());
}

TEST_F(WebListenerTest, ManyAtOnceAreAllAnswered) {
  listen_and_repeat({.connections = 2000});
  std::vector<RawClient> clients;
  for (int i = 0; i < 300; ++i) clients.push_back(client());
  for (RawClient& one : clients) ASSERT_TRUE(one.say(get_and_close));
  for (RawClient& one : clients) EXPECT_THAT(one.hear(), HasSubstr("GET /status"));
  EXPECT_EQ(calls_, 300);
}

TEST_F(WebListenerTest, AnAddressThatCannotBeIsToldWithItsReason) {
  const auto ignore = [](const WebRequest&, const WebListener::Reply&) {};
  listen(ignore);
  const auto taken = WebListener::listen(listener_->address(), ignore);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error(), HasSubstr("in use"));
  for (const char* address : {"", "9470", "localhost:9470", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "::1:9470",
                              "[::1]", "127.0.0.1:80 "}) {
    EXPECT_FALSE(WebListener::listen(address, ignore)) << address;
    EXPECT_FALSE(daemon::is_local_address(address)) << address;
  }
  EXPECT_FALSE(WebListener::listen("/missing/http.sock", ignore));
  EXPECT_FALSE(WebListener::listen("/" + std::string(200, 'a'), ignore));
}

TEST_F(WebListenerTest, WhatOnlyThisMachineReachesIsKnown) {
  for (const char* address : {"127.0.0.1:9470", "127.8.8.8:1", "[::1]:9470", "/run/remitod/http.sock"})
    EXPECT_EQ(daemon::is_local_address(address), true) << address;
  for (const char* address : {"0.0.0.0:9470", "[::]:9470", "192.0.2.1:9470"})
    EXPECT_EQ(daemon::is_local_address(address), false) << address;
}

}  // namespace
}  // namespace remitod::test
