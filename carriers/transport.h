// How requests leave the process. Only carriers/curl_* include curl; tests and simulations bring their own
// implementation.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/volatile_spans.h"

namespace remitod::carriers {

/// What holds for every request of one carrier. Shared and immutable, so that a request costs no copy of it.
struct TransportOptions {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{60'000};  ///< a hard deadline over everything, name look-up included
  std::uint64_t body_bytes_max = 32u << 20;         ///< decoded bytes; more is FetchError::Kind::too_large
  long low_speed_bytes = 64;                        ///< below this many bytes a second ...
  std::chrono::seconds low_speed_time{20};          ///< ... for this long: timeout
  long connections_per_host_max = 8;
  bool http_allowed = false;  ///< plain http:// is refused unless the profile says so
  std::string basic_user;     ///< HTTP basic authentication when not empty
  std::string basic_password;
  bool digest = false;          ///< these two are for digest authentication instead
  std::string ca_file;          ///< an extra CA bundle; empty: the system's
  std::string tls_min = "1.2";  ///< "1.0", "1.1", "1.2", "1.3"
  std::string ciphers;          ///< in OpenSSL's notation, for TLS up to 1.2; empty: the library's choice
  // Files that show who we are, where the carrier asks for that; empty: none.
  std::string client_certificate;   ///< PEM, or PKCS #12 where the name ends so (.p12, .pfx)
  std::string client_key;           ///< PEM; empty: in the certificate's file
  std::string client_key_password;  ///< of the key or of the PKCS #12 file
  std::string proxy;                ///< "http://host:port", "socks5h://host:port"; empty: none
  std::string source_address;       ///< an IP address of ours, or an interface; empty: whichever
  /// So many redirects are followed, to the same scheme, host and port only; never of a request that must not be
  /// repeated (HttpRequest::fresh_connection).
  int redirects_max = 0;
  /// Of an answer's headers, those that come with it (HttpAnswer::headers).
  std::vector<std::string> kept_headers;
};

/// How an answer is told from the one before it.
struct KnownBody {
  /// Of the body that the caller knows already. An answer with status 200 and this fingerprint comes marked `known` and
  /// without its body, which spares handing it over: most polls end so. The lower 44 bits count, since callers keep no
  /// more. Zero: none.
  std::uint64_t fingerprint = 0;
  std::shared_ptr<const std::vector<VolatileSpan>> volatile_spans = {};  ///< left out of fingerprints; null: nothing is
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::string body_charset = {};  ///< what the bytes of `body` are, for whoever shows it; empty: UTF-8
  std::shared_ptr<const TransportOptions> options;
  std::chrono::milliseconds timeout{0};  ///< instead of options->total_timeout; zero: that
  /// For calls that must not be repeated (create): a new connection, HTTP/1.1, closed afterwards. On a re-used
  /// connection that dies unanswered libcurl sends a POST again by itself.
  bool fresh_connection = false;
  KnownBody known = {};
};

struct HttpAnswer {
  int status = 0;
  std::string content_type;       ///< as sent, with its charset
  std::string body;               ///< content encoding removed, charset as sent
  std::uint64_t fingerprint = 0;  ///< of `body`, without KnownBody::volatile_spans
  /// Those of TransportOptions::kept_headers that are there, names as written there; one that stands twice comes twice.
  std::vector<std::pair<std::string, std::string>> headers;
  bool known = false;                               ///< the body is the known one, and left out
  std::optional<std::chrono::seconds> retry_after;  ///< from Retry-After (seconds or a date), >= 0
  std::chrono::microseconds elapsed{};
};

/// For transports, with an answer that is complete but for its body: its fingerprint, and whether it is known.
void compare(std::string_view body, const KnownBody& known, HttpAnswer& answer);

struct FetchError {
  enum class Kind : std::uint8_t {
    resolve,    ///< no such host
    connect,    ///< no connection
    tls,        ///< handshake or certificate
    timeout,    ///< no (whole) answer in time
    transport,  ///< broken off: reset, short body, protocol error
    too_large,  ///< body over the cap
    refused,    ///< our own rules: scheme, redirect, malformed URL
    stopped,    ///< we are shutting down
  };
  Kind kind = Kind::transport;
  std::string message;
  /// Not one byte of the request can have reached the carrier. Only then may a create be tried again. Looked at closely
  /// only where a repetition would hurt (HttpRequest::fresh_connection); elsewhere true is true and false may be
  /// unknown.
  bool provably_unsent = false;
};
std::string_view name(FetchError::Kind kind);

using FetchResult = std::expected<HttpAnswer, FetchError>;

/// Sends requests; calls back once for each, on the deciding thread (daemon/runtime.h); several in one turn of it.
class HttpTransport {
 public:
  using Done = std::move_only_function<void(FetchResult)>;
  virtual ~HttpTransport() = default;
  /// Never blocks and never calls `done` from inside this call.
  virtual void submit(HttpRequest request, Done done) = 0;
};

}  // namespace remitod::carriers
