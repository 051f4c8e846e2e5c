// What a profile's [transport] and [auth] ask of libcurl.
#include "tests/carriers/transport_fixture.h"
#include "tests/support/paths.h"

namespace remitod::carriers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

class CurlOptionsTest : public CurlTransportTest {
 protected:
  /// Another server than the test's own, by another port.
  ScriptedServer elsewhere_{[](auto&) { return ScriptedAnswer::ok("elsewhere"); }};
};

ScriptedAnswer redirect(const std::string& target, int status = 302) {
  return ScriptedAnswer::status(status, "moved", "Location: " + target + "\r\n");
}

TEST_F(CurlOptionsTest, DigestAuthenticationAnswersTheChallengeAndNeverSendsThePassword) {
  options->basic_user = "user";
  options->basic_password = "hush-hush";
  options->digest = true;
  ScriptedServer server([](const ReceivedRequest& request) {
    if (request.header("Authorization")) return ScriptedAnswer::ok("in");
    return ScriptedAnswer::status(401, "who?", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n");
  });
  const FetchResult result = fetch(post(server.url("/t"), "<ask/>"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->body, "in");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].body, "") << "the question goes to nobody who has not been told who asks";
  EXPECT_EQ(requests[1].body, "<ask/>");
  EXPECT_THAT(requests[1].header("Authorization").value_or(""), StartsWith("Digest username=\"user\""));
  EXPECT_THAT(requests[1].head, Not(HasSubstr("hush")));
  for (const std::string target : {"/u", "/v"}) {
    ASSERT_TRUE(fetch(post(server.url(target), "")));
    EXPECT_THAT(server.requests().back().header("Authorization").value_or(""), HasSubstr("uri=\"" + target + "\""));
  }
}

TEST_F(CurlOptionsTest, ARedirectIsFollowedOnTheSameHostWhereTheProfileAllowsIt) {
  options->redirects_max = 1;
  ScriptedServer server([](const ReceivedRequest& request) {
    return request.target().starts_with("/old") ? redirect("/new?x=1")
                                                : ScriptedAnswer::ok("here: " + request.target());
  });
  HttpRequest request = get(server.url("/old"));
  request.headers = {"X-Key: k"};
  const FetchResult result = fetch(request);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->body, "here: /new?x=1");
  EXPECT_EQ(server.requests().back().header("X-Key"), "k");
  for (const std::string target : {"/old/2", "/old/3"})
    EXPECT_EQ(fetch(get(server.url(target)))->body, "here: /new?x=1");
}

TEST_F(CurlOptionsTest, EachRequestOfTheSameUrlBeginsThereAnewAfterARedirect) {
  options->redirects_max = 1;
  ScriptedServer server([&](const ReceivedRequest& request) {
    if (request.target() == "/away") return redirect(elsewhere_.url("/x"));
    return request.target() == "/old" ? redirect("/new") : ScriptedAnswer::ok("here: " + request.target());
  });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fetch(get(server.url("/old")))->body, "here: /new");
  EXPECT_EQ(server.requests().size(), 8u);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(fetch_error(get(server.url("/away"))).message, HasSubstr("another host"));
  EXPECT_EQ(elsewhere_.requests().size(), 0u);
}

TEST_F(CurlOptionsTest, NothingIsSentToAnotherHost) {
  options->redirects_max = 3;
  ScriptedServer server([&](auto&) { return redirect(elsewhere_.url("/x?token=1")); });
  const FetchError error = fetch_error(get(server.url()));
  EXPECT_THAT(error, HasKind(FetchError::Kind::refused));
  EXPECT_THAT(error.message, HasSubstr("another host"));
  EXPECT_FALSE(error.provably_unsent);
  EXPECT_EQ(elsewhere_.requests().size(), 0u);
  // The handle is as good as before.
  EXPECT_TRUE(fetch(get(elsewhere_.url())));
}

