#include "carriers/curl_transfer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "carriers/curl_transport.h"

namespace remitod::carriers {
namespace {

using std::chrono::milliseconds;

/// An option that libcurl refuses is a fault of this file (or of a libcurl without TLS); to go on would be to send
/// without what was asked for.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    std::fprintf(stderr, "libcurl refuses option %d: %s\n", static_cast<int>(option), curl_easy_strerror(code));
    std::abort();
  }
}

FetchError refusal(std::string message) {
  return {.kind = FetchError::Kind::refused, .message = std::move(message), .provably_unsent = true};
}

/// Text for logs, of which a carrier may have written a part.
std::string printable(std::string_view text) {
  constexpr std::size_t message_bytes_max = 300;
  std::string clean{text.substr(0, message_bytes_max)};
  std::ranges::replace_if(clean, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return clean;
}

FetchError::Kind kind_of(CURLcode code) {
  using enum FetchError::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return resolve;
    case CURLE_COULDNT_CONNECT:
      return connect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return tls;
    case CURLE_OPERATION_TIMEDOUT:
      return timeout;
    case CURLE_FILESIZE_EXCEEDED:
      return too_large;
    case CURLE_URL_MALFORMAT:
      return refused;
    default:
      return transport;
  }
}

long tls_floor(std::string_view version) {
  if (version == "1.0") return CURL_SSLVERSION_TLSv1_0;
  if (version == "1.1") return CURL_SSLVERSION_TLSv1_1;
  if (version == "1.3") return CURL_SSLVERSION_TLSv1_3;
  return CURL_SSLVERSION_TLSv1_2;
}

/// What holds for all requests with these options: set once, since setting it again would cost each request.
void configure(CURL* easy, const TransportOptions& options) {
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // A look-up that hangs must end with the request's deadline; without this libcurl waits for the resolver's thread,
  // and with it every other transfer.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, options.http_allowed ? "http,https" : "https");
  set(easy, CURLOPT_DEFAULT_PROTOCOL, "https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_ACCEPT_ENCODING, "gzip");  // and what else it knows is decoded when it comes unasked
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // Not to wait whether an earlier request's connection turns out to multiplex: where that one hangs, all would.
  set(easy, CURLOPT_PIPEWAIT, 0L);

  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(easy, CURLOPT_LOW_SPEED_LIMIT, options.low_speed_bytes);
  set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.low_speed_time.count()));
  set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.body_bytes_max));

  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  set(easy, CURLOPT_SSLVERSION, tls_floor(options.tls_min));
  // OpenSSL's default security level refuses TLS 1.0 and 1.1 whatever the floor says.
  if (options.tls_min < "1.2") set(easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0");
  // The system's CAs stay trusted beside it: they are in the folder that CURLOPT_CAPATH names by default.
  if (!options.ca_file.empty()) set(easy, CURLOPT_CAINFO, options.ca_file.c_str());

  if (!options.basic_user.empty()) {
    set(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy, CURLOPT_USERNAME, options.basic_user.c_str());
    set(easy, CURLOPT_PASSWORD, options.basic_password.c_str());
  }
}

}  // namespace

CurlTransfer::CurlTransfer(const TransportOptions& options) : options_(options), easy_(curl_easy_init()) {
  if (!easy_) std::abort();
  configure(easy(), options_);
  set(easy(), CURLOPT_PRIVATE, this);
  set(easy(), CURLOPT_ERRORBUFFER, error_text_.data());
  set(easy(), CURLOPT_WRITEFUNCTION, &CurlTransfer::take_body);
  set(easy(), CURLOPT_WRITEDATA, this);
  set(easy(), CURLOPT_PREREQFUNCTION, &CurlTransfer::note_request);
  set(easy(), CURLOPT_PREREQDATA, this);
  set(easy(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
}

std::expected<void, FetchError> CurlTransfer::load(Submission&& submission, milliseconds time_left) {
  done_ = std::move(submission.done);
  request_began_ = over_cap_ = false;
  error_text_.front() = '\0';

  HttpRequest& request = submission.request;
  const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT";
  if (request.method != method_ || has_body != had_body_) {
    constexpr std::array methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
    if (std::ranges::find(methods, request.method) == methods.end())
      return std::unexpected(refusal("the method '" + printable(request.method) + "' is not one of ours"));
    set_method(std::move(request.method), has_body);
  }
  if (request.url != url_) {
    if (request.url.find('\0') != std::string::npos) return std::unexpected(refusal("the URL holds a zero byte"));
    url_ = std::move(request.url);
    set(easy(), CURLOPT_URL, url_.c_str());
  }
  if (!header_list_ || request.headers != headers_) {
    if (auto made = set_headers(std::move(request.headers)); !made) return made;
  }
  if (has_body) {
    request_body_ = std::move(request.body);
    set(easy(), CURLOPT_POSTFIELDS, request_body_.data());
    set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_body_.size()));
  }
  if (request.fresh_connection != fresh_connection_) {
    fresh_connection_ = request.fresh_connection;
    set(easy(), CURLOPT_FRESH_CONNECT, fresh_connection_ ? 1L : 0L);
    set(easy(), CURLOPT_FORBID_REUSE, fresh_connection_ ? 1L : 0L);
    // Over HTTP/2 a stream that the server refuses is sent again, even on a new connection.
    const long version = fresh_connection_ ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
    set(easy(), CURLOPT_HTTP_VERSION, version);
  }
  if (time_left != time_left_) {
    time_left_ = time_left;
    set(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(std::max(time_left, milliseconds{1}).count()));
  }
  return {};
}

