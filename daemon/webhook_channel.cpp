#include "daemon/webhook_channel.h"

#include <algorithm>
#include <utility>

#include "daemon/webhook_signature.h"

namespace remitod::daemon {
namespace {

constexpr std::uint64_t answer_bytes_max = 1u << 20;

carriers::TransportOptions transport_options(const WebhookChannel::Settings& settings) {
  carriers::TransportOptions options;
  options.connect_timeout = std::min(options.connect_timeout, settings.timeout);
  options.total_timeout = settings.timeout;
  // A receiver that has said nothing yet is not slow before its time is over.
  options.low_speed_time = std::chrono::ceil<std::chrono::seconds>(settings.timeout);
  options.body_bytes_max = answer_bytes_max;
  options.connections_per_host_max = static_cast<long>(settings.concurrency);
  options.http_allowed = settings.url.starts_with("http://");
  return options;
}

}  // namespace

SinkOutcome judge_webhook_answer(const carriers::FetchResult& result) {
  using Kind = SinkOutcome::Kind;
  if (!result) return {Kind::failed, std::string(name(result.error().kind)) + ": " + result.error().message};
  if (result->status >= 200 && result->status < 300) return {Kind::delivered};
  const std::string why = "answered " + std::to_string(result->status);
  if (result->status == 410) return {Kind::gone, why};
  return {Kind::failed, why, result->retry_after};
}

WebhookChannel::WebhookChannel(carriers::HttpTransport& transport, Settings settings,
                               std::function<Instant()> wall_clock)
    : transport_(transport),
      settings_(std::move(settings)),
      wall_clock_(std::move(wall_clock)),
      options_(std::make_shared<const carriers::TransportOptions>(transport_options(settings_))) {}

void WebhookChannel::send(SinkMessage message, Done done) {
  const auto timestamp = std::chrono::floor<std::chrono::seconds>(wall_clock_());
  carriers::HttpRequest request;
  request.method = "POST";
  request.url = settings_.url;
  request.headers = {
      "Content-Type: application/cloudevents+json; charset=utf-8",
      "User-Agent: remitod/" REMITOD_VERSION,
      "webhook-id: " + message.id,
      "webhook-timestamp: " + std::to_string(timestamp.time_since_epoch().count()),
      "webhook-signature: " + webhook_signature(settings_.keys, message.id, timestamp, message.body),
  };
  request.body = std::move(message.body);
  request.options = options_;
  transport_.submit(std::move(request), [done = std::move(done)](carriers::FetchResult result) mutable {
    done(judge_webhook_answer(result));
  });
}

}  // namespace remitod::daemon
