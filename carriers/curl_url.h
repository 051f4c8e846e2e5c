// Where a transfer goes, told to libcurl with as little work for it as can be. Private to carriers/curl_*.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "carriers/curl_options.h"

namespace remitod::carriers {

/// libcurl parses a URL and writes it down anew at each request, which is a fifth of all instructions that it spends on
/// one. So a URL that stays the same is parsed once (CURLOPT_CURLU), and of those that differ in what follows the host
/// only that is told (CURLOPT_REQUEST_TARGET).
class CurlUrl {
 public:
  explicit CurlUrl(const TransportOptions& options);

  /// For the handle's next request; always the same handle, which is gone before this is. The URL holds no zero byte.
  void set(CURL* easy, std::string url);
  const std::string& text() const { return url_; }

 private:
  bool parse(CURL* easy, const std::string& text);

  const bool may_name_target_;
  std::string url_, origin_;                    ///< the origin with the / behind it; empty: the URL does not show one
  std::unique_ptr<CURLU, CurlFreeUrl> parsed_;  ///< null: not yet
  bool names_target_ = false;                   ///< the handle has the origin alone, and a target
};

}  // namespace remitod::carriers
