// What a request looks like on the wire, what comes back, and how connections and threads are used.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <set>
#include <thread>
#include <vector>

#include "tests/carriers/transport_fixture.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

ScriptedAnswer echo_target(const ReceivedRequest& request) {
  return ScriptedAnswer::ok(request.target());
}

std::string http_date(std::time_t when) {
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

TEST_F(CurlTransportTest, AnswerHasStatusTypeBodyAndTime) {
  ScriptedServer server([](auto&) {
    return ScriptedAnswer::status(404, "no est\xe1", "Content-Type: text/plain; charset=ISO-8859-1\r\n");
  });
  const FetchResult result = fetch(get(server.url("/guia/1")));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, 404);
  EXPECT_EQ(result->content_type, "text/plain; charset=ISO-8859-1");
  EXPECT_EQ(result->body, "no est\xe1");
  EXPECT_FALSE(result->retry_after);
  EXPECT_GT(result->elapsed, 0us);
}

TEST_F(CurlTransportTest, FingerprintIsEqualExactlyForEqualBodies) {
  ScriptedServer server(echo_target);
  const auto first = fetch(get(server.url("/a")));
  const auto again = fetch(get(server.url("/a")));
  const auto other = fetch(get(server.url("/b")));
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(first->fingerprint, again->fingerprint);
  EXPECT_NE(first->fingerprint, other->fingerprint);
}

TEST_F(CurlTransportTest, EachMethodArrivesAsItselfOnOneReusedHandle) {
  ScriptedServer server(echo_target);
  const auto send = [&](std::string method, std::string body) {
    HttpRequest request = get(server.url());
    request.method = std::move(method);
    request.body = std::move(body);
    ASSERT_TRUE(fetch(std::move(request)));
  };
  for (const auto& [method, body] : std::vector<std::pair<std::string, std::string>>{{"GET", ""},
                                                                                     {"POST", "one"},
                                                                                     {"GET", ""},
                                                                                     {"PUT", "two"},
                                                                                     {"DELETE", ""},
                                                                                     {"DELETE", "three"},
                                                                                     {"POST", ""},
                                                                                     {"PATCH", "four"},
                                                                                     {"GET", "five"},
                                                                                     {"GET", ""}})
    send(method, body);
  std::vector<std::string> seen;
  for (const ReceivedRequest& request : server.requests()) seen.push_back(request.method() + ":" + request.body);
  EXPECT_THAT(seen, ElementsAre("GET:", "POST:one", "GET:", "PUT:two", "DELETE:", "DELETE:three", "POST:", "PATCH:four",
                                "GET:five", "GET:"));
  EXPECT_EQ(server.requests()[6].header("Content-Length"), "0");
}

TEST_F(CurlTransportTest, EachRequestGoesWhereItSaysHoweverOftenTheLastOnesUrlWasAsked) {
  ScriptedServer server(echo_target);
  ScriptedServer other([](const ReceivedRequest& request) { return ScriptedAnswer::ok("other " + request.target()); });
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(get(server.url("/a/../t?x=%20&y")))->body, "/t?x=%20&y");
    EXPECT_EQ(fetch(get(server.url("/b")))->body, "/b");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(get(other.url("/a")))->body, "other /a");
  }
  for (int i = 0; i < 3; ++i) EXPECT_THAT(fetch_error(get("http://127.0.0.1:port/")).message, HasSubstr("illegal"));
  EXPECT_EQ(fetch(get(server.url("/c")))->body, "/c");
}

