// What is secret at a carrier is seen nowhere, even where the carrier repeats in its answers all that it was sent.
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "carriers/digest.h"
#include "daemon/log.h"
#include "tests/carriers/small_profile.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {
namespace {

using carriers::FetchResult;
using carriers::HttpRequest;
using testing::HasSubstr;
using testing::IsEmpty;

/// Every secret begins with "canary": as it is, in base64 (behind a multiple of three bytes), in hex.
constexpr std::array canaries{"canary", "Y2FuYXJ5", "63616e617279"};
const std::map<std::string, std::string> secrets{{"password", "canary-ñ/&+<\"'~ 1"}, {"key", "canaryKEY0123456789"}};

struct AuthForm {
  const char* name;
  const char* auth;             ///< [auth], and what else goes before the operations
  const char* of_request = "";  ///< further lines of [track] and [create]
  bool is_sent = true;          ///< the secret itself, in whatever form
};

void PrintTo(const AuthForm& form, std::ostream* out) {
  *out << form.name;
}

const std::string head_of_all = R"toml(
title = "Test carrier"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
secrets = ["password", "key"]
[limits]
requests_per_second = 100.0
concurrency = 4
)toml";

constexpr std::string_view answers = R"toml(
[track.answer]
format = "json"
error = "/json/fault"
success = "not(/json/fault)"
snapshot = true
[track.event]
code = "/json/state"
[create.answer]
format = "json"
granted = "/json/ok = 'true'"
refused = "/json/ok = 'false'"
remito = "/json/number"
refusal_code = "/json/why"
refusal_text = "/json/why"
)toml";

std::string profile_text(const AuthForm& form) {
  return head_of_all + form.auth + "[track]\nmethod = \"POST\"\nurl = \"{{base_url}}/track/{{remito}}\"\n" +
         form.of_request + "[create]\nmethod = \"POST\"\nurl = \"{{base_url}}/create/{{order_number}}\"\n" +
         form.of_request + std::string(answers);
}

/// All that a carrier has been sent, many times over, so that wherever it is cut off it is cut inside of a secret.
std::string echo(const HttpRequest& request) {
  std::string once = " " + request.body + " ";
  for (const std::string& header : request.headers) once += header + " ";
  if (!request.options->basic_user.empty() && !request.options->digest)
    once += "Basic " + carriers::to_base64(request.options->basic_user + ":" + request.options->basic_password) + " ";
  once += request.url;
  std::string text;
  for (int i = 0; i < 20; ++i) text += once;
  return text;
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

class Canary : public testing::TestWithParam<AuthForm>, public VirtualWorld {
 protected:
  Canary() {
    carriers.serve([this](const HttpRequest& request, Instant) {
      const std::string sent = echo(request);
      echoed_ += sent;
      return answer(request.url, sent);
    });
  }
  ~Canary() override { daemon::set_up_log("off"); }

  FetchResult answer(const std::string& url, const std::string& sent) {
    const auto json = [](const std::string& body, int status = 200) {
      return http_answer(status, body, "application/json");
    };
    const auto is = [&](std::string_view path) { return url.contains(path); };
    if (is("/login"))
      return ++logins_ == 1
                 ? json(R"({"error_description":)" + quoted(sent) + "}", 400)
                 : json(R"({"access_token":"canary-token-)" + std::to_string(logins_) +
                        R"(","refresh_token":"canary-refresh","expires_in":600,"say":)" + quoted(sent) + "}");
    if (is("/track/1")) return json(R"({"state":"odd","say":)" + quoted(sent) + "}");
    if (is("/track/2")) return json(R"({"fault":)" + quoted(sent) + "}");
    if (is("/track/3")) return http_answer(500, sent, "text/plain");
    if (is("/track/4")) return json(sent);
    if (is("/create/1")) return json(R"({"ok":false,"why":)" + quoted(sent) + "}");
    if (is("/create/2")) return http_answer(502, sent, "text/plain");
    return json(R"({"state":)" + quoted("x") + "," + sent);
  }

  void log_into(std::ostream& out) {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
  }

  /// What --status has from outside.
  std::string status() {
    const daemon::Poller::CarrierView view = daemon->poller.carriers().front();
    return view.counters.last_error + "\n" + view.access.login_trouble() + "\n";
  }
  std::string column(const std::string& name, const std::string& table) {
    return database.text("select coalesce(group_concat(" + name + ", '\n'), '') from " + table);
  }

  std::string echoed_;
  int logins_ = 0;
};

std::vector<std::string> found_in(const std::string& text) {
  std::vector<std::string> found;
  for (const std::string_view canary : canaries)
    if (const std::size_t at = text.find(canary); at != std::string::npos)
      found.push_back(text.substr(at < 40 ? 0 : at - 40, 80));
  return found;
}

