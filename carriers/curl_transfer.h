// One request on libcurl's hands. Private to curl_transport.cpp; no file but carriers/curl_* includes curl. Belongs to
// the transport's thread.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "carriers/curl_options.h"
#include "carriers/curl_url.h"
#include "carriers/transport.h"
#include "carriers/transport_gate.h"

namespace remitod::carriers {

template <class Value>
Value curl_info(CURL* easy, CURLINFO what) {
  Value value{};
  curl_easy_getinfo(easy, what, &value);
  return value;
}

struct CurlFreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CurlFreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// One easy handle and the request that it carries. Remembers what was set last: setting it again would cost more than
/// comparing, and one carrier's requests differ in little.
class CurlTransfer {
 public:
  using Time = TransportQueue::Time;
  explicit CurlTransfer(const TransportOptions& options);

  /// Loads the handle with a request, or says why it is not sent.
  std::expected<void, FetchError> load(Submission&& submission, std::chrono::milliseconds time_left, Time now);
  /// Has it been slower than its options allow, for longer than they allow? To be asked about twice a second. libcurl's
  /// own option arms a timer at every turn of every transfer, a tenth of all that a poll costs.
  bool is_too_slow(Time now);
  /// What became of it, taken out; the handle can be loaded again. Not while it is in a multi handle.
  Completion finish(CURLcode code);
  /// Takes the request out with a result of one's own.
  Completion unload(FetchResult result);
  FetchError stopped() const;
  FetchError too_slow() const;

  CURL* easy() const { return easy_.get(); }
  const TransportOptions& options() const { return options_; }
  bool loaded() const { return static_cast<bool>(done_); }

 private:
  static std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* self);
  static int note_request(void* self, char*, char*, int, int);
  static int check_redirect(void* self, char*, char*, int, int);
  std::expected<void, FetchError> set_headers(std::vector<std::string> headers, bool compressed);
  void set_method(std::string method, bool has_body);
  HttpAnswer take_answer();
  curl_off_t bytes_moved() const;
  FetchError error(CURLcode code) const;
  bool provably_unsent() const;

  const TransportOptions& options_;
  CurlUrl url_;  ///< outlives the handle, which reads it
  std::unique_ptr<CURL, CurlFreeEasy> easy_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};

  std::string method_;
  std::vector<std::string> headers_;
  std::unique_ptr<curl_slist, CurlFreeList> header_list_;
  bool compressed_ = false;  ///< asked for so, by header_list_
  bool had_body_ = false, fresh_connection_ = false;
  std::chrono::milliseconds time_left_{};

  HttpTransport::Done done_;
  std::string request_body_;  // libcurl reads it in place
  std::string body_;
  std::size_t last_body_bytes_ = 0;
  KnownBody known_;
  Time looked_at_{}, fast_at_{};  ///< when is_too_slow() was asked last, and when it was fast enough last
  curl_off_t bytes_then_ = 0;     ///< moved until looked_at_
  bool request_began_ = false, over_cap_ = false, led_elsewhere_ = false;
};

}  // namespace remitod::carriers