TEST_F(CurlTransportTest, WhatIsAskedDoesNotDependOnWhatWasAskedBefore) {
  ScriptedServer server(echo_target);
  ScriptedServer other([](const ReceivedRequest& request) { return ScriptedAnswer::ok("other " + request.target()); });
  const std::string with_user = "http://u:p@127.0.0.1:" + std::to_string(server.port()) + "/9?q";
  const std::vector<std::string> urls{server.url("/1"),      server.url("/2?x=%20&y=a/b"),
                                      server.url("/"),       server.url(),
                                      server.url("/3#part"), server.url("/4"),
                                      server.url("/5/../6"), server.url("/%2e%2e/7"),
                                      other.url("/8"),       server.url("?x"),
                                      server.url("/a"),      with_user,
                                      server.url("/a b"),    server.url("/b"),
                                      server.url("/c?#x"),   server.url("/c?"),
                                      server.url("/d?"),     server.url("//x")};
  const auto in_words = [](const FetchResult& result) { return result ? result->body : result.error().message; };
  for (int round = 0; round < 3; ++round) {
    for (const std::string& url : urls) {
      auto used = std::exchange(transport, std::make_unique<CurlTransport>(deciding.post()));
      const std::string first = in_words(fetch(get(url)));
      transport = std::move(used);
      EXPECT_EQ(in_words(fetch(get(url))), first) << url;
    }
  }
}

TEST_F(CurlTransportTest, HeadersAreThoseOfTheRequestAlone) {
  ScriptedServer server(echo_target);
  HttpRequest first = post(server.url(), "<a/>");
  first.headers = {"Content-Type: text/xml; charset=utf-8", "SOAPAction: \"track\""};
  HttpRequest second = post(server.url(), std::string(2'000, 'x'));
  second.headers = {"X-Key: 42"};
  ASSERT_TRUE(fetch(std::move(first)));
  ASSERT_TRUE(fetch(std::move(second)));
  ASSERT_TRUE(fetch(get(server.url())));
  const auto requests = server.requests();
  EXPECT_EQ(requests[0].header("content-type"), "text/xml; charset=utf-8");
  EXPECT_EQ(requests[0].header("SOAPAction"), "\"track\"");
  EXPECT_THAT(requests[0].header("User-Agent").value_or(""), StartsWith("remitod/"));
  EXPECT_EQ(requests[1].header("X-Key"), "42");
  EXPECT_EQ(requests[1].header("SOAPAction"), std::nullopt);
  EXPECT_EQ(requests[1].header("Content-Type"), std::nullopt) << "libcurl would call it a form";
  EXPECT_EQ(requests[1].header("Expect"), std::nullopt) << "old servers never answer 100 Continue";
  EXPECT_EQ(requests[2].header("X-Key"), std::nullopt);
}

TEST_F(CurlTransportTest, BasicCredentialsAreSentAtOnceColonsIncluded) {
  options->basic_user = "us:er";
  options->basic_password = "pa:ss";
  ScriptedServer server(echo_target);
  ASSERT_TRUE(fetch(get(server.url())));
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].header("Authorization"), "Basic dXM6ZXI6cGE6c3M=");
}

TEST_F(CurlTransportTest, CookiesAreNotKept) {
  ScriptedServer server([](auto&) { return ScriptedAnswer::ok("", "Set-Cookie: session=1; Path=/\r\n"); });
  ASSERT_TRUE(fetch(get(server.url())));
  ASSERT_TRUE(fetch(get(server.url())));
  EXPECT_EQ(server.requests()[1].header("Cookie"), std::nullopt);
}