TEST_P(Canary, IsInNoLogNoErrorNoStatusAndNothingThatIsStored) {
  std::ostringstream log;
  daemon->add_carrier(load_small_profile(profile_text(GetParam()), secrets));
  log_into(log);
  for (const char* remito : {"1", "2", "3", "4"}) follow("test", remito, remito);
  for (const char* order : {"1", "2", "3"}) ask_remito("test", order, "{}");
  daemon->start();
  std::string statuses;
  for (int i = 0; i < 40; ++i) {  // errors come and go
    clock().run_for(5min);
    statuses += status();
  }
  EXPECT_EQ(!found_in(echoed_).empty(), GetParam().is_sent) << "or this test looks for the wrong thing";

  EXPECT_THAT(found_in(log.str()), IsEmpty());
  EXPECT_THAT(found_in(statuses), IsEmpty());
  for (const char* name : {"remito", "refusal_code", "refusal_text", "request_hash", "client_ref"})
    EXPECT_THAT(found_in(column(name, "remito_requests")), IsEmpty());
  EXPECT_THAT(found_in(column("text", "transitions")), IsEmpty());
  std::string raw;
  std::set<std::string> remitos;
  for (const db::RawAnswer& answer : raw_answers("test")) {
    raw += answer.why + " " + answer.body + "\n";
    remitos.insert(answer.remito);
  }
  EXPECT_THAT(found_in(raw), IsEmpty());

  EXPECT_THAT(remitos, testing::IsSupersetOf({"1", "2", "3", "4"}));
  EXPECT_EQ(count("remito_requests where state = 'refused'"), 1);
  EXPECT_EQ(count("remito_requests where state = 'needs_operator'"), 2);
  if (!GetParam().is_sent) return;
  for (const std::string& text : {log.str(), statuses, column("refusal_text", "remito_requests"), raw})
    EXPECT_THAT(text, HasSubstr("[secret]")) << "stands where the secret was";
}

INSTANTIATE_TEST_SUITE_P(EveryForm, Canary,
                         testing::Values(AuthForm{"basic", R"([auth]
kind = "basic"
user = "ab"
password = "{{secrets.password}}"
)"},
                                         AuthForm{"digest", R"([auth]
kind = "digest"
user = "ab"
password = "{{secrets.password}}"
)",
                                                  "", false},
                                         AuthForm{"bearer", R"([auth]
kind = "bearer"
token = "{{secrets.key}}"
)"},
                                         AuthForm{"header", R"([auth]
kind = "header"
headers = { X-Key = "{{secrets.key}}" }
)"},
                                         AuthForm{"query", R"([auth]
kind = "query"
query = { key = "{{secrets.password}}" }
)"},
                                         AuthForm{"aws_sigv4", R"([auth]
kind = "aws_sigv4"
access_key = "AK1"
secret_key = "{{secrets.password}}"
region = "us-east-1"
service = "execute-api"
session_token = "{{secrets.key}}"
)"},
                                         AuthForm{"in_a_json_body", "", R"(body_format = "json"
body = '{"pass":"{{secrets.password}}"}'
)"},
                                         AuthForm{"in_a_form", "",
                                                  R"(headers = { Content-Type = "application/x-www-form-urlencoded" }
body_format = "url"
body = 'pass={{secrets.password}}&b={{#base64}}{{secrets.key}}{{/base64}}'
)"},
                                         AuthForm{"oauth2_of_a_client", R"([auth]
kind = "oauth2"
grant = "client_credentials"
token_url = "{{base_url}}/login"
client_id = "ab"
client_secret = "{{secrets.password}}"
)"},
                                         AuthForm{"oauth2_in_a_header", R"([auth]
kind = "oauth2"
grant = "client_credentials"
token_url = "{{base_url}}/login"
client_id = "ab"
client_secret = "{{secrets.password}}"
client_auth = "basic"
)"},
                                         AuthForm{"oauth2_with_a_password", R"([auth]
kind = "oauth2"
grant = "password"
token_url = "{{base_url}}/login"
client_id = "ab"
client_secret = "{{secrets.key}}"
user = "u"
password = "{{secrets.password}}"
)"},
                                         AuthForm{"login", R"([auth]
kind = "login"
headers = { X-Token = "{{session.token}}" }
query = { refresh = "{{session.refresh}}" }
[auth.login]
method = "POST"
url = "{{base_url}}/login"
body_format = "json"
body = '{"password":"{{secrets.password}}"}'
[auth.login.answer]
format = "json"
error = "/json/error_description"
lifetime = "/json/expires_in"
[auth.login.answer.session]
token = "/json/access_token"
refresh = "/json/refresh_token"
)"}),
                         [](const testing::TestParamInfo<AuthForm>& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace remitod::test
