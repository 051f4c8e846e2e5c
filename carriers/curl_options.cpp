#include "carriers/curl_options.h"

#include <memory>
#include <optional>
#include <tuple>

namespace remitod::carriers {
namespace {

long tls_floor(std::string_view version) {
  if (version == "1.0") return CURL_SSLVERSION_TLSv1_0;
  if (version == "1.1") return CURL_SSLVERSION_TLSv1_1;
  if (version == "1.3") return CURL_SSLVERSION_TLSv1_3;
  return CURL_SSLVERSION_TLSv1_2;
}

void set_identity(CURL* easy, const TransportOptions& options) {
  const std::string& file = options.client_certificate;
  const bool pkcs12 = file.ends_with(".p12") || file.ends_with(".pfx");
  set_option(easy, CURLOPT_SSLCERTTYPE, pkcs12 ? "P12" : "PEM");
  set_option(easy, CURLOPT_SSLCERT, file.c_str());
  if (!options.client_key.empty()) set_option(easy, CURLOPT_SSLKEY, options.client_key.c_str());
  if (!options.client_key_password.empty()) set_option(easy, CURLOPT_KEYPASSWD, options.client_key_password.c_str());
}

}  // namespace

void configure(CURL* easy, const TransportOptions& options) {
  set_option(easy, CURLOPT_NOSIGNAL, 1L);
  // A look-up that hangs must end with the request's deadline; without this libcurl waits for the resolver's thread,
  // and with it every other transfer.
  set_option(easy, CURLOPT_QUICK_EXIT, 1L);
  set_option(easy, CURLOPT_PROTOCOLS_STR, options.http_allowed ? "http,https" : "https");
  set_option(easy, CURLOPT_DEFAULT_PROTOCOL, "https");
  set_option(easy, CURLOPT_FOLLOWLOCATION, options.redirects_max != 0 ? 1L : 0L);
  // libcurl counts the answer to a challenge of digest authentication, too.
  if (options.redirects_max != 0)
    set_option(easy, CURLOPT_MAXREDIRS, options.redirects_max + (options.digest ? 1L : 0L));
  set_option(easy, CURLOPT_REDIR_PROTOCOLS_STR, options.http_allowed ? "http,https" : "https");
  // What the environment says of proxies is ignored: an empty text is none, and none is excepted.
  set_option(easy, CURLOPT_PROXY, options.proxy.c_str());
  set_option(easy, CURLOPT_NOPROXY, "");
  if (!options.source_address.empty()) set_option(easy, CURLOPT_INTERFACE, options.source_address.c_str());
  set_option(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set_option(easy, CURLOPT_ACCEPT_ENCODING, "gzip");  // and what else it knows is decoded when it comes unasked
  set_option(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  // Not to wait whether an earlier request's connection turns out to multiplex: where that one hangs, all would.
  set_option(easy, CURLOPT_PIPEWAIT, 0L);

  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set_option(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.body_bytes_max));

  set_option(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set_option(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  set_option(easy, CURLOPT_SSLVERSION, tls_floor(options.tls_min));
  // OpenSSL's default security level refuses TLS 1.0 and 1.1 whatever the floor says.
  std::string ciphers = options.ciphers;
  if (options.tls_min < "1.2") ciphers = (ciphers.empty() ? "DEFAULT" : ciphers) + ":@SECLEVEL=0";
  if (!ciphers.empty()) set_option(easy, CURLOPT_SSL_CIPHER_LIST, ciphers.c_str());
  // The system's CAs stay trusted beside it: they are in the folder that CURLOPT_CAPATH names by default.
  if (!options.ca_file.empty()) set_option(easy, CURLOPT_CAINFO, options.ca_file.c_str());

  if (!options.client_certificate.empty()) set_identity(easy, options);
  if (!options.basic_user.empty()) {
    set_option(easy, CURLOPT_HTTPAUTH, static_cast<long>(options.digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC));
    set_option(easy, CURLOPT_USERNAME, options.basic_user.c_str());
    set_option(easy, CURLOPT_PASSWORD, options.basic_password.c_str());
  }
}

namespace {

using Origin = std::tuple<std::string, std::string, std::string>;

std::optional<Origin> origin_of(const std::string& text) {
  const std::unique_ptr<CURLU, CurlFreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  const auto part = [&](CURLUPart which) {
    char* value = nullptr;
    if (curl_url_get(url.get(), which, &value, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string{};
    std::string copy = value;
    curl_free(value);
    return copy;
  };
  return Origin{part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
}

}  // namespace

bool same_origin(const std::string& url, const std::string& other) {
  const auto origin = origin_of(url);
  return origin && origin == origin_of(other);
}

}  // namespace remitod::carriers
