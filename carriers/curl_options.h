// What holds for every transfer of one carrier. Private to carriers/curl_*.
#pragma once

#include <curl/curl.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "carriers/transport.h"

namespace remitod::carriers {

/// An option that libcurl refuses is a fault of this file (or of a libcurl without TLS); to go on would be to send
/// without what was asked for.
template <class Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    std::fprintf(stderr, "libcurl refuses option %d: %s\n", static_cast<int>(option), curl_easy_strerror(code));
    std::abort();
  }
}

struct CurlFreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

/// What holds for all requests with these options: set once, since setting it again would cost each request.
void configure(CURL* easy, const TransportOptions& options);

/// Scheme, host and port are the same; false where one is no URL.
bool same_origin(const std::string& url, const std::string& other);

}  // namespace remitod::carriers
