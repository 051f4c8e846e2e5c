// The sinks that the configuration names, with the ways to their receivers.
#pragma once

#include <optional>
#include <vector>

#include "carriers/curl_transport.h"
#include "daemon/asio_runtime.h"
#include "daemon/config.h"
#include "daemon/sinks.h"

namespace remitod::daemon {

class SinkInstallation {
 public:
  SinkInstallation(AsioRuntime& runtime, db::Executor& executor, const Config& config,
                   const std::vector<ReadySink>& sinks);
  Sinks& sinks() { return sinks_; }
  const Sinks& sinks() const { return sinks_; }

 private:
  std::unique_ptr<SinkChannel> open(AsioRuntime& runtime, const ReadySink& sink);

  /// Of the webhooks alone, and wide enough for all of them at once: no carrier waits for them, and none for another.
  std::optional<carriers::CurlTransport> transport_;
  Sinks sinks_;
};

}  // namespace remitod::daemon
