#include "carriers/aws_signature.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "carriers/digest.h"
#include "carriers/escape.h"
#include "carriers/written_time.h"

namespace remitod::carriers {
namespace {

struct UrlParts {
  std::string_view host, path, query;
};

UrlParts parts_of(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find_first_of("/?", host), url.size());
  const std::size_t query = std::min(url.find('?', path), url.size());
  return {url.substr(host, path - host), url.substr(path, query - path), url.substr(std::min(query + 1, url.size()))};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return result;
}

/// Without blanks at the ends, runs of them made one.
std::string collapsed(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' || (!result.empty() && result.back() != ' ')) result += c;
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

/// The path is percent-encoded once more: what stands in a URL is encoded once already.
std::string canonical_path(std::string_view path) {
  std::string result;
  for (const char c : path.empty() ? std::string_view{"/"} : path) {
    if (c == '/')
      result += c;
    else
      append_escaped(result, {&c, 1}, Escape::url);
  }
  return result;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::string> parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    std::string parameter{query.substr(0, end)};
    if (!parameter.contains('=')) parameter += '=';
    if (end != 0) parameters.push_back(std::move(parameter));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  // By name, then by value: '=' sorts after characters that a name may hold.
  std::ranges::sort(parameters, {}, [](const std::string& parameter) {
    const std::size_t equals = parameter.find('=');
    return std::pair{parameter.substr(0, equals), parameter.substr(equals + 1)};
  });
  std::string result;
  for (const std::string& parameter : parameters) result += (result.empty() ? "" : "&") + parameter;
  return result;
}

std::map<std::string, std::string> signed_headers(const HttpRequest& request, std::string_view host) {
  std::map<std::string, std::string> headers{{"host", std::string(host)}};
  for (const std::string& header : request.headers) {
    const std::size_t colon = header.find(':');
    const std::string name = lower(std::string_view{header}.substr(0, colon));
    if (name == "content-type" || name.starts_with("x-amz-"))
      headers[name] = collapsed(std::string_view{header}.substr(colon + 1));
  }
  return headers;
}

}  // namespace

void sign(HttpRequest& request, const AwsCredentials& credentials, Instant now) {
  const std::string time = write_time(now, "%Y%m%dT%H%M%SZ", "UTC").value();
  const std::string day = time.substr(0, 8);
  request.headers.push_back("X-Amz-Date: " + time);
  if (!credentials.session_token.empty())
    request.headers.push_back("X-Amz-Security-Token: " + credentials.session_token);

  const UrlParts url = parts_of(request.url);
  std::string header_lines, header_names;
  for (const auto& [name, value] : signed_headers(request, url.host)) {
    header_lines += name + ":" + value + "\n";
    header_names += (header_names.empty() ? "" : ";") + name;
  }
  const std::string canonical = request.method + "\n" + canonical_path(url.path) + "\n" + canonical_query(url.query) +
                                "\n" + header_lines + "\n" + header_names + "\n" +
                                to_hex(hash(Digest::sha256, request.body));

  const std::string scope = day + "/" + credentials.region + "/" + credentials.service + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + to_hex(hash(Digest::sha256, canonical));
  std::string key = "AWS4" + credentials.secret_key;
  for (const std::string_view step : {std::string_view{day}, std::string_view{credentials.region},
                                      std::string_view{credentials.service}, std::string_view{"aws4_request"}})
    key = hmac(Digest::sha256, key, step);
  request.headers.push_back("Authorization: AWS4-HMAC-SHA256 Credential=" + credentials.access_key + "/" + scope +
                            ", SignedHeaders=" + header_names +
                            ", Signature=" + to_hex(hmac(Digest::sha256, key, to_sign)));
}

}  // namespace remitod::carriers
