// The transport that really sends: libcurl's multi interface on a thread of its own.
//
// Requests are taken from a queue, run side by side over kept-alive connections, and come back in batches: all that one
// turn of the loop finished is posted to the deciding thread at once. What the callbacks of a batch submit in their
// turn is likewise handed over at once, so that under load neither side wakes the other for a single request.
//
// Fixed for every request: certificates are always verified, https only (http where the profile allows it), redirects,
// cookies, .netrc and the proxy variables of the environment are ignored, only basic authentication.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>

#include "carriers/transport.h"

namespace remitod::carriers {

class TransportGate;

/// A longer Retry-After is answered as this.
inline constexpr std::chrono::seconds retry_after_max = std::chrono::days{30};

class CurlTransport : public HttpTransport {
 public:
  /// Runs a function on the deciding thread, later. Called from any thread; a function that comes when nobody runs
  /// functions any more may be dropped.
  using Post = std::function<void(std::move_only_function<void()>)>;

  struct Options {
    /// Requests on the wire, of all carriers together; more wait their turn, the carriers' turns alternating. One multi
    /// handle slows down with thousands.
    std::size_t in_flight_max = 256;
    /// Kept-alive connections, those in use included; beyond it the one idle for longest is closed.
    long connections_max = 512;
  };

  CurlTransport(Post post, const Options& options);
  explicit CurlTransport(Post post) : CurlTransport(std::move(post), Options{}) {}
  /// Every request that is still out is answered FetchError::Kind::stopped. Waits for the loop's turn, not for
  /// carriers.
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  /// From any thread. `request.options` is not null; requests of the same options share connections, of which
  /// `connections_per_host_max` are in use at once. total_timeout counts from here, the wait for a turn included.
  void submit(HttpRequest request, Done done) override;

 private:
  std::shared_ptr<TransportGate> gate_;
  std::thread thread_;
};

}  // namespace remitod::carriers
