// What the mapping makes of answers to a create request: granted, refused, or unknown.
#include <gtest/gtest.h>

#include <tuple>

#include "carriers/mapping.h"
#include "tests/carriers/small_profile.h"

namespace remitod::carriers {
namespace {

using test::head;
using test::json_answer;
using test::load_small_profile;

constexpr std::string_view create_operation = R"toml(
[create]
method = "POST"
url = "{{base_url}}/shipments"
body_format = "json"
body = '{"ref":"{{client_ref}}"}'
[create.answer]
format = "json"
success = "/json/ok = 'true'"
error = "/json/message"
auth_error = "/json/login = 'no'"
granted = "/json/made = 'true'"
refused = "/json/refused = 'true'"
remito = "/json/number"
refusal_code = "/json/code"
refusal_text = "/json/why"
)toml";

CreateAnswer created(const std::string& body, int status = 200, std::string_view operation = create_operation) {
  const auto profile = load_small_profile(std::string{head} + std::string{operation});
  return map_create(*profile, json_answer(body, status), CreateOrder{"MP-417", 1, "", "r-417-1", "{}"});
}

TEST(CreateAnswer, GrantsWithTheCarriersNumber) {
  const CreateAnswer answer = created(R"({"ok":true,"made":true,"number":"0000417032155000000001"})");
  EXPECT_EQ(answer.kind, CreateAnswer::Kind::granted);
  EXPECT_EQ(answer.remito, "0000417032155000000001");
  EXPECT_EQ(answer.refusal_text, "");
}

TEST(CreateAnswer, GrantsWithOurOrderNumberWhereThatIsTheRemito) {
  std::string operation{create_operation};
  operation.replace(operation.find("remito = \"/json/number\""), 23, "remito_is = \"order_number\"");
  EXPECT_EQ(created(R"({"ok":true,"made":true})", 200, operation).remito, "MP-417");
}

TEST(CreateAnswer, RefusesInTheCarriersWords) {
  const CreateAnswer answer = created(R"({"ok":false,"refused":true,"code":"C7","why":"Sin cobertura\nen la zona"})");
  EXPECT_EQ(answer.kind, CreateAnswer::Kind::refused);
  EXPECT_EQ(answer.refusal_code, "C7");
  EXPECT_EQ(answer.refusal_text, "Sin cobertura en la zona");
  EXPECT_EQ(created(R"({"refused":true,"message":"no"})").refusal_text, "no");
}

TEST(CreateAnswer, IsUnknownWhateverIsNotSaidClearly) {
  for (const std::string body :
       {R"({"ok":true,"made":true})", R"({"ok":true})", R"({"ok":false,"message":"try later"})", R"({"ok":true,"ma)",
        "<html><body>busy</body></html>", "", R"({"ok":true,"made":true,"refused":true,"number":"1"})"}) {
    const CreateAnswer answer = created(body);
    EXPECT_EQ(answer.kind, CreateAnswer::Kind::unknown) << body;
    EXPECT_EQ(answer.remito, "") << body;
    EXPECT_NE(answer.refusal_text, "") << body;
  }
  EXPECT_EQ(created(R"({"ok":true,"made":true})").refusal_text, "accepted without a number");
}

TEST(CreateAnswer, NeverGrantsHalfOfANumberThatIsTooLong) {
  EXPECT_EQ(created(R"({"ok":true,"made":true,"number":")" + std::string(100, '7') + "\"}").kind,
            CreateAnswer::Kind::granted);
  EXPECT_EQ(created(R"({"ok":true,"made":true,"number":")" + std::string(101, '7') + "\"}").kind,
            CreateAnswer::Kind::unknown);
  EXPECT_EQ(created(R"({"ok":true,"made":true,"number":")" + std::string(99, '7') + "éé\"}").kind,
            CreateAnswer::Kind::unknown);
}

TEST(CreateAnswer, IsRefusedByTheStatusesThatMadeNothing) {
  for (const int status : {400, 403, 404, 405, 413, 415, 422}) {
    const CreateAnswer answer = created(R"({"message":"bad address"})", status);
    EXPECT_EQ(answer.kind, CreateAnswer::Kind::refused) << status;
    EXPECT_EQ(answer.refusal_code, "http " + std::to_string(status));
    EXPECT_EQ(answer.refusal_text, "bad address");
  }
}

TEST(CreateAnswer, IsUnknownByTheStatusesThatMayHaveMadeOne) {
  for (const int status : {302, 408, 409, 425, 429, 500, 502, 503, 504}) {
    const CreateAnswer answer = created(R"({"made":true,"number":"1","message":"hm"})", status);
    EXPECT_EQ(answer.kind, CreateAnswer::Kind::unknown) << status;
    EXPECT_EQ(answer.refusal_text, "HTTP " + std::to_string(status) + ": hm");
  }
}