TEST_F(CurlTransportTest, ProxyOfTheEnvironmentIsIgnored) {
  const std::string proxy = "http://127.0.0.1:" + std::to_string(test::closed_port());
  for (const char* variable : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"})
    setenv(variable, proxy.c_str(), 1);
  ScriptedServer server(echo_target);
  const FetchResult result = fetch(get(server.url()));
  for (const char* variable : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(variable);
  EXPECT_TRUE(result) << result.error().message;
}

TEST_F(CurlTransportTest, ChunkedAndCompressedBodiesAreDecoded) {
  const std::string text(100'000, 'e');
  ScriptedServer server([&](const ReceivedRequest& request) {
    if (request.target() == "/gzip") return ScriptedAnswer::ok(gzip(text), "Content-Encoding: gzip\r\n");
    return ScriptedAnswer{
        .bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
        .again = {}};
  });
  const auto chunked = fetch(get(server.url("/chunked")));
  const auto zipped = fetch(get(server.url("/gzip")));
  ASSERT_TRUE(chunked && zipped);
  EXPECT_EQ(chunked->body, "abcdefg");
  EXPECT_EQ(zipped->body, text);
  EXPECT_THAT(server.requests()[0].header("Accept-Encoding").value_or(""), HasSubstr("gzip"));
}

TEST_F(CurlTransportTest, WhatIsProbablyKnownIsAskedForCompressedUnlessTheLastAnswerWasSmall) {
  const std::string small(4'096, 's'), large(4'097, 'l');
  ScriptedServer server([&](const ReceivedRequest& request) {
    if (request.target() == "/small") return ScriptedAnswer::ok(small);
    if (request.target() == "/cut")
      return ScriptedAnswer{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
                            .again = {},
                            .drip = {},
                            .then = ScriptedAnswer::Then::reset};
    return ScriptedAnswer::ok(gzip(request.target() == "/large" ? large : small), "Content-Encoding: gzip\r\n");
  });
  const auto asked = [&](const char* target, std::uint64_t fingerprint = 1) {
    HttpRequest request = get(server.url(target));
    request.known.fingerprint = fingerprint;
    const FetchResult result = fetch(std::move(request));
    if (result) {
      EXPECT_EQ(result->body, target == std::string("/large") ? large : small);
    }
    return server.requests().back().header("Accept-Encoding");
  };
  EXPECT_EQ(asked("/small"), "gzip");
  EXPECT_EQ(asked("/large"), std::nullopt);
  EXPECT_EQ(asked("/packed"), "gzip");
  EXPECT_EQ(asked("/packed"), std::nullopt) << "what is compressed unasked is read all the same";
  EXPECT_EQ(asked("/small", 0), "gzip") << "nobody knows how large this one will be";
  EXPECT_EQ(asked("/cut"), std::nullopt);
  EXPECT_EQ(asked("/small"), "gzip") << "it failed, maybe for its size";
  HttpRequest request = get(server.url("/small"));
  request.headers = {"Accept-Encoding: br"};
  ASSERT_TRUE(fetch(request));
  EXPECT_EQ(server.requests().back().header("Accept-Encoding"), "br") << "a profile's own word holds";
}

TEST_F(CurlTransportTest, RetryAfterIsReadAsSecondsAndAsDate) {
  ScriptedServer server([](const ReceivedRequest& request) {
    const std::time_t now = std::time(nullptr);
    std::string value = "120";
    if (request.target() == "/date") value = http_date(now + 3'600);
    if (request.target() == "/past") value = http_date(now - 3'600);
    if (request.target() == "/far") value = "99999999999";
    if (request.target() == "/words") value = "soon";
    return ScriptedAnswer::status(429, "", "Retry-After: " + value + "\r\n");
  });
  const auto ask = [&](const char* path) { return fetch(get(server.url(path))).value().retry_after; };
  EXPECT_EQ(ask("/seconds"), 120s);
  const auto date = ask("/date");
  ASSERT_TRUE(date);
  EXPECT_LE(*date, 3'600s);
  EXPECT_GT(*date, 3'500s);
  EXPECT_EQ(ask("/past").value_or(0s), 0s);
  EXPECT_EQ(ask("/far"), retry_after_max);
  EXPECT_EQ(ask("/words"), std::nullopt);
}

TEST_F(CurlTransportTest, ConnectionIsKeptAlive) {
  ScriptedServer server(echo_target);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(fetch(get(server.url())));
  EXPECT_EQ(server.requests().size(), 20U);
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(CurlTransportTest, ConnectionsPerHostAreBoundedAndNothingIsLost) {
  options->connections_per_host_max = 2;
  ScriptedServer server(echo_target);
  std::size_t done = 0;
  for (int i = 0; i < 50; ++i)
    transport->submit(get(server.url()), [&](FetchResult result) { done += result.has_value(); });
  ASSERT_TRUE(deciding.run_until([&] { return done == 50; }));
  EXPECT_LE(server.connections(), 2U);
}

/// Answers the first request of each connection and drops the connection when a second one has arrived.
ScriptedAnswer drop_when_reused(const ReceivedRequest& request) {
  if (request.number_on_connection == 0) return ScriptedAnswer::ok("first");
  return {.bytes = {}, .again = {}, .drip = {}, .then = ScriptedAnswer::Then::close};
}

std::size_t arrivals(const ScriptedServer& server, std::string_view body) {
  const auto requests = server.requests();
  return static_cast<std::size_t>(std::ranges::count(requests, body, &ReceivedRequest::body));
}

TEST_F(CurlTransportTest, CreateOnAFreshConnectionArrivesOnce) {
  ScriptedServer server(drop_when_reused);
  ASSERT_TRUE(fetch(get(server.url())));  // leaves a connection that would be re-used
  HttpRequest create = post(server.url(), "create");
  create.fresh_connection = true;
  const FetchResult result = fetch(std::move(create));
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(arrivals(server, "create"), 1U);
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(CurlTransportTest, CreateThatIsDroppedUnansweredArrivesOnceAndIsNotCalledUnsent) {
  ScriptedServer server(
      [](auto&) { return ScriptedAnswer{.bytes = {}, .again = {}, .drip = {}, .then = ScriptedAnswer::Then::close}; });
  HttpRequest create = post(server.url(), "create");
  create.fresh_connection = true;
  const FetchError error = fetch_error(std::move(create));
  EXPECT_THAT(error, HasKind(FetchError::Kind::transport));
  EXPECT_FALSE(error.provably_unsent);
  EXPECT_EQ(arrivals(server, "create"), 1U);
}

TEST_F(CurlTransportTest, FreshConnectionIsNotUsedAgain) {
  ScriptedServer server(drop_when_reused);
  HttpRequest create = post(server.url(), "create");
  create.fresh_connection = true;
  ASSERT_TRUE(fetch(std::move(create)));
  ASSERT_TRUE(fetch(post(server.url(), "track")));
  EXPECT_EQ(arrivals(server, "track"), 1U);
  EXPECT_EQ(server.connections(), 2U);
}

// Why there is fresh_connection at all. Should a libcurl stop doing this, the flag could go.
TEST_F(CurlTransportTest, PostOnAReusedConnectionIsSentAgainByLibcurl) {
  ScriptedServer server(drop_when_reused);
  ASSERT_TRUE(fetch(get(server.url())));
  const FetchResult result = fetch(post(server.url(), "plain"));
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(arrivals(server, "plain"), 2U);
}

TEST_F(CurlTransportTest, ThousandConcurrentRequestsComeBackOnceEach) {
  ScriptedServer server(echo_target);
  constexpr int count = 1'000;
  std::vector<int> answered(count, 0);
  int done = 0;
  for (int i = 0; i < count; ++i) {
    const std::string path = "/" + std::to_string(i);
    transport->submit(get(server.url(path)), [&, i, path](FetchResult result) {
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->body, path);
      ++answered[static_cast<std::size_t>(i)];
      ++done;
    });
  }
  ASSERT_TRUE(deciding.run_until([&] { return done == count; }));
  EXPECT_EQ(std::ranges::count(answered, 1), count);
  EXPECT_LE(server.connections(), CurlTransport::Options{}.in_flight_max);
}

TEST_F(CurlTransportTest, CallbacksRunOnTheDecidingThreadAndNeverInsideSubmit) {
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id there;
  bool submitting = true;
  bool inside = false;
  HttpRequest refused_at_once = get("gopher://127.0.0.1/");
  transport->submit(std::move(refused_at_once), [&](const FetchResult&) {
    there = std::this_thread::get_id();
    inside = submitting;
  });
  submitting = false;
  ASSERT_TRUE(deciding.run_until([&] { return there != std::thread::id{}; }));
  EXPECT_EQ(there, here);
  EXPECT_FALSE(inside);
}

TEST_F(CurlTransportTest, SubmissionsOfACallbackAreSent) {
  ScriptedServer server(echo_target);
  std::vector<std::string> bodies;
  std::function<void(int)> ask = [&](int depth) {
    transport->submit(get(server.url("/" + std::to_string(depth))), [&, depth](FetchResult result) {
      bodies.push_back(result.value().body);
      if (depth < 3) ask(depth + 1);
    });
  };
  ask(0);
  ASSERT_TRUE(deciding.run_until([&] { return bodies.size() == 4; }));
  EXPECT_THAT(bodies, ElementsAre("/0", "/1", "/2", "/3"));
}

TEST_F(CurlTransportTest, SubmissionsFromManyThreadsAllComeBack) {
  ScriptedServer server(echo_target);
  std::size_t done = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 50; ++j)
          transport->submit(get(server.url()), [&](FetchResult result) { done += result.has_value(); });
      });
    }
  }
  EXPECT_TRUE(deciding.run_until([&] { return done == 200; }));
}

// OpenSSL writes without MSG_NOSIGNAL: a peer that hung up would end the process. And a handler that wants the main
// thread must not find itself in this one.
TEST_F(CurlTransportTest, TransportsThreadTakesNoSignals) {
  fetch_error(get("gopher://127.0.0.1/"));  // the thread has begun its loop
  std::size_t threads = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == std::to_string(getpid())) continue;
    const std::string status = test::read_file(task.path() / "status");
    const std::uint64_t blocked = std::stoull(status.substr(status.find("SigBlk:") + 7), nullptr, 16);
    for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGCHLD})
      EXPECT_NE(blocked >> (signal - 1) & 1, 0U) << strsignal(signal);
    ++threads;
  }
  EXPECT_GE(threads, 1U);
}

