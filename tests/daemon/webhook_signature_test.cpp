#include "daemon/webhook_signature.h"

#include <gmock/gmock.h>

#include "daemon/webhook_channel.h"

#include <string>
#include <vector>

namespace remitod::daemon {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// The example that the reference implementations of Standard Webhooks test themselves with.
constexpr std::string_view known_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view known_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view known_body = R"({"test": 2432232314})";
constexpr std::string_view known_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr sys_seconds known_timestamp{seconds{1614265330}};

std::string key_of(std::string_view secret) {
  return parse_webhook_secret(secret).value();
}

TEST(WebhookSignature, IsThatOfTheReferenceImplementations) {
  const std::vector keys{key_of(known_secret)};
  EXPECT_EQ(webhook_signature(keys, known_id, known_timestamp, known_body), known_signature);
}

TEST(WebhookSignature, CoversIdTimestampAndBody) {
  const std::vector keys{key_of(known_secret)};
  EXPECT_NE(webhook_signature(keys, "msg_other", known_timestamp, known_body), known_signature);
  EXPECT_NE(webhook_signature(keys, known_id, known_timestamp + seconds{1}, known_body), known_signature);
  EXPECT_NE(webhook_signature(keys, known_id, known_timestamp, R"({"test": 2432232315})"), known_signature);
}

TEST(WebhookSignature, HasOneForEachKeySeparatedByABlank) {
  const std::vector both{std::string(32, 'k'), key_of(known_secret)};
  const std::vector first{both[0]};
  EXPECT_EQ(webhook_signature(both, known_id, known_timestamp, known_body),
            webhook_signature(first, known_id, known_timestamp, known_body) + " " + std::string(known_signature));
}

TEST(WebhookSecret, HasItsPrefixAndEnoughBytesInBase64) {
  EXPECT_EQ(key_of(known_secret).size(), 24u);
  for (const char* text : {"", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
                           "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La", "whsec_not base64 not base64 not base64"})
    EXPECT_FALSE(parse_webhook_secret(text)) << text;
}

TEST(WebhookSecret, IsNotToldWhereItIsWrong) {
  const auto key = parse_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La");
  EXPECT_THAT(key.error(), testing::Not(testing::HasSubstr("MfKQ")));
}

TEST(WebhookChannel, LeavesAReceiverThatThinksAllOfItsTime) {
  struct Wire final : carriers::HttpTransport {
    void submit(carriers::HttpRequest request, Done) override { options = request.options; }
    std::shared_ptr<const carriers::TransportOptions> options;
  } wire;
  WebhookChannel channel(
      wire, {.url = "https://shop.example/", .keys = {"key"}, .concurrency = 1, .timeout = std::chrono::minutes{2}},
      [] { return Instant{}; });
  channel.send({"1", "{}"}, [](const SinkOutcome&) {});
  EXPECT_EQ(wire.options->total_timeout, std::chrono::minutes{2});
  EXPECT_GE(wire.options->low_speed_time, std::chrono::minutes{2}) << "silence is not slowness";
}

}  // namespace
}  // namespace remitod::daemon