TEST_F(CurlOptionsTest, RedirectsAreCounted) {
  options->redirects_max = 2;
  ScriptedServer server([](const ReceivedRequest& request) { return redirect(request.target() + "x"); });
  EXPECT_THAT(fetch_error(get(server.url("/"))), HasKind(FetchError::Kind::refused));
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(CurlOptionsTest, ACreateIsNeverRedirected) {
  options->redirects_max = 3;
  ScriptedServer server([](auto&) { return redirect("/again", 307); });
  HttpRequest request = post(server.url(), "{}");
  request.fresh_connection = true;
  EXPECT_THAT(fetch_error(request), HasKind(FetchError::Kind::refused));
  EXPECT_EQ(server.requests().size(), 1u);
  // Whatever else then goes over the same handle is.
  EXPECT_THAT(fetch_error(post(server.url(), "{}")), HasKind(FetchError::Kind::refused));
  EXPECT_EQ(server.requests().size(), 1u + 4u);
}

TEST_F(CurlOptionsTest, TheHeadersThatAProfileReadsComeWithTheAnswer) {
  options->kept_headers = {"Set-Cookie", "X-Token", "X-None"};
  ScriptedServer server([](auto&) {
    return ScriptedAnswer::ok("", "set-cookie: a=1; Path=/\r\nX-TOKEN:  t \r\nSet-Cookie: b=2\r\nX-Other: o\r\n");
  });
  const FetchResult result = fetch(get(server.url()));
  ASSERT_TRUE(result);
  EXPECT_THAT(result->headers,
              ElementsAre(Pair("Set-Cookie", "a=1; Path=/"), Pair("Set-Cookie", "b=2"), Pair("X-Token", "t")));
}

TEST_F(CurlOptionsTest, AProxyIsUsedWhereTheProfileNamesOne) {
  ScriptedServer proxy([](const ReceivedRequest& request) { return ScriptedAnswer::ok("for " + request.target()); });
  options->proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  for (const std::string url : {"http://carrier.invalid/t", "http://carrier.invalid/u", "http://carrier.invalid/v"}) {
    const FetchResult result = fetch(get(url));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->body, "for " + url);
  }
}

TEST_F(CurlOptionsTest, RequestsLeaveFromTheAddressThatTheProfileStates) {
  options->source_address = "127.0.0.1";
  EXPECT_TRUE(fetch(get(elsewhere_.url())));
  options = plain_http();
  options->source_address = "192.0.2.1";  // of nobody, and so not of this machine
  const FetchError error = fetch_error(get(elsewhere_.url()));
  EXPECT_TRUE(error.provably_unsent) << error.message;
  EXPECT_EQ(elsewhere_.requests().size(), 1u);
}

TEST_F(CurlOptionsTest, ARequestMayHaveAShorterDeadlineThanItsCarrier) {
  ScriptedServer server(
      [](auto&) { return ScriptedAnswer{.bytes = {}, .again = {}, .drip = {}, .then = ScriptedAnswer::Then::hang}; });
  HttpRequest request = get(server.url());
  request.timeout = 200ms;
  EXPECT_THAT(fetch_error(request), HasKind(FetchError::Kind::timeout));
}

class CurlIdentityTest : public CurlTransportTest {
 protected:
  CurlIdentityTest() {
    test::write_file(folder_.path() / "ca.pem", server_.certificate_pem);
    test::write_file(folder_.path() / "client.pem", client_.certificate_pem);
    test::write_file(folder_.path() / "client.key", client_.key_pem);
    test::write_file(folder_.path() / "both.pem", client_.certificate_pem + client_.key_pem);
    options->ca_file = (folder_.path() / "ca.pem").string();
  }
  std::string file(const char* name) const { return (folder_.path() / name).string(); }

  static constexpr std::chrono::seconds day = 24h;
  test::TlsIdentity server_ = test::TlsIdentity::make("127.0.0.1", -day, day);
  test::TlsIdentity client_ = test::TlsIdentity::make("client.example", -day, day);
  test::TemporaryFolder folder_;
  // With TLS 1.3 a client learns only after its request that it was not let in.
  ScriptedServer wants_us_{[](auto&) { return ScriptedAnswer::ok("come in"); },
                           test::TlsSetting{server_, "1.2", client_.certificate_pem}};
};

TEST_F(CurlIdentityTest, AClientCertificateIsShownWithItsKey) {
  options->client_certificate = file("client.pem");
  options->client_key = file("client.key");
  const FetchResult result = fetch(get(wants_us_.url()));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->body, "come in");
}

TEST_F(CurlIdentityTest, CertificateAndKeyMayStandInOneFile) {
  options->client_certificate = file("both.pem");
  EXPECT_TRUE(fetch(get(wants_us_.url())));
}

TEST_F(CurlIdentityTest, WithoutOneTheCarrierDoesNotLetUsIn) {
  EXPECT_TRUE(fetch_error(get(wants_us_.url())).provably_unsent);
}

TEST_F(CurlIdentityTest, AKeyThatIsNotThereIsAnErrorOfTls) {
  options->client_certificate = file("client.pem");
  options->client_key = file("none.key");
  EXPECT_THAT(fetch_error(get(wants_us_.url())), HasKind(FetchError::Kind::tls));
}

TEST_F(CurlIdentityTest, CiphersAreThoseOfTheProfile) {
  options->client_certificate = file("both.pem");
  options->ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  EXPECT_TRUE(fetch(get(wants_us_.url())));
  options = std::make_shared<TransportOptions>(*options);
  options->ciphers = "ECDHE-RSA-AES256-GCM-SHA384";  // the server has no such key
  EXPECT_THAT(fetch_error(get(wants_us_.url())), HasKind(FetchError::Kind::tls));
}

}  // namespace
}  // namespace remitod::carriers