TEST_F(CurlTransportTest, StopAnswersEveryRequestThatIsOut) {
  options->connections_per_host_max = 5;
  ScriptedServer server(
      [](auto&) { return ScriptedAnswer{.bytes = {}, .again = {}, .drip = {}, .then = ScriptedAnswer::Then::hang}; });
  std::vector<FetchError> errors;
  for (int i = 0; i < 20; ++i)
    transport->submit(get(server.url()), [&](FetchResult result) { errors.push_back(result.error()); });
  ASSERT_TRUE(server.wait_for_requests(5));
  transport.reset();
  ASSERT_TRUE(deciding.run_until([&] { return errors.size() == 20; }));
  for (const FetchError& error : errors) EXPECT_THAT(error, HasKind(FetchError::Kind::stopped));
  EXPECT_EQ(std::ranges::count(errors, false, &FetchError::provably_unsent), 5)
      << "those that the server has; the others had not left";
}

TEST_F(CurlTransportTest, TransportMayBeDestroyedByACallback) {
  ScriptedServer server(echo_target);
  std::vector<std::string> seen;
  transport->submit(get(server.url()), [&](const FetchResult& result) {
    seen.push_back(result ? "answer" : std::string{name(result.error().kind)});
    transport->submit(get(server.url()),
                      [&](const FetchResult& late) { seen.push_back(std::string{name(late.error().kind)}); });
    transport.reset();
  });
  ASSERT_TRUE(deciding.run_until([&] { return seen.size() == 2; }));
  EXPECT_THAT(seen, ElementsAre("answer", "stopped"));
}

TEST_F(CurlTransportTest, OptionsOfAReplacedProfileAreLetGo) {
  ScriptedServer server(echo_target);
  const std::weak_ptr<TransportOptions> old = options;
  ASSERT_TRUE(fetch(get(server.url())));
  options = plain_http();
  ASSERT_TRUE(fetch(get(server.url())));
  EXPECT_TRUE(old.expired());
}

}  // namespace
}  // namespace remitod::carriers
