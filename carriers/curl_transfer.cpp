#include "carriers/curl_transfer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "carriers/curl_options.h"
#include "carriers/curl_transport.h"
#include "carriers/tracking.h"

namespace remitod::carriers {
namespace {

using std::chrono::milliseconds;

/// Where the last answer was no longer than this, one that is probably known already is not asked for compressed: to
/// spare a packet or two the carrier would work for 90 us on 1.3 KB, and we for 5 (zlib).
constexpr std::size_t small_bytes_max = 4 << 10;

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
    case CURLE_TOO_MANY_REDIRECTS:
      return refused;
    default:
      return transport;
  }
}

}  // namespace

CurlTransfer::CurlTransfer(const TransportOptions& options)
    : options_(options), url_(options), easy_(curl_easy_init()) {
  if (!easy_) std::abort();
  configure(easy(), options_);
  set_option(easy(), CURLOPT_PRIVATE, this);
  set_option(easy(), CURLOPT_ERRORBUFFER, error_text_.data());
  set_option(easy(), CURLOPT_WRITEFUNCTION, &CurlTransfer::take_body);
  set_option(easy(), CURLOPT_WRITEDATA, this);
  set_option(easy(), CURLOPT_PREREQDATA, this);
  if (options_.redirects_max != 0) set_option(easy(), CURLOPT_PREREQFUNCTION, &CurlTransfer::check_redirect);
  set_option(easy(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
}

std::expected<void, FetchError> CurlTransfer::load(Submission&& submission, milliseconds time_left, Time now) {
  done_ = std::move(submission.done);
  request_began_ = over_cap_ = led_elsewhere_ = false;
  error_text_.front() = '\0';
  looked_at_ = fast_at_ = now;
  bytes_then_ = 0;

  HttpRequest& request = submission.request;
  known_ = std::move(request.known);
  const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT";
  if (request.method != method_ || has_body != had_body_) {
    constexpr std::array methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
    if (std::ranges::find(methods, request.method) == methods.end())
      return std::unexpected(refusal("the method '" + printable(request.method) + "' is not one of ours"));
    set_method(std::move(request.method), has_body);
  }
  if (request.url.find('\0') != std::string::npos) return std::unexpected(refusal("the URL holds a zero byte"));
  url_.set(easy(), std::move(request.url));
  const bool compressed = known_.fingerprint == 0 || last_body_bytes_ == 0 || last_body_bytes_ > small_bytes_max;
  if (!header_list_ || compressed != compressed_ || request.headers != headers_) {
    if (auto made = set_headers(std::move(request.headers), compressed); !made) return made;
  }
  if (has_body) {
    request_body_ = std::move(request.body);
    set_option(easy(), CURLOPT_POSTFIELDS, request_body_.data());
    set_option(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_body_.size()));
  }
  if (request.fresh_connection != fresh_connection_) {
    fresh_connection_ = request.fresh_connection;
    set_option(easy(), CURLOPT_FRESH_CONNECT, fresh_connection_ ? 1L : 0L);
    set_option(easy(), CURLOPT_FORBID_REUSE, fresh_connection_ ? 1L : 0L);
    const auto prereq = options_.redirects_max != 0 ? &CurlTransfer::check_redirect : nullptr;
    set_option(easy(), CURLOPT_PREREQFUNCTION, fresh_connection_ ? &CurlTransfer::note_request : prereq);
    set_option(easy(), CURLOPT_FOLLOWLOCATION, options_.redirects_max != 0 && !fresh_connection_ ? 1L : 0L);
    // Over HTTP/2 a stream that the server refuses is sent again, even on a new connection.
    const long version = fresh_connection_ ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
    set_option(easy(), CURLOPT_HTTP_VERSION, version);
  }
  if (time_left != time_left_) {
    time_left_ = time_left;
    set_option(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(std::max(time_left, milliseconds{1}).count()));
  }
  return {};
}

void CurlTransfer::set_method(std::string method, bool has_body) {
  if (has_body) {
    set_option(easy(), CURLOPT_POST, 1L);
  } else {
    set_option(easy(), CURLOPT_HTTPGET, 1L);
  }
  const bool own_word = method != (has_body ? "POST" : "GET");
  set_option(easy(), CURLOPT_CUSTOMREQUEST, own_word ? method.c_str() : static_cast<const char*>(nullptr));
  method_ = std::move(method);
  had_body_ = has_body;
}

std::expected<void, FetchError> CurlTransfer::set_headers(std::vector<std::string> headers, bool compressed) {
  using namespace std::string_view_literals;
  // What goes with every request that does not say otherwise. An empty one keeps libcurl from adding its own: a body
  // goes with its headers instead of waiting for a leave that old servers never give, and is no form. The others stand
  // here, not in options of libcurl, because it prints those twice, character by character.
  const std::array defaults{"Expect:", compressed ? "Accept-Encoding: gzip" : "Accept-Encoding:",
                            "User-Agent: remitod/" REMITOD_VERSION, "Content-Type:"};
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
  set_option(easy(), CURLOPT_HTTPHEADER, list.get());
  header_list_ = std::move(list);
  headers_ = std::move(headers);
  compressed_ = compressed;
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

/// Called before each request of a transfer that may be redirected, when a connection stands. Where the carrier leads
/// elsewhere nothing is sent: it would be our credentials.
int CurlTransfer::check_redirect(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const auto* target = curl_info<const char*>(transfer.easy(), CURLINFO_EFFECTIVE_URL);
  transfer.led_elsewhere_ = !target || !same_origin(transfer.url_.text(), target);
  return transfer.led_elsewhere_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

Completion CurlTransfer::finish(CURLcode code) {
  FetchResult result = std::unexpected(FetchError{});
  if (code != CURLE_OK) {
    result = std::unexpected(error(code));
  } else if (curl_info<const char*>(easy(), CURLINFO_REDIRECT_URL)) {
    curl_header* location = nullptr;  // not the URL that libcurl makes of it: to what it knows of ours it is relative
    const bool is_told = curl_easy_header(easy(), "Location", 0, CURLH_HEADER, -1, &location) == CURLHE_OK;
    result = std::unexpected(
        FetchError{.kind = FetchError::Kind::refused,
                   .message = "a redirect, not followed: " + printable(is_told ? location->value : "")});
  } else {
    result = take_answer();
  }
  return unload(std::move(result));
}

Completion CurlTransfer::unload(FetchResult result) {
  if (!result) last_body_bytes_ = 0;                // maybe it was too large for the line
  constexpr std::size_t kept_bytes_max = 64 << 10;  // more is not held on to between two requests
  for (std::string* text : {&body_, &request_body_}) {
    text->clear();
    if (text->capacity() > kept_bytes_max) text->shrink_to_fit();
  }
  return {std::move(done_), std::move(result)};
}

HttpAnswer CurlTransfer::take_answer() {
  constexpr int newest_request = -1;  // of those that redirects and authentication make of one
  constexpr std::size_t remembered_bytes_max = 1 << 20;
  last_body_bytes_ = std::min(body_.size(), remembered_bytes_max);
  HttpAnswer answer;
  answer.status = static_cast<int>(curl_info<long>(easy(), CURLINFO_RESPONSE_CODE));
  compare(body_, known_, answer);
  if (!answer.known) {  // else the buffer stays here, for the next request
    if (const auto* type = curl_info<const char*>(easy(), CURLINFO_CONTENT_TYPE)) answer.content_type = type;
    answer.body = std::move(body_);
  }
  for (const std::string& name : options_.kept_headers) {
    curl_header* header = nullptr;
    for (std::size_t i = 0;
         curl_easy_header(easy(), name.c_str(), i, CURLH_HEADER, newest_request, &header) == CURLHE_OK; ++i)
      answer.headers.emplace_back(name, header->value);
  }
  // Zero: none, or not to be understood. Less: a date that has passed.
  if (const auto wait = curl_info<curl_off_t>(easy(), CURLINFO_RETRY_AFTER); wait != 0)
    answer.retry_after = std::clamp(std::chrono::seconds{wait}, std::chrono::seconds{0}, retry_after_max);
  answer.elapsed = std::chrono::microseconds{curl_info<curl_off_t>(easy(), CURLINFO_TOTAL_TIME_T)};
  return answer;
}

bool CurlTransfer::provably_unsent() const {
  return !request_began_ && curl_info<long>(easy(), CURLINFO_REQUEST_SIZE) == 0;
}

curl_off_t CurlTransfer::bytes_moved() const {
  return curl_info<curl_off_t>(easy(), CURLINFO_SIZE_DOWNLOAD_T) +
         curl_info<curl_off_t>(easy(), CURLINFO_SIZE_UPLOAD_T) + curl_info<long>(easy(), CURLINFO_HEADER_SIZE) +
         curl_info<long>(easy(), CURLINFO_REQUEST_SIZE);
}

bool CurlTransfer::is_too_slow(Time now) {
  const curl_off_t bytes = bytes_moved();
  const double seconds = std::chrono::duration<double>(now - std::exchange(looked_at_, now)).count();
  const auto moved = static_cast<double>(bytes - std::exchange(bytes_then_, bytes));
  // A call that must not be repeated is waited for until its deadline: the carrier may be making a shipment, and
  // whoever hangs up would not know which.
  const bool is_awaited = fresh_connection_ && curl_info<curl_off_t>(easy(), CURLINFO_STARTTRANSFER_TIME_T) == 0;
  if (is_awaited || moved >= static_cast<double>(options_.low_speed_bytes) * seconds) fast_at_ = now;
  return now - fast_at_ >= options_.low_speed_time;
}

FetchError CurlTransfer::too_slow() const {
  return {.kind = FetchError::Kind::timeout,
          .message = "too slow: fewer than " + std::to_string(options_.low_speed_bytes) + " bytes a second for " +
                     std::to_string(options_.low_speed_time.count()) + " seconds",
          .provably_unsent = provably_unsent()};
}

FetchError CurlTransfer::stopped() const {
  return {.kind = FetchError::Kind::stopped, .message = "shutting down", .provably_unsent = provably_unsent()};
}

FetchError CurlTransfer::error(CURLcode code) const {
  if (led_elsewhere_)
    return {.kind = FetchError::Kind::refused,
            .message = "a redirect to another host, not followed: " +
                       printable(curl_info<const char*>(easy(), CURLINFO_EFFECTIVE_URL)),
            .provably_unsent = false};
  if (over_cap_ || code == CURLE_FILESIZE_EXCEEDED) {
    return {.kind = FetchError::Kind::too_large,
            .message = "the body is larger than " + std::to_string(options_.body_bytes_max) + " bytes",
            .provably_unsent = provably_unsent()};
  }
  // The same code says later that an answer is not HTTP.
  if (code == CURLE_UNSUPPORTED_PROTOCOL && curl_info<long>(easy(), CURLINFO_REQUEST_SIZE) == 0)
    return refusal("the URL's scheme is not one that the profile allows");
  const char* text = error_text_.front() ? error_text_.data() : curl_easy_strerror(code);
  return {.kind = kind_of(code), .message = printable(text), .provably_unsent = provably_unsent()};
}

}  // namespace remitod::carriers