TEST(CreateAnswer, IsUnknownWhereTheCarrierOnlyWantsToRest) {
  const std::string operation = std::string{create_operation} + "throttled = \"/json/code = 'RATE'\"\n";
  const std::string body = R"({"code":"RATE","message":"slow down"})";
  for (const int status : {400, 403}) {
    const CreateAnswer answer = created(body, status, operation);
    EXPECT_EQ(answer.kind, CreateAnswer::Kind::unknown) << status;
    EXPECT_EQ(answer.refusal_text, "HTTP " + std::to_string(status) + ": slow down");
  }
  EXPECT_EQ(created(body, 200, operation).refusal_text, "throttled: slow down");
  EXPECT_EQ(created(R"({"code":"C7","message":"bad address"})", 403, operation).kind, CreateAnswer::Kind::refused);
  EXPECT_EQ(created(body, 401, operation).kind, CreateAnswer::Kind::unknown);
  EXPECT_EQ(created(R"({"code":"RATE","login":"no"})", 403, operation).refusal_code, "auth");
  EXPECT_EQ(created(R"({"code":"RATE","refused":true})", 403, operation).kind, CreateAnswer::Kind::refused);
}

TEST(CreateAnswer, IsToBeTriedAgainWhereTheCarrierPromisesThatItMadeNothing) {
  const std::string operation =
      std::string{create_operation} + "try_again_statuses = [429, 503]\ntry_again = \"/json/code = 'RATE'\"\n";
  for (const int status : {429, 503}) {
    const CreateAnswer answer = created("<html>busy</html>", status, operation);
    EXPECT_EQ(answer.kind, CreateAnswer::Kind::try_again) << status;
    EXPECT_EQ(answer.refusal_text, "HTTP " + std::to_string(status) + ": <html>busy</html>");
  }
  EXPECT_EQ(created("<html>busy</html>", 500, operation).kind, CreateAnswer::Kind::unknown);
  for (const int status : {200, 400, 500})
    EXPECT_EQ(created(R"({"code":"RATE","login":"no","refused":true,"message":"slow"})", status, operation).kind,
              CreateAnswer::Kind::try_again)
        << status;
  EXPECT_EQ(created(R"({"refused":true,"why":"closed today"})", 503, operation).kind, CreateAnswer::Kind::refused)
      << "words say more than a status";
  EXPECT_EQ(created(R"({"code":"RATE","ok":true,"made":true,"number":"1"})", 200, operation).kind,
            CreateAnswer::Kind::unknown);
}

TEST(CreateAnswer, IsRefusedAtAnyStatusWhereTheProfileKnowsTheRefusal) {
  EXPECT_EQ(created(R"({"refused":true,"why":"closed today"})", 503).kind, CreateAnswer::Kind::refused);
  EXPECT_EQ(created(R"({"refused":true,"why":"closed today"})", 429).refusal_text, "closed today");
}

TEST(CreateAnswer, IsNoRefusalOfTheOrderWhereOurAccountIsNotAccepted) {
  for (const auto& [body, status, text] : {std::tuple{R"({"login":"no","message":"who"})", 200, "who"},
                                           {R"({"login":"no","message":"who"})", 403, "HTTP 403: who"},
                                           {R"({"login":"no","message":"who"})", 500, "HTTP 500: who"},
                                           {R"({"login":"no","refused":true,"message":"who"})", 500, "HTTP 500: who"},
                                           {R"({"message":"who"})", 401, "HTTP 401: who"},
                                           {"", 401, "HTTP 401"}}) {
    const CreateAnswer answer = created(body, status);
    EXPECT_EQ(answer.kind, status == 401 ? CreateAnswer::Kind::try_again : CreateAnswer::Kind::unknown)
        << body << status;
    EXPECT_EQ(answer.refusal_code, "auth") << body << status;
    EXPECT_EQ(answer.refusal_text, text);
  }
  EXPECT_EQ(created(R"({"code":"RATE","ok":true,"made":true,"number":"1"})", 500,
                    std::string{create_operation} + "try_again = \"/json/code = 'RATE'\"\n")
                .kind,
            CreateAnswer::Kind::unknown);
  EXPECT_EQ(created(R"({"refused":true,"why":"not to this postcode"})", 401).kind, CreateAnswer::Kind::refused);
  EXPECT_EQ(created(R"({"login":"no","ok":true,"made":true,"number":"1"})").kind, CreateAnswer::Kind::unknown);
}

}  // namespace
}  // namespace remitod::carriers
