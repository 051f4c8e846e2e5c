#include "carriers/curl_url.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace remitod::carriers {
namespace {

/// Up to the / behind the host; empty where what follows is not sent as it stands: libcurl takes a fragment away and
/// dots out of paths, and refuses what is no URL.
std::string_view plain_origin(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return {};
  const std::size_t path = url.find_first_of("/?#", url.find("://") + 3);
  if (path == std::string_view::npos || url[path] != '/') return {};
  const std::string_view target = url.substr(path);
  const bool is_plain = std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  return is_plain && !target.contains("/.") ? url.substr(0, path + 1) : std::string_view{};
}

}  // namespace

// With redirects a target would be sent to wherever they lead; a proxy is sent whole URLs, and digest authentication
// signs the URL's path.
CurlUrl::CurlUrl(const TransportOptions& options)
    : may_name_target_(options.redirects_max == 0 && options.proxy.empty() && !options.digest) {}

void CurlUrl::set(CURL* easy, std::string url) {
  const bool is_same = url == url_;
  if (is_same && (names_target_ || parsed_)) return;
  url_ = std::move(url);
  if (is_same) {
    parse(easy, url_);
    return;
  }
  const std::string_view origin = may_name_target_ ? plain_origin(url_) : std::string_view{};
  if (!origin.empty() && origin == origin_) {
    if (!names_target_ && parse(easy, origin_)) {
      set_option(easy, CURLOPT_URL, origin_.c_str());
      names_target_ = true;
    }
    if (names_target_) {
      set_option(easy, CURLOPT_REQUEST_TARGET, url_.c_str() + origin.size() - 1);
      return;
    }
  }
  origin_ = origin;
  set_option(easy, CURLOPT_URL, url_.c_str());
  set_option(easy, CURLOPT_CURLU, static_cast<CURLU*>(nullptr));
  parsed_.reset();
  if (std::exchange(names_target_, false)) set_option(easy, CURLOPT_REQUEST_TARGET, static_cast<const char*>(nullptr));
}

/// The URL's text stays set, too: of it libcurl 7.88 tells what the effective URL was (its issue 15984). What cannot be
/// parsed is left to libcurl, which says what is wrong with it.
bool CurlUrl::parse(CURL* easy, const std::string& text) {
  std::unique_ptr<CURLU, CurlFreeUrl> parsed(curl_url());
  if (!parsed) std::abort();
  constexpr unsigned as_libcurl_does = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
  if (curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), as_libcurl_does) != CURLUE_OK) return false;
  set_option(easy, CURLOPT_CURLU, parsed.get());
  parsed_ = std::move(parsed);
  return true;
}

}  // namespace remitod::carriers
