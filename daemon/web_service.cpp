#include "daemon/web_service.h"

#include <algorithm>
#include <utility>

#include "daemon/log.h"
#include "daemon/web_page.h"

namespace remitod::daemon {
namespace {

constexpr std::chrono::seconds listen_again{10};
constexpr std::chrono::seconds between_notes{2};

// A page of ours runs what is ours only, and nothing that comes from here is kept or taken for something else.
const std::pair<const char*, const char*> every_answer[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
     "form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"}};

WebListener::Reply with_headers(WebListener::Reply reply) {
  return [reply = std::move(reply)](WebAnswer answer) {
    for (const auto& [name, value] : every_answer) answer.headers.emplace_back(name, value);
    reply(std::move(answer));
  };
}

std::string address_of(const WebService::Settings& settings) {
  return settings.passed_socket ? socket_address(*settings.passed_socket) : settings.listen.address;
}

WebGate::Settings gate_settings(const WebService::Settings& settings) {
  const std::string address = address_of(settings);
  return {settings.token, !is_local_address(address).value_or(false), !address.starts_with('/'), settings.listen.names};
}

}  // namespace

WebService::WebService(Runtime& runtime, db::Executor& executor, Settings settings, Parts parts)
    : runtime_(runtime),
      poller_(parts.poller),
      settings_(std::move(settings)),
      address_(address_of(settings_)),
      gate_(gate_settings(settings_)),
      sampler_(runtime, executor, [this](std::span<const db::Detection> detections) { metrics_.detected(detections); }),
      calls_({std::move(parts.handlers), executor, parts.poller, sampler_, metrics_, activity_,
              std::move(parts.not_working), std::move(parts.last_reload)}),
      retry_(runtime.alarm([this] { listen(); })),
      note_(runtime.alarm([this] { note_activity(); })) {}

void WebService::start() {
  if (address_.empty()) return;
  sampler_.start();
  note_activity();
  listen();
}

void WebService::take_leave(std::function<void()> then) {
  retry_->cancel();
  if (!listener_) return then();
  listener_->take_leave([this, then = std::move(then)] { runtime_.post(then); });
}

void WebService::note_activity() {
  const Instant now = runtime_.now();
  for (const Poller::CarrierView& carrier : poller_.carriers()) {
    const PollCounters& counters = carrier.counters;
    activity_.note(carrier.lane.config().carrier,
                   {counters.requests, counters.polls, counters.failed_requests, counters.transitions}, now);
  }
  note_->set(std::min(runtime_.in(between_notes), now + ActivityLog::span_length));
}

void WebService::listen() {
  auto listener = open();
  if (listener) {
    listener_ = std::move(*listener);
    trouble_.reset();
    log(Level::info, "listening", {{"address", listener_->address()}});
    return;
  }
  const std::string repeated = "cannot listen on " + address_ + ": ";
  const std::string& error = listener.error();
  const std::string why = error.starts_with(repeated) ? error.substr(repeated.size()) : error;
  trouble_ = Trouble{"listener", address_, why, 0, "nobody listens on " + address_ + ": " + why};
  log(Level::error, "not_listening", {{"address", address_}, {"error", error}});
  retry_->set(runtime_.in(listen_again));
}

std::expected<std::unique_ptr<WebListener>, std::string> WebService::open() {
  if (!is_local_address(address_).value_or(false) && settings_.token.empty())
    return std::unexpected("other machines reach this address, and listen.token of remitod.toml states no token");
  const auto handler = [this](WebRequest request, WebListener::Reply reply) {
    asked(std::move(request), with_headers(std::move(reply)));
  };
  if (settings_.passed_socket) return WebListener::adopt(*settings_.passed_socket, handler);
  return WebListener::listen(address_, handler);
}

// On the listener's thread: what the gate refuses never reaches the deciding one.
void WebService::asked(WebRequest request, WebListener::Reply reply) {
  if (auto refusal = gate_.refuse(request)) return reply(std::move(*refusal));
  if (const PageFile* const file = page_file(request.path))
    return reply({200, std::string(file->content_type), std::string(file->content)});
  runtime_.post([this, request = std::move(request), reply = std::move(reply)] { calls_(request, reply); });
}

}  // namespace remitod::daemon
