// Transitions to a URL: an HTTP POST each, signed as Standard Webhooks has it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carriers/tracking.h"
#include "carriers/transport.h"
#include "daemon/sink_channel.h"

namespace remitod::daemon {

/// 2xx and nothing else is delivered; 410 is gone. What was answered beside that is not read.
SinkOutcome judge_webhook_answer(const carriers::FetchResult& result);

class WebhookChannel final : public SinkChannel {
 public:
  struct Settings {
    std::string url;                ///< https; http to this machine alone
    std::vector<std::string> keys;  ///< parse_webhook_secret; at least one
    std::size_t concurrency = 16;
    std::chrono::milliseconds timeout{20'000};
  };
  /// `wall_clock` stamps the signatures: receivers compare it with their own, whatever scale our time has.
  WebhookChannel(carriers::HttpTransport& transport, Settings settings, std::function<Instant()> wall_clock);
  void send(SinkMessage message, Done done) override;

 private:
  carriers::HttpTransport& transport_;
  const Settings settings_;
  const std::function<Instant()> wall_clock_;
  std::shared_ptr<const carriers::TransportOptions> options_;
};

}  // namespace remitod::daemon
