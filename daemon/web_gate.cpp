#include "daemon/web_gate.h"

#include <openssl/crypto.h>
#include <boost/beast/core/string.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/authority_rule.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "carriers/digest.h"
#include "daemon/web_page.h"

namespace remitod::daemon {
namespace {

enum class Access : std::uint8_t {
  anybody,  ///< whether it lives, and the page, which says nothing by itself
  look,     ///< what ops read
  token,    ///< what changes something, and what people's names and addresses stand in
};
struct Call {
  std::string_view method;
  std::string_view path;
  Access access;
};
constexpr Call calls[] = {
    {"GET", "/healthz", Access::anybody}, {"GET", "/readyz", Access::anybody},
    {"GET", "/metrics", Access::look},    {"GET", "/status", Access::look},
    {"GET", "/explain", Access::look},    {"GET", "/activity", Access::look},
    {"GET", "/find", Access::look},       {"GET", "/resync", Access::look},
    {"GET", "/answers", Access::token},   {"POST", "/resync", Access::token},
    {"POST", "/try", Access::token},      {"POST", "/settle", Access::token},
    {"POST", "/requests", Access::token}, {"POST", "/requests/view", Access::token},
    {"POST", "/replay", Access::token},   {"POST", "/sinks/enable", Access::token},
};
constexpr std::string_view scheme = "Bearer ";

bool equal(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

}  // namespace

WebAnswer web_failure(int status, std::string_view message) {
  using nlohmann::json;
  return {status, "application/json", json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}

WebGate::WebGate(Settings settings)
    : settings_(std::move(settings)), token_digest_(carriers::hash(carriers::Digest::sha256, settings_.token)) {}

std::optional<WebAnswer> WebGate::refuse(const WebRequest& request) const {
  // Load balancers name nobody (HTTP/1.0), or whom they please; health is no secret.
  const bool asks_for_health = request.path == "/healthz" || request.path == "/readyz";
  if (settings_.checks_host && !asks_for_health && !knows_host(request.host))
    return web_failure(403, "nobody of this name here: listen.names of remitod.toml has the names to be reached by");
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string methods;  // of this path
  std::optional<Access> access;
  for (const Call& call : calls) {
    if (call.path != request.path) continue;
    methods += (methods.empty() ? "" : ", ") + std::string(call.method);
    if (call.method == method) access = call.access;
  }
  if (page_file(request.path)) {
    methods = "GET";
    if (method == "GET") access = Access::anybody;
  }
  if (methods.empty()) return web_failure(404, "no such call: " + request.method + " " + request.path);
  if (!access) {
    WebAnswer answer = web_failure(405, request.path + " takes " + methods);
    answer.headers.emplace_back("Allow", methods);
    return answer;
  }
  const bool wants_token = *access == Access::token || (*access == Access::look && settings_.reached_by_others);
  if (!wants_token) return std::nullopt;
  if (settings_.token.empty())
    return web_failure(403, "this wants a token, and listen.token of remitod.toml states none");
  if (is_token(request.authorization)) return std::nullopt;
  WebAnswer answer = web_failure(401, "this wants the token: Authorization: Bearer TOKEN");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"remitod\"");
  return answer;
}

bool WebGate::knows_host(std::string_view host) const {
  const auto authority = boost::urls::parse_authority({host.data(), host.size()});
  if (!authority || authority->has_userinfo()) return false;
  switch (authority->host_type()) {
    case boost::urls::host_type::ipv4:
    case boost::urls::host_type::ipv6:
      return true;  // nobody else's name leads here by its number
    default:
      break;
  }
  const std::string name = authority->host();
  return equal(name, "localhost") ||
         std::ranges::any_of(settings_.names, [&](const std::string& ours) { return equal(name, ours); });
}

// Compared by their digests, which have one length, in a time that does not depend on what they are.
bool WebGate::is_token(std::string_view authorization) const {
  if (authorization.size() < scheme.size() || !equal(authorization.substr(0, scheme.size()), scheme)) return false;
  const std::string given = carriers::hash(carriers::Digest::sha256, authorization.substr(scheme.size()));
  return CRYPTO_memcmp(given.data(), token_digest_.data(), given.size()) == 0;
}

}  // namespace remitod::daemon
