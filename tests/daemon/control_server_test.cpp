#include "daemon/control_server.h"

#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "daemon/control_client.h"
#include "daemon/socket_file.h"
#include "tests/support/paths.h"
#include "tests/support/raw_client.h"

namespace remitod::test {
namespace {

using daemon::call_control;
using daemon::ControlAnswer;
using daemon::ControlRequest;
using daemon::ControlServer;
using daemon::ListeningSocket;
using daemon::NoAnswer;
using daemon::socket_path_taken;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ControlServerTest : public testing::Test {
 protected:
  ~ControlServerTest() override { stop(); }

  std::string path() const { return (folder_.path() / "control.sock").string(); }
  void listen(ControlServer::Handler handler, std::chrono::milliseconds patience = std::chrono::seconds{10}) {
    if (!socket_) {
      auto opened = ListeningSocket::open(path());
      if (!opened) throw std::runtime_error(opened.error());
      socket_ = std::move(*opened);
    }
    auto listening = ControlServer::adopt(context_, socket_->descriptor(), std::move(handler), patience);
    if (!listening) throw std::runtime_error(listening.error());
    server_ = std::move(*listening);
    thread_ = std::thread([this] { context_.run(); });
  }
  /// As systemd does with a socket unit: the file and the listening socket are there before the server.
  int listen_beforehand() {
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 8) != 0)
      throw std::runtime_error(std::string("listen: ") + std::strerror(errno));
    return listener;
  }
  void adopt(int listener, const std::string& answer) {
    auto listening = ControlServer::adopt(
        context_, listener,
        [answer](const ControlRequest&, const ControlServer::Reply& reply) { reply({200, answer}); });
    if (!listening) throw std::runtime_error(listening.error());
    server_ = std::move(*listening);
    thread_ = std::thread([this] { context_.run(); });
  }
  /// Answers with what it understood.
  void listen_and_repeat(std::chrono::milliseconds patience = std::chrono::seconds{10}) {
    listen(
        [this](const ControlRequest& request, const ControlServer::Reply& reply) {
          ++calls_;
          std::string said = request.method + " " + request.path;
          for (const auto& [key, value] : request.query) said += " " + key + "=" + value;
          reply({200, said + " " + request.body});
        },
        patience);
  }
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(context_, [this] {
      server_.reset();
      work_.reset();
      context_.stop();
    });
    thread_.join();
    socket_.reset();
  }

  TemporaryFolder folder_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::optional<ListeningSocket> socket_;
  std::unique_ptr<ControlServer> server_;
  std::thread thread_;
  std::atomic<int> calls_ = 0;
};

TEST_F(ControlServerTest, ARequestReachesTheHandlerDecoded) {
  listen_and_repeat();
  const auto answer = call_control(path(), "POST", "/resync?target=" + daemon::query_value("oca:A&B ñ/1"), "{}");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "POST /resync target=oca:A&B ñ/1 {}");
}

TEST_F(ControlServerTest, ASocketThatNobodyListensAtIsNoDaemon) {
  const auto why = [this] { return call_control(path(), "GET", "/", "", std::chrono::milliseconds{20}).error().why; };
  EXPECT_EQ(why(), NoAnswer::Why::nobody);
  const int listener = listen_beforehand();
  EXPECT_EQ(why(), NoAnswer::Why::silent);
  ::close(listener);
  EXPECT_EQ(why(), NoAnswer::Why::nobody) << "a crash left the file behind";
}

TEST_F(ControlServerTest, OnlyTheServiceAndItsGroupMayOpenTheSocket) {
  listen_and_repeat();
  struct stat file{};
  ASSERT_EQ(::stat(path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0660u);
}

TEST_F(ControlServerTest, WhoMayNotOpenTheSocketIsToldSo) {
  const int listener = listen_beforehand();
  ASSERT_EQ(::chmod(path().c_str(), 0), 0);
  // Root may open everything: only this thread is somebody else for a moment.
  const auto myself = ::geteuid();
  if (myself == 0) ::setfsuid(65534);
  const auto answer = call_control(path(), "GET", "/");
  ::setfsuid(myself);
  ::close(listener);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().why, NoAnswer::Why::not_allowed);
  EXPECT_THAT(answer.error().message, StartsWith("you may not open " + path() + ": be root or in the group "));
}

