// What the transport's tests share: a deciding thread that is the test's own, and short ways to ask.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "carriers/curl_transport.h"
#include "tests/support/scripted_server.h"

namespace remitod::carriers {

using test::ReceivedRequest;
using test::ScriptedAnswer;
using test::ScriptedServer;
using namespace std::chrono_literals;

std::string gzip(const std::string& text);

/// Runs what is posted on the thread that calls run_until.
class DecidingThread {
 public:
  CurlTransport::Post post() const {
    return [shared = shared_](std::move_only_function<void()> function) {
      {
        const std::scoped_lock lock(shared->mutex);
        shared->functions.push_back(std::move(function));
        ++shared->posted;
      }
      shared->changed.notify_one();
    };
  }
  /// False when it does not hold after a minute without anything posted.
  bool run_until(const std::function<bool()>& holds) {
    while (!holds()) {
      std::unique_lock lock(shared_->mutex);
      if (!shared_->changed.wait_for(lock, 1min, [this] { return !shared_->functions.empty(); })) return false;
      std::move_only_function<void()> next = std::move(shared_->functions.front());
      shared_->functions.pop_front();
      lock.unlock();
      next();
    }
    return true;
  }
  std::size_t posted() const {
    const std::scoped_lock lock(shared_->mutex);
    return shared_->posted;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::move_only_function<void()>> functions;
    std::size_t posted = 0;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

class CurlTransportTest : public testing::Test {
 protected:
  static std::shared_ptr<TransportOptions> plain_http() {
    auto options = std::make_shared<TransportOptions>();
    options->http_allowed = true;
    options->connections_per_host_max = 1'000;
    return options;
  }

  HttpRequest get(std::string url) const {
    return {.url = std::move(url), .headers = {}, .body = {}, .options = options};
  }
  HttpRequest post(std::string url, std::string body) const {
    return {.method = "POST", .url = std::move(url), .headers = {}, .body = std::move(body), .options = options};
  }

  FetchResult fetch(HttpRequest request) {
    std::optional<FetchResult> result;
    transport->submit(std::move(request), [&](FetchResult fetched) { result = std::move(fetched); });
    if (!deciding.run_until([&] { return result.has_value(); }))
      return std::unexpected(FetchError{.message = "the test got no answer"});
    return std::move(*result);
  }
  FetchError fetch_error(HttpRequest request) {
    const FetchResult result = fetch(std::move(request));
    if (!result) return result.error();
    ADD_FAILURE() << "an answer with status " << result->status;
    return {};
  }

  std::shared_ptr<TransportOptions> options = plain_http();
  DecidingThread deciding;
  std::unique_ptr<CurlTransport> transport = std::make_unique<CurlTransport>(deciding.post());
};

/// The kind by its name, so that a failure can be read.
MATCHER_P(HasKind, kind, std::string{name(kind)}) {
  *result_listener << name(arg.kind) << ": " << arg.message;
  return arg.kind == kind;
}

}  // namespace remitod::carriers