void CurlTransfer::set_method(std::string method, bool has_body) {
  if (has_body) {
    set(easy(), CURLOPT_POST, 1L);
  } else {
    set(easy(), CURLOPT_HTTPGET, 1L);
  }
  const bool own_word = method != (has_body ? "POST" : "GET");
  set(easy(), CURLOPT_CUSTOMREQUEST, own_word ? method.c_str() : static_cast<const char*>(nullptr));
  method_ = std::move(method);
  had_body_ = has_body;
}

std::expected<void, FetchError> CurlTransfer::set_headers(std::vector<std::string> headers) {
  using namespace std::string_view_literals;
  // What goes with every request that does not say otherwise. An empty one keeps libcurl from adding its own: a body
  // goes with its headers instead of waiting for a leave that old servers never give, and is no form. The others stand
  // here, not in options of libcurl, because it prints those twice, at a dozen instructions a character.
  constexpr std::array defaults{"Expect:", "Accept-Encoding: gzip", "User-Agent: remitod/" REMITOD_VERSION,
                                "Content-Type:"};
  header_list_.reset();
  std::unique_ptr<curl_slist, CurlFreeList> list;
  const auto append = [&list](const char* line) {
    curl_slist* longer = curl_slist_append(list.get(), line);
    if (!longer) std::abort();
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const std::string& header : headers) {
    if (header.find_first_of("\r\n\0"sv) != std::string::npos || header.find(':') == std::string::npos)
      return std::unexpected(refusal("a header is not one line 'Name: value'"));
    append(header.c_str());
  }
  for (const std::string_view line : defaults) {
    const std::size_t name_bytes = line.find(':') + 1;
    const bool said = std::ranges::any_of(headers, [&](const std::string& header) {
      return curl_strnequal(header.c_str(), line.data(), name_bytes) != 0;
    });
    if (!said) append(line.data());
  }
  set(easy(), CURLOPT_HTTPHEADER, list.get());
  header_list_ = std::move(list);
  headers_ = std::move(headers);
  return {};
}

std::size_t CurlTransfer::take_body(char* bytes, std::size_t, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  // MAXFILESIZE looks only at the length that is announced, before decoding.
  if (count > transfer.options_.body_bytes_max - transfer.body_.size()) {
    transfer.over_cap_ = true;
    return 0;
  }
  if (transfer.body_.empty()) transfer.body_.reserve(std::max(count, transfer.last_body_bytes_));
  transfer.body_.append(bytes, count);
  return count;
}

/// Called when a connection stands and the request is about to be written to it: until then nothing was sent.
int CurlTransfer::note_request(void* self, char*, char*, int, int) {
  static_cast<CurlTransfer*>(self)->request_began_ = true;
  return CURL_PREREQFUNC_OK;
}

Completion CurlTransfer::finish(CURLcode code) {
  FetchResult result = std::unexpected(FetchError{});
  if (code != CURLE_OK) {
    result = std::unexpected(error(code));
  } else if (const auto* target = curl_info<const char*>(easy(), CURLINFO_REDIRECT_URL)) {
    result = std::unexpected(
        FetchError{.kind = FetchError::Kind::refused, .message = "a redirect, not followed: " + printable(target)});
  } else {
    result = take_answer();
  }
  return unload(std::move(result));
}

Completion CurlTransfer::unload(FetchResult result) {
  std::string{}.swap(body_);  // clear() would keep the memory of a large one
  std::string{}.swap(request_body_);
  return {std::move(done_), std::move(result)};
}

HttpAnswer CurlTransfer::take_answer() {
  constexpr std::size_t remembered_bytes_max = 1 << 20;
  last_body_bytes_ = std::min(body_.size(), remembered_bytes_max);
  HttpAnswer answer;
  answer.status = static_cast<int>(curl_info<long>(easy(), CURLINFO_RESPONSE_CODE));
  if (const auto* type = curl_info<const char*>(easy(), CURLINFO_CONTENT_TYPE)) answer.content_type = type;
  answer.fingerprint = std::hash<std::string_view>{}(body_);
  answer.body = std::move(body_);
  // Zero: none, or not to be understood. Less: a date that has passed.
  if (const auto wait = curl_info<curl_off_t>(easy(), CURLINFO_RETRY_AFTER); wait != 0)
    answer.retry_after = std::clamp(std::chrono::seconds{wait}, std::chrono::seconds{0}, retry_after_max);
  answer.elapsed = std::chrono::microseconds{curl_info<curl_off_t>(easy(), CURLINFO_TOTAL_TIME_T)};
  return answer;
}

bool CurlTransfer::provably_unsent() const {
  return !request_began_ && curl_info<long>(easy(), CURLINFO_REQUEST_SIZE) == 0;
}

FetchError CurlTransfer::stopped() const {
  return {.kind = FetchError::Kind::stopped, .message = "shutting down", .provably_unsent = provably_unsent()};
}

FetchError CurlTransfer::error(CURLcode code) const {
  if (over_cap_ || code == CURLE_FILESIZE_EXCEEDED) {
    return {.kind = FetchError::Kind::too_large,
            .message = "the body is larger than " + std::to_string(options_.body_bytes_max) + " bytes",
            .provably_unsent = provably_unsent()};
  }
  // The same code says later that an answer is not HTTP.
  if (code == CURLE_UNSUPPORTED_PROTOCOL && !request_began_)
    return refusal("the URL's scheme is not one that the profile allows");
  const char* text = error_text_.front() ? error_text_.data() : curl_easy_strerror(code);
  return {.kind = kind_of(code), .message = printable(text), .provably_unsent = provably_unsent()};
}

}  // namespace remitod::carriers
