// The HTTP listener of the real daemon: what it tells, who may do what, and what those who mean ill cannot do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"
#include "tests/support/raw_client.h"

namespace remitod::test {
namespace {

using std::chrono::hours;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Web : public testing::Test {
 protected:
  Web() {
    write_file(installation_.folder() / "token", "0123456789abcdef0123\n");
    configure();
  }
  void configure(const std::string& more = "") {
    installation_.configure(
        "[listen]\naddress = \"127.0.0.1:0\"\ntoken = \"file:" + (installation_.folder() / "token").string() + "\"\n" +
        installation_.carrier("oca", carrier_.url(), asked_by_hand_only) + more);
  }
  void start() {
    installation_.start();
    ASSERT_TRUE(eventually([&] { return !address().empty(); })) << installation_.log();
    ASSERT_TRUE(eventually([&] { return get("/readyz").starts_with("HTTP/1.1 200"); })) << get("/readyz");
  }
  /// Where it listens, or listened last.
  std::string address() const {
    static const std::regex listening(R"(listening address=(\S+))");
    const auto lines = installation_.log_lines({"listening address="});
    std::smatch match;
    return !lines.empty() && std::regex_search(lines.back(), match, listening) ? match[1].str() : "";
  }
  std::string call(const std::string& line, const std::string& body = "", const std::string& token = "") const {
    RawClient client(address());
    client.say(line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
               (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.hear();
  }
  std::string get(const std::string& path) const { return call("GET " + path); }
  static nlohmann::json body(const std::string& answer) {
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
  }
  void follow(const std::string& remito) {
    demo::Parcel parcel{remito, {{demo::Step::admitted, installation_.now() - hours{2}, {}}}};
    carrier_.says("<NumeroEnvio>" + remito + "<", ScriptedAnswer::ok(demo::soap_tracking(&parcel), xml_headers));
    installation_.platform().follow("oca", remito, "1001");
    ASSERT_TRUE(eventually([&] { return installation_.carrier_status("oca").at("shipments") != 0; }));
  }
  std::size_t descriptors() {
    const auto folder = "/proc/" + std::to_string(installation_.daemon().pid()) + "/fd";
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
  long resident_kib() {
    std::ifstream status("/proc/" + std::to_string(installation_.daemon().pid()) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    return 0;
  }

  ScriptedCarrier carrier_;
  Installation installation_{{.time_scale = quiet}};
};

TEST_F(Web, TellsHowItIs) {
  start();
  EXPECT_THAT(get("/healthz"), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("ok\n")));
  EXPECT_EQ(body(get("/readyz")).at("ready"), true);
  EXPECT_EQ(body(get("/status")).at("carriers").at(0).at("carrier"), "oca");
  EXPECT_THAT(get("/metrics"), AllOf(HasSubstr("\nremitod_lane_shipments{carrier=\"oca\"} 0\n"),
                                     HasSubstr("\nremitod_database_up 1\n"), HasSubstr("remitod_build_info{version=")));
  EXPECT_THAT(get("/status"),
              AllOf(HasSubstr("Content-Security-Policy: default-src 'none'"),
                    HasSubstr("X-Content-Type-Options: nosniff"), HasSubstr("Cache-Control: no-store")));
  EXPECT_EQ(installation_.stop(), 0);
}

TEST_F(Web, AResyncWantsTheTokenAndIsThenDone) {
  start();
  follow("7001");
  EXPECT_THAT(call("POST /resync", R"({"target": "oca"})"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(call("POST /resync", R"({"target": "oca"})", "0123456789abcdef0124"), StartsWith("HTTP/1.1 401"));
  EXPECT_EQ(carrier_.asked("7001"), 0u);
  const std::string answer = call("POST /resync", R"({"target": "oca"})", "0123456789abcdef0123");
  ASSERT_THAT(answer, StartsWith("HTTP/1.1 200"));
  const std::string progress = "/resync?id=" + std::to_string(body(answer).at("resync_id").get<int>());
  EXPECT_TRUE(eventually([&] { return body(get(progress)).at("finished") == true; }));
  EXPECT_EQ(carrier_.asked("7001"), 1u);
  EXPECT_THAT(installation_.log(), testing::Not(HasSubstr("0123456789abcdef"))) << "no log has a token";
  EXPECT_THAT(get("/metrics"), HasSubstr("\nremitod_polls_total{carrier=\"oca\"} 1\n"));
}

TEST_F(Web, AReloadGoesOnListeningAndARefusedOneIsSeen) {
  start();
  EXPECT_THAT(get("/metrics"), HasSubstr("\nremitod_last_reload_success 1\n"));
  configure("[carriers.nobody]\n");
  installation_.daemon().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return get("/metrics").contains("\nremitod_last_reload_success 0\n"); }));
  configure();
  installation_.daemon().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return installation_.log_lines({"listening address="}).size() == 2; }));
  EXPECT_TRUE(eventually([&] { return get("/readyz").starts_with("HTTP/1.1 200"); }));
  EXPECT_THAT(get("/metrics"), HasSubstr("\nremitod_last_reload_success 1\n"));
}

TEST_F(Web, AnAddressThatIsTakenIsToldAsTroubleAndThePollingGoesOn) {
  start();
  Installation second{{.time_scale = quiet}};
  second.configure("[listen]\naddress = \"" + address() + "\"\n");
  second.start();
  EXPECT_TRUE(eventually([&] { return second.log_lines({"not_listening", "in use"}).size() == 1; }));
  EXPECT_EQ(second.status().at("ok"), false);
  EXPECT_EQ(second.status().at("trouble").at(0).at("kind"), "listener");
  const Finished status = second.remitod({"--status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, HasSubstr("! nobody listens on " + address() + ": Address already in use"));
  EXPECT_TRUE(second.daemon().running());
  EXPECT_EQ(second.stop(), 0);
}

// REMITOD_FLOOD says how many connections; tests/run --all makes it 10,000.
TEST_F(Web, AFloodOfBadClientsStopsNeitherThePollingNorThePageAndLeavesNothingBehind) {
  const char* const wanted = std::getenv("REMITOD_FLOOD");
  const int connections = wanted ? std::stoi(wanted) : 700;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, static_cast<rlim_t>(connections) + 500);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  start();
  follow("7001");
  const std::size_t descriptors_before = descriptors();
  const long resident_before = resident_kib();
  std::vector<RawClient> clients;
  const std::vector<std::string> ways{
      "",                                                                    // says nothing
      "GET /status HTTP/1.1\r\nHo",                                          // stops in the middle
      "POST /resync HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{",  // promises
      "GET /" + std::string(60'000, 'a'),                                    // never ends its head
      "\x16\x03\x01\x02\x01\xfc\x03\x03",                                    // speaks TLS
      "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "DELETE /status HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "POST /resync HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\nContent-Length: 2\r\n\r\n{}",
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n",  // never reads
  };
  std::size_t most_descriptors = 0;
  for (int i = 0; i < connections; ++i) {
    clients.emplace_back(address());
    clients.back().say(ways[static_cast<std::size_t>(i) % ways.size()]);
    if (i % 100 != 99) continue;
    most_descriptors = std::max(most_descriptors, descriptors());
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200")) << i;
    installation_.resync("oca");  // the carrier is asked meanwhile
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{10}) << i;
  }
  EXPECT_EQ(carrier_.asked("7001"), static_cast<std::size_t>(connections / 100));
  EXPECT_LE(most_descriptors, descriptors_before + 520);
  std::cout << connections << " connections: at most " << most_descriptors << " descriptors, memory grew by "
            << (resident_kib() - resident_before) / 1024 << " MiB\n";
  EXPECT_LT(resident_kib() - resident_before, 200 * 1024);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return descriptors() <= descriptors_before + 1; })) << descriptors();
  EXPECT_EQ(installation_.stop(), 0);
}

}  // namespace
}  // namespace remitod::test