TEST_F(ControlServerTest, WhereNobodyListensIsAnotherMatterThanWhereOneMayNot) {
  const auto answer = call_control(path(), "GET", "/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().why, NoAnswer::Why::nobody);
  EXPECT_THAT(answer.error().message, StartsWith("no daemon answers on"));
}

TEST_F(ControlServerTest, APassedListenerSurvivesTheServer) {
  const int listener = listen_beforehand();
  adopt(listener, "first");
  EXPECT_EQ(call_control(path(), "GET", "/")->body, "first");
  stop();
  RawClient waiting(path());  // while nobody is there to answer
  ASSERT_TRUE(waiting.say("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  context_.restart();
  adopt(listener, "second");
  EXPECT_THAT(waiting.hear(), HasSubstr("second"));
  stop();
  EXPECT_TRUE(std::filesystem::exists(path()));
  ::close(listener);
}

TEST_F(ControlServerTest, TakingLeaveItAnswersWhoIsInAndHangsUpOnWhoWaitsForNothing) {
  listen_and_repeat();
  RawClient idle(path()), asking(path());
  ASSERT_TRUE(idle.say("GET /before HTTP/1.1\r\nHost: x\r\n\r\n"));
  idle.hear_until("GET /before ");
  ASSERT_TRUE(asking.say("GET /begun HTTP/1.1\r\nHo"));
  EXPECT_TRUE(call_control(path(), "GET", "/")) << "let in after the other";
  std::promise<void> left;
  boost::asio::post(context_, [&] { server_->take_leave([&] { left.set_value(); }); });
  EXPECT_THAT(idle.hear(), IsEmpty());
  RawClient late(path());
  ASSERT_TRUE(late.say("GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  ASSERT_TRUE(asking.say("st: x\r\n\r\n"));
  EXPECT_THAT(asking.hear(), testing::AllOf(HasSubstr("Connection: close"), HasSubstr("GET /begun ")));
  left.get_future().wait();
  EXPECT_EQ(calls_, 3) << "nobody is let in any more";
  boost::asio::post(context_, [&] { server_.reset(); });
  auto next = ControlServer::adopt(
      context_, socket_->descriptor(),
      [](const ControlRequest&, const ControlServer::Reply& reply) { reply({200, "from the next"}); });
  ASSERT_TRUE(next) << next.error();
  EXPECT_THAT(late.hear(), HasSubstr("from the next")) << "the socket stayed, and who came waited";
  stop();
}

TEST_F(ControlServerTest, TakingLeaveItDoesNotWaitForWhoNeverAsks) {
  listen_and_repeat(std::chrono::hours{1});
  const RawClient silent(path());
  EXPECT_TRUE(call_control(path(), "GET", "/")) << "let in after the other";
  std::promise<void> left;
  boost::asio::post(context_, [&] { server_->take_leave([&] { left.set_value(); }); });
  left.get_future().wait();
}

TEST_F(ControlServerTest, WhatIsNoSocketIsNotAdopted) {
  const auto server = ControlServer::adopt(context_, -1, [](const ControlRequest&, const ControlServer::Reply&) {});
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error(), HasSubstr("the control socket"));
}

TEST_F(ControlServerTest, OneConnectionMayAskSeveralTimes) {
  listen_and_repeat();
  RawClient client(path());
  ASSERT_TRUE(client.say("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_THAT(client.hear_until("GET /a "), HasSubstr("200 OK"));
  ASSERT_TRUE(client.say("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(client.hear(), HasSubstr("GET /b "));
}

TEST_F(ControlServerTest, ATargetThatIsNoPathIsTold) {
  listen_and_repeat();
  for (const char* target : {"*", "http://elsewhere/status", "/%zz"}) {
    RawClient client(path());
    ASSERT_TRUE(client.say(std::string("GET ") + target + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_THAT(client.hear(), StartsWith("HTTP/1.1 400")) << target;
  }
  EXPECT_EQ(calls_, 0);
}

TEST_F(ControlServerTest, WhatIsNoHttpIsHungUpOn) {
  listen_and_repeat();
  RawClient client(path());
  client.say("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(client.hear(), IsEmpty());
  EXPECT_EQ(calls_, 0);
}

TEST_F(ControlServerTest, ABodyThatIsTooLargeIsHungUpOn) {
  listen_and_repeat();
  RawClient announced(path());
  announced.say("POST /resync HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  EXPECT_THAT(announced.hear(), IsEmpty());
  RawClient unannounced(path());
  unannounced.say("POST /resync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "1000\r\n" + std::string(0x1000, 'a') + "\r\n";
  for (int i = 0; i < 1000 && unannounced.say(chunk); ++i) {
  }
  EXPECT_THAT(unannounced.hear(), IsEmpty());
  EXPECT_EQ(calls_, 0);
}

TEST_F(ControlServerTest, AHeadThatIsTooLargeIsHungUpOn) {
  listen_and_repeat();
  RawClient client(path());
  client.say("GET /status HTTP/1.1\r\nHost: x\r\n");
  const std::string header = "X-Filler: " + std::string(1000, 'a') + "\r\n";
  for (int i = 0; i < 1000 && client.say(header); ++i) {
  }
  EXPECT_THAT(client.hear(), IsEmpty());
  EXPECT_EQ(calls_, 0);
}

TEST_F(ControlServerTest, AClientThatDawdlesHoldsUpNobodyAndIsHungUpOn) {
  listen_and_repeat(std::chrono::milliseconds{200});
  RawClient slow(path());
  ASSERT_TRUE(slow.say("GET /status HTTP/1.1\r\nHo"));
  const auto answer = call_control(path(), "GET", "/status");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(slow.hear(), IsEmpty()) << "ends when patience does";
  EXPECT_EQ(calls_, 1);
}

TEST_F(ControlServerTest, AnAnswerThatTakesLongerThanPatienceStillComes) {
  std::promise<ControlServer::Reply> asked;
  listen([&](const ControlRequest&, ControlServer::Reply reply) { asked.set_value(std::move(reply)); },
         std::chrono::milliseconds{50});
  RawClient client(path());
  ASSERT_TRUE(client.say("GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  ControlServer::Reply reply = asked.get_future().get();
  // Another client's patience runs out: so would this one's have.
  EXPECT_THAT(RawClient(path()).hear(), IsEmpty());
  boost::asio::post(context_, [reply = std::move(reply)] { reply({200, "late"}); });
  EXPECT_THAT(client.hear(), HasSubstr("late"));
}

TEST_F(ControlServerTest, AnAnswerForAClientThatIsGoneIsDropped) {
  std::promise<ControlServer::Reply> asked;
  std::atomic<int> calls = 0;
  listen([&](const ControlRequest&, ControlServer::Reply reply) {
    if (++calls == 1)
      asked.set_value(std::move(reply));
    else
      reply({200, "well"});
  });
  {
    RawClient client(path());
    ASSERT_TRUE(client.say("GET /status HTTP/1.1\r\nHost: x\r\n\r\n"));
    ControlServer::Reply reply = asked.get_future().get();
    boost::asio::post(context_, [reply = std::move(reply)] { reply({200, std::string(10'000'000, 'x')}); });
  }
  const auto answer = call_control(path(), "GET", "/status");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "well");
}

TEST_F(ControlServerTest, ASocketFileThatWasLeftBehindIsReplaced) {
  ::close(listen_beforehand());
  ASSERT_TRUE(std::filesystem::exists(path()));
  listen_and_repeat();
  EXPECT_TRUE(call_control(path(), "GET", "/"));
  stop();
  EXPECT_FALSE(std::filesystem::exists(path())) << "gone with its server";
}

TEST_F(ControlServerTest, WhereSomebodyListensNobodyElseMay) {
  listen_and_repeat();
  const auto second = ListeningSocket::open(path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("another daemon listens on " + path()));
  EXPECT_TRUE(call_control(path(), "GET", "/")) << "the first goes on";
}

TEST_F(ControlServerTest, ADaemonThatHangsWithItsQueueFullListensToo) {
  const int listener = listen_beforehand();
  ASSERT_EQ(::listen(listener, 0), 0);
  const RawClient waiting(path());  // the one that a queue of none has room for
  EXPECT_THAT(daemon::socket_path_taken(path()), HasSubstr("another daemon listens"));
  ::close(listener);
}

TEST_F(ControlServerTest, AFileThatIsNoSocketIsLeftAlone) {
  write_file(path(), "somebody's notes");
  const auto opened = ListeningSocket::open(path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("is no socket"));
  EXPECT_EQ(read_file(path()), "somebody's notes");
}

TEST_F(ControlServerTest, AtItsEndTheSocketOfAnotherStays) {
  listen_and_repeat();
  std::filesystem::remove(path());
  const int another = listen_beforehand();
  stop();
  EXPECT_THAT(socket_path_taken(path()), HasSubstr("another daemon listens"));
  ::close(another);
}

TEST_F(ControlServerTest, APathThatCannotBeIsToldWithItsReason) {
  const std::string missing = (folder_.path() / "missing" / "control.sock").string();
  auto opened = ListeningSocket::open(missing);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr(missing));
  opened = ListeningSocket::open("/tmp/" + std::string(200, 'a'));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("longer"));
}

TEST_F(ControlServerTest, TheGroupMayOpenTheSocketWhateverTheUmaskTakes) {
  const mode_t before = ::umask(0077);
  const auto opened = ListeningSocket::open(path());
  ::umask(before);
  ASSERT_TRUE(opened) << opened.error();
  struct stat file{};
  ASSERT_EQ(::stat(path().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0660u);
}

TEST_F(ControlServerTest, ADaemonThatHangsIsGivenUp) {
  const int listener = listen_beforehand();
  const auto asked = call_control(path(), "GET", "/status", "", std::chrono::milliseconds{20});
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().why, NoAnswer::Why::silent);
  EXPECT_EQ(asked.error().message, "the daemon on " + path() + " has said nothing for 1 s");
  const auto wanted = call_control(path(), "POST", "/resync", "{}", std::chrono::milliseconds{20});
  ASSERT_FALSE(wanted);
  EXPECT_THAT(wanted.error().message, HasSubstr("whether it has done it, or is still about to, is not known"));
  ::close(listener);
}

TEST_F(ControlServerTest, ADaemonThatHangsWithItsQueueFullIsGivenUpToo) {
  const int listener = listen_beforehand();
  ASSERT_EQ(::listen(listener, 0), 0);
  const RawClient waiting(path());
  const auto asked = call_control(path(), "GET", "/status", "", std::chrono::milliseconds{20});
  ::close(listener);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().why, NoAnswer::Why::silent);
}

TEST_F(ControlServerTest, WhoHangsUpWithoutAnAnswerIsNoNobody) {
  listen([](const ControlRequest&, const ControlServer::Reply&) {});  // whoever drops the reply hangs up
  const auto asked = call_control(path(), "GET", "/status");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().why, NoAnswer::Why::cut_off);
  EXPECT_THAT(asked.error().message, StartsWith("no answer from " + path()));
}

TEST_F(ControlServerTest, WhereNobodyListensTheCallerIsTold) {
  const auto answer = call_control(path(), "GET", "/status");
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("no daemon answers"));
}

}  // namespace
}  // namespace remitod::test
