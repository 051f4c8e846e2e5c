// A carrier that wants a login, over real HTTP: one login for what is asked, a new one when they have forgotten it, and
// what ops see when there is none.
#include <gmock/gmock.h>

#include <filesystem>
#include <mutex>

#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view profile_text = R"toml(title = "Login Express"
zone = "America/Lima"
base_url = "https://carrier.example"
secrets = ["password"]
[limits]
requests_per_second = 100.0
concurrency = 4
[auth]
kind = "login"
headers = { X-Token = "{{session.token}}" }
[auth.login]
method = "POST"
url = "{{base_url}}/login"
body_format = "json"
body = '{"password":"{{secrets.password}}"}'
[auth.login.answer]
format = "json"
error = "/json/error"
[auth.login.answer.session]
token = { header = "X-Session" }
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
snapshot = true
[track.event]
code = "/json/state"
[[track.status]]
code = "moving"
status = "in_transit"
)toml";

class LoginServer {
 public:
  std::string url() const { return server_.url(""); }
  std::size_t asked(const std::string& path) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        server_.requests(), [&](const ReceivedRequest& request) { return request.target().contains(path); }));
  }
  void forget_sessions() {
    const std::scoped_lock lock(mutex_);
    token_ += "+";
  }
  void block_account() {
    const std::scoped_lock lock(mutex_);
    is_blocked_ = true;
  }

 private:
  ScriptedAnswer answer(const ReceivedRequest& request) {
    const std::scoped_lock lock(mutex_);
    if (request.target() == "/login") {
      // As careless carriers do, it repeats what it was sent.
      if (is_blocked_) return ScriptedAnswer::status(401, R"({"error":)" + nlohmann::json(request.body).dump() + "}");
      return ScriptedAnswer::ok("{}", "X-Session: " + token_ + "\r\n");
    }
    if (request.header("X-Token") != token_) return ScriptedAnswer::status(401, "{}");
    return ScriptedAnswer::ok(R"({"state":"moving"})", "Content-Type: application/json\r\n");
  }

  std::mutex mutex_;
  std::string token_ = "canary-token";
  bool is_blocked_ = false;
  ScriptedServer server_{[this](const ReceivedRequest& request) { return answer(request); }};
};

TEST(Login, IsMadeOnceAndAgainWhenItIsForgottenAndItsFailureIsShown) {
  LoginServer carrier;
  Installation installation{{.time_scale = quiet}};
  const std::filesystem::path folder = installation.folder() / "profiles" / "login_express";
  std::filesystem::create_directories(folder);
  write_file(folder / "carrier.toml", profile_text);
  write_file(installation.folder() / "canary", "canary-password");
  installation.configure("[carriers.login_express]\nbase_url = \"" + carrier.url() +
                         "\"\nsecrets = { password = \"file:" + (installation.folder() / "canary").string() + "\" }\n" +
                         asked_by_hand_only);
  installation.start();
  for (int i = 1; i <= 20; ++i) installation.platform().follow("login_express", "N" + std::to_string(i), "1001");
  ASSERT_TRUE(eventually([&] { return installation.carrier_status("login_express").at("shipments") == 20; }));

  installation.resync("login_express");
  EXPECT_EQ(carrier.asked("/login"), 1u);
  EXPECT_EQ(carrier.asked("/track/"), 20u);
  EXPECT_EQ(installation.platform().number("select count(*) from shipments where status = 'in_transit'"), 20);

  carrier.forget_sessions();
  installation.resync("login_express");
  EXPECT_EQ(carrier.asked("/login"), 2u);
  EXPECT_EQ(installation.carrier_status("login_express").at("failed_requests"), 0);

  installation.kill();
  carrier.block_account();
  installation.start();
  ASSERT_TRUE(eventually([&] { return installation.carrier_status("login_express").at("shipments") == 20; }));
  ASSERT_EQ(installation.remitod({"--resync", "login_express:N1"}).exit_code, 0);
  ASSERT_TRUE(eventually([&] { return installation.carrier_status("login_express").at("failed_requests") != 0; }));
  const Finished status = installation.remitod({"--status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, HasSubstr("carrier login_express does not let us in: login: HTTP 401: "));
  EXPECT_THAT(status.out, HasSubstr("[secret]"));
  EXPECT_EQ(status.out.find("canary"), std::string::npos) << status.out;
  EXPECT_THAT(installation.log_lines({"canary-"}), IsEmpty());
}

}  // namespace
}  // namespace remitod::test
