#include "daemon/sink_installation.h"

#include <boost/asio/ip/host_name.hpp>

#include <algorithm>
#include <utility>

#include "daemon/command_channel.h"
#include "daemon/webhook_channel.h"

namespace remitod::daemon {
namespace {

// No two daemons that run have the same, and a daemon has the same after a restart.
std::string owner(const Config& config) {
  boost::system::error_code ignored;
  return boost::asio::ip::host_name(ignored) + ":" + config.control_socket;
}

std::size_t webhook_concurrency(const std::vector<ReadySink>& sinks) {
  std::size_t sum = 0;
  for (const ReadySink& sink : sinks)
    if (sink.config.type == SinkConfig::Type::webhook) sum += static_cast<std::size_t>(sink.config.concurrency);
  return sum;
}

}  // namespace

SinkInstallation::SinkInstallation(AsioRuntime& runtime, db::Executor& executor, const Config& config,
                                   const std::vector<ReadySink>& sinks)
    : sinks_(runtime, executor, owner(config)) {
  if (const std::size_t concurrency = webhook_concurrency(sinks); concurrency != 0) {
    const carriers::CurlTransport::Options options{concurrency, static_cast<long>(2 * concurrency)};
    transport_.emplace([&runtime](std::move_only_function<void()> task) { runtime.post(std::move(task)); }, options);
  }
  for (const ReadySink& sink : sinks)
    sinks_.add(sink.config.name, std::string(name(sink.config.type)),
               {static_cast<std::size_t>(sink.config.concurrency), sink.config.retries}, open(runtime, sink));
}

std::unique_ptr<SinkChannel> SinkInstallation::open(AsioRuntime& runtime, const ReadySink& sink) {
  const SinkConfig& config = sink.config;
  if (config.type == SinkConfig::Type::command)
    return std::make_unique<CommandChannel>(runtime, CommandChannel::Settings{config.command, config.timeout});
  WebhookChannel::Settings settings{config.url, sink.keys, static_cast<std::size_t>(config.concurrency),
                                    config.timeout};
  return std::make_unique<WebhookChannel>(*transport_, std::move(settings), wall_clock);
}

}  // namespace remitod::daemon
