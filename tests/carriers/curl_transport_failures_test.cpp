// What can go wrong between us and a carrier: which error it is, what it may cost, and whether the request can have
// left.
#include <netdb.h>

#include <dlfcn.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "tests/carriers/transport_fixture.h"
#include "tests/support/paths.h"

namespace {

/// Name look-ups of this process that wait until they are let go.
struct HangingLookups {
  std::mutex mutex;
  std::condition_variable changed;
  bool hanging = true;
};
HangingLookups& hanging_lookups() {
  static HangingLookups lookups;
  return lookups;
}

}  // namespace

// Stands before libc's: no test may depend on the name server of the machine it runs on.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  const std::string_view name = host ? host : "";
  if (name == "dead.test") return EAI_NONAME;
  if (name == "hanging.test") {
    HangingLookups& lookups = hanging_lookups();
    std::unique_lock lock(lookups.mutex);
    lookups.changed.wait(lock, [&] { return !lookups.hanging; });
    return EAI_AGAIN;
  }
  static const auto libc = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return libc(host, service, hints, found);
}

namespace remitod::carriers {
namespace {

using testing::HasSubstr;
using testing::Not;
using Then = ScriptedAnswer::Then;

class CurlTransportFailures : public CurlTransportTest {
 protected:
  static ScriptedAnswer never_answer(const ReceivedRequest&) {
    return {.bytes = {}, .again = {}, .drip = {}, .then = Then::hang};
  }
  std::string url_of(int port, std::string_view scheme = "http") const {
    return std::string{scheme} + "://127.0.0.1:" + std::to_string(port) + "/";
  }
};

// ---------------------------------------------------------------- too much

TEST_F(CurlTransportFailures, AnnouncedTenGigabytesAreRefusedUnread) {
  options->total_timeout = 5s;
  ScriptedServer server([](auto&) {
    return ScriptedAnswer{
        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", .again = {}, .drip = {}, .then = Then::hang};
  });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::too_large)) << "waited for a body";
  EXPECT_FALSE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, EndlessChunkedBodyEndsAtTheCap) {
  options->body_bytes_max = 1'000'000;
  ScriptedServer server([](auto&) {
    return ScriptedAnswer{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                          .again = "1000\r\n" + std::string(0x1000, 'x') + "\r\n"};
  });
  EXPECT_THAT(fetch_error(get(server.url())), HasKind(FetchError::Kind::too_large));
}

TEST_F(CurlTransportFailures, CapCountsDecodedBytes) {
  options->body_bytes_max = 1'000'000;
  const std::string bomb = gzip(std::string(50u << 20, '0'));
  ASSERT_LT(bomb.size(), options->body_bytes_max) << "or the announced length would do";
  ScriptedServer server([&](auto&) { return ScriptedAnswer::ok(bomb, "Content-Encoding: gzip\r\n"); });
  EXPECT_THAT(fetch_error(get(server.url())), HasKind(FetchError::Kind::too_large));
}

TEST_F(CurlTransportFailures, BodyOfExactlyTheCapIsTaken) {
  options->body_bytes_max = 100'000;
  ScriptedServer server([](const ReceivedRequest& request) {
    return ScriptedAnswer::ok(std::string(request.target() == "/cap" ? 100'000 : 100'001, 'x'));
  });
  EXPECT_TRUE(fetch(get(server.url("/cap"))));
  EXPECT_THAT(fetch_error(get(server.url("/more"))), HasKind(FetchError::Kind::too_large));
}

// ---------------------------------------------------------------- too slow

TEST_F(CurlTransportFailures, TotalDeadlineEndsASlowDrip) {
  options->total_timeout = 300ms;
  ScriptedServer server([](auto&) {
    ScriptedAnswer answer = ScriptedAnswer::ok(std::string(100'000, 'x'));
    answer.drip = 5ms;
    return answer;
  });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_FALSE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, TransferThatIsTooSlowForTooLongEnds) {
  options->low_speed_bytes = 1'000;
  options->low_speed_time = 1s;
  ScriptedServer server([](auto&) {
    ScriptedAnswer answer = ScriptedAnswer::ok(std::string(100'000, 'x'));
    answer.drip = 20ms;
    return answer;
  });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_THAT(error.message, HasSubstr("too slow"));
}

TEST_F(CurlTransportFailures, ACallThatMustNotBeRepeatedIsWaitedForUntilItsDeadline) {
  options->low_speed_time = 1s;
  options->total_timeout = 3s;
  ScriptedServer server(never_answer);
  EXPECT_THAT(fetch_error(post(server.url(), "where is it?")).message, HasSubstr("too slow"));
  HttpRequest create = post(server.url(), "create");
  create.fresh_connection = true;
  const FetchError error = fetch_error(std::move(create));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_THAT(error.message, Not(HasSubstr("too slow")));
}

TEST_F(CurlTransportFailures, RequestThatWasWrittenAndNeverAnsweredIsNotCalledUnsent) {
  options->total_timeout = 300ms;
  ScriptedServer server(never_answer);
  const FetchError error = fetch_error(post(server.url(), "create"));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_FALSE(error.provably_unsent);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(CurlTransportFailures, ConnectThatTakesTooLongIsProvablyUnsent) {
  options->connect_timeout = 300ms;
  const test::UnansweringPort unanswering;
  const FetchError error = fetch_error(get(url_of(unanswering.port())));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_TRUE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, TotalDeadlineDuringConnectIsProvablyUnsent) {
  options->total_timeout = 300ms;
  const test::UnansweringPort unanswering;
  const FetchError error = fetch_error(get(url_of(unanswering.port())));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_TRUE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, TlsHandshakeThatTakesTooLongIsProvablyUnsent) {
  options->connect_timeout = 300ms;
  ScriptedServer says_nothing(never_answer);  // speaks no TLS and waits for the end of a head
  const FetchError error = fetch_error(get(url_of(says_nothing.port(), "https")));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_TRUE(error.provably_unsent);
  EXPECT_EQ(says_nothing.connections(), 1U);
}

TEST_F(CurlTransportFailures, DeadlineCountsTheWaitForATurn) {
  transport = std::make_unique<CurlTransport>(deciding.post(), CurlTransport::Options{.in_flight_max = 1});
  ScriptedServer server(never_answer);
  transport->submit(get(server.url("/first")), [](const FetchResult&) {});
  ASSERT_TRUE(server.wait_for_requests(1));
  options = plain_http();
  options->total_timeout = 100ms;
  const FetchError error = fetch_error(get(server.url("/second")));
  EXPECT_THAT(error, HasKind(FetchError::Kind::timeout));
  EXPECT_TRUE(error.provably_unsent);
  EXPECT_EQ(server.requests().size(), 1U);
}

// ---------------------------------------------------------------- not there

TEST_F(CurlTransportFailures, RefusedConnectionIsProvablyUnsent) {
  const FetchError error = fetch_error(get(url_of(test::closed_port())));
  EXPECT_THAT(error, HasKind(FetchError::Kind::connect));
  EXPECT_TRUE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, UnknownHostIsProvablyUnsent) {
  const FetchError error = fetch_error(get("http://dead.test/"));
  EXPECT_THAT(error, HasKind(FetchError::Kind::resolve));
  EXPECT_TRUE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, NameServerThatHangsDelaysNobodyElseAndNotTheStop) {
  ScriptedServer server([](auto&) { return ScriptedAnswer::ok("there"); });
  std::vector<FetchError> errors;
  const auto keep_error = [&](FetchResult result) { errors.push_back(result.error()); };
  transport->submit(get("http://hanging.test/"), keep_error);
  options = plain_http();
  options->total_timeout = 300ms;
  const FetchError late = fetch_error(get("http://hanging.test/"));
  EXPECT_THAT(late, HasKind(FetchError::Kind::timeout));
  EXPECT_TRUE(late.provably_unsent);
  EXPECT_TRUE(fetch(get(server.url())));
  transport.reset();
  ASSERT_TRUE(deciding.run_until([&] { return errors.size() == 1; }));
  EXPECT_THAT(errors[0], HasKind(FetchError::Kind::stopped));
  EXPECT_TRUE(errors[0].provably_unsent);
  HangingLookups& lookups = hanging_lookups();
  const std::scoped_lock lock(lookups.mutex);
  lookups.hanging = false;
  lookups.changed.notify_all();
}

// ---------------------------------------------------------------- broken off

TEST_F(CurlTransportFailures, ResetInTheMiddleOfTheBodyIsAnError) {
  ScriptedServer server([](auto&) {
    return ScriptedAnswer{
        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", .again = {}, .drip = {}, .then = Then::reset};
  });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::transport));
  EXPECT_FALSE(error.provably_unsent);
}

TEST_F(CurlTransportFailures, BodyShorterThanAnnouncedIsAnError) {
  ScriptedServer server([](auto&) {
    return ScriptedAnswer{
        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", .again = {}, .drip = {}, .then = Then::close};
  });
  EXPECT_THAT(fetch_error(get(server.url())), HasKind(FetchError::Kind::transport));
}

TEST_F(CurlTransportFailures, AnswerThatIsNotHttpIsAnErrorWhoseTextIsFitForALog) {
  ScriptedServer server([](auto&) {
    return ScriptedAnswer{.bytes = "\x1b[31m220 ftp\r\n", .again = {}, .drip = {}, .then = Then::close};
  });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::transport));
  EXPECT_FALSE(error.provably_unsent);
  EXPECT_FALSE(error.message.empty());
  EXPECT_TRUE(std::ranges::none_of(error.message, [](unsigned char c) { return c < 0x20; }));
}

TEST_F(CurlTransportFailures, AfterAnErrorTheNextRequestIsUntouchedByIt) {
  ScriptedServer server([](const ReceivedRequest& request) {
    if (request.target() == "/good") return ScriptedAnswer::ok("whole");
    return ScriptedAnswer{
        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", .again = {}, .drip = {}, .then = Then::close};
  });
  fetch_error(get(server.url("/bad")));
  const FetchResult result = fetch(get(server.url("/good")));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->body, "whole");
}

// ---------------------------------------------------------------- our own rules

TEST_F(CurlTransportFailures, RequestsThatBreakOurRulesAreRefusedBeforeAnythingIsSent) {
  ScriptedServer server([](auto&) { return ScriptedAnswer::ok(""); });
  std::vector<HttpRequest> requests;
  for (const std::string& url :
       {std::string{"ftp://127.0.0.1/"}, std::string{"file:///etc/passwd"}, std::string{"http://[bad"}, std::string{},
        server.url("/a b"), server.url("/a\r\nX: 1"), server.url(std::string_view{"/a\0b", 4})})
    requests.push_back(get(url));
  for (const std::string& header : {std::string{"X: 1\r\nY: 2"}, std::string{"no colon"}, std::string{"X: a\0b", 6}}) {
    requests.push_back(get(server.url()));
    requests.back().headers = {header};
  }
  for (const char* method : {"", "HEAD", "get", "GET / HTTP/1.1\r\nX:"}) {
    requests.push_back(get(server.url()));
    requests.back().method = method;
  }
  for (HttpRequest& request : requests) {
    const std::string what = request.method + " " + request.url;
    const FetchError error = fetch_error(std::move(request));
    EXPECT_THAT(error, HasKind(FetchError::Kind::refused)) << what;
    EXPECT_TRUE(error.provably_unsent) << what;
    EXPECT_FALSE(error.message.empty()) << what;
  }
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(CurlTransportFailures, PlainHttpIsRefusedUnlessTheProfileAllowsIt) {
  options->http_allowed = false;
  ScriptedServer server([](auto&) { return ScriptedAnswer::ok(""); });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::refused));
  EXPECT_TRUE(error.provably_unsent);
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(CurlTransportFailures, RedirectIsNotFollowedAndNamed) {
  ScriptedServer server([](auto&) { return ScriptedAnswer::status(302, "", "Location: /elsewhere\r\n"); });
  const FetchError error = fetch_error(post(server.url("/here"), "create"));
  EXPECT_THAT(error, HasKind(FetchError::Kind::refused));
  EXPECT_THAT(error.message, HasSubstr("/elsewhere"));
  EXPECT_FALSE(error.provably_unsent) << "the carrier has it";
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(CurlTransportFailures, ARedirectIsNamedAsTheCarrierNamesIt) {
  ScriptedServer server([](auto&) { return ScriptedAnswer::status(302, "", "Location: login?from=here\r\n"); });
  for (const char* target : {"/api/1", "/api/2", "/api/3"})
    EXPECT_THAT(fetch_error(get(server.url(target))).message, testing::EndsWith(": login?from=here"));
}

// ---------------------------------------------------------------- TLS

class CurlTransportTls : public CurlTransportFailures {
 protected:
  static constexpr std::chrono::seconds a_day = 24h;

  /// Trusted by `options` beside the system's CAs.
  test::TlsSetting trusted(const test::TlsIdentity& identity, std::string version_max = "1.3") {
    const auto file = folder.path() / "ca.pem";
    test::write_file(file, identity.certificate_pem);
    options->ca_file = file.string();
    options->http_allowed = false;
    return {identity, std::move(version_max)};
  }
  static ScriptedAnswer greet(const ReceivedRequest&) { return ScriptedAnswer::ok("over TLS"); }
  void expect_refused_handshake(const ScriptedServer& server) {
    const FetchError error = fetch_error(get(server.url()));
    EXPECT_THAT(error, HasKind(FetchError::Kind::tls));
    EXPECT_TRUE(error.provably_unsent);
    EXPECT_TRUE(server.requests().empty());
  }
  test::TemporaryFolder folder;
};

TEST_F(CurlTransportTls, CertificateOfAnExtraCaIsTrusted) {
  ScriptedServer server(greet, trusted(test::TlsIdentity::make("127.0.0.1", -a_day, a_day)));
  const FetchResult result = fetch(get(server.url()));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->body, "over TLS");
}

TEST_F(CurlTransportTls, SelfSignedCertificateIsRefused) {
  ScriptedServer server(greet, test::TlsSetting{test::TlsIdentity::make("127.0.0.1", -a_day, a_day)});
  expect_refused_handshake(server);
}

TEST_F(CurlTransportTls, CertificateOfAnotherHostIsRefused) {
  ScriptedServer server(greet, trusted(test::TlsIdentity::make("another.test", -a_day, a_day)));
  expect_refused_handshake(server);
}

TEST_F(CurlTransportTls, ExpiredCertificateIsRefused) {
  ScriptedServer server(greet, trusted(test::TlsIdentity::make("127.0.0.1", -2 * a_day, -a_day)));
  expect_refused_handshake(server);
}

TEST_F(CurlTransportTls, CaFileThatIsNotThereIsAnErrorOfTls) {
  options->ca_file = (folder.path() / "missing.pem").string();
  ScriptedServer server(greet, test::TlsSetting{test::TlsIdentity::make("127.0.0.1", -a_day, a_day)});
  expect_refused_handshake(server);
}

TEST_F(CurlTransportTls, OldTlsIsRefusedUnlessTheProfileLowersTheFloor) {
  const auto setting = trusted(test::TlsIdentity::make("127.0.0.1", -a_day, a_day), "1.1");
  ScriptedServer server(greet, setting);
  expect_refused_handshake(server);
  auto lowered = std::make_shared<TransportOptions>(*options);
  lowered->tls_min = "1.0";
  options = lowered;
  const FetchResult result = fetch(get(server.url()));
  EXPECT_TRUE(result) << result.error().message;
}

TEST_F(CurlTransportTls, RaisedFloorRefusesTls12) {
  const auto setting = trusted(test::TlsIdentity::make("127.0.0.1", -a_day, a_day), "1.2");
  options->tls_min = "1.3";
  ScriptedServer server(greet, setting);
  expect_refused_handshake(server);
}

TEST_F(CurlTransportTls, PeerThatHangsUpDuringAnUploadIsAnErrorAndNoMore) {
  const auto setting = trusted(test::TlsIdentity::make("127.0.0.1", -a_day, a_day));
  ScriptedServer server([](auto&) { return ScriptedAnswer{.bytes = {}, .again = {}, .drip = {}, .then = Then::close}; },
                        setting);
  HttpRequest upload = post(server.url(), std::string(8u << 20, 'x'));
  upload.headers = {"Content-Length: 0"};
  const FetchError error = fetch_error(std::move(upload));
  EXPECT_THAT(error, HasKind(FetchError::Kind::transport));
  EXPECT_FALSE(error.provably_unsent);
}

}  // namespace
}  // namespace remitod::carriers
