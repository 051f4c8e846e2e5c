#include "tests/sim/wire.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace remitod::sim {
namespace {

using carriers::FetchResult;
using nlohmann::ordered_json;

FetchResult json_answer(const ordered_json& body) {
  return test::http_answer(200, body.dump(), "application/json");
}

std::string after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  return at == std::string_view::npos ? "" : std::string(text.substr(at + mark.size()));
}

// "https://NAME.example/..."
Request read_json_request(const carriers::HttpRequest& http) {
  Request request;
  const std::string rest = after(http.url, "https://");
  request.carrier = rest.substr(0, rest.find('.'));
  for (const std::string& header : http.headers)
    if (header.starts_with("X-Token: ")) request.token = after(header, "X-Token: ");
  if (http.url.ends_with("/login")) {
    request.kind = Request::Kind::login;
  } else if (http.method == "DELETE") {
    request.kind = Request::Kind::cancel;
    request.remitos = {after(http.url, "/shipments/")};
  } else if (http.method == "POST") {
    const auto body = ordered_json::parse(http.body);
    request.kind = Request::Kind::create;
    request.client_ref = body.at("reference");
    request.order_number = body.at("order");
  } else if (http.url.contains("?reference=")) {
    request.kind = Request::Kind::find;
    request.client_ref = after(http.url, "?reference=");
  } else {
    request.remitos = {after(http.url, "/track/")};
  }
  return request;
}

}  // namespace

std::string Request::in_words() const {
  switch (kind) {
    case Kind::track:
      return carrier + " track " + std::to_string(remitos.size()) + " " + remitos.at(0);
    case Kind::create:
      return carrier + " create " + client_ref + " " + order_number;
    case Kind::find:
      return carrier + " find " + client_ref;
    case Kind::cancel:
      return carrier + " cancel " + remitos.at(0);
    case Kind::login:
      return carrier + " login";
  }
  std::unreachable();
}

Request read_request(const carriers::HttpRequest& http) {
  if (http.url.contains(".example/")) return read_json_request(http);
  test::Asked asked = test::read_request(http);
  return {std::move(asked.carrier),    asked.create ? Request::Kind::create : Request::Kind::track,
          std::move(asked.remitos),    std::move(asked.order_number),
          std::move(asked.client_ref), ""};
}

FetchResult json_tracking(std::span<const test::WireEvent> history, std::string_view trace) {
  if (history.empty()) return json_none();
  ordered_json events = ordered_json::array();
  for (const test::WireEvent& event : history)
    events.push_back({{"code", event.code}, {"text", event.text}, {"at", to_iso8601(event.at)}});
  return json_answer({{"state", "ok"}, {"trace", trace}, {"events", events}});
}

FetchResult json_number(const std::string& remito) {
  return json_answer({{"state", "ok"}, {"number", remito}});
}

FetchResult json_cancelled() {
  return json_answer({{"state", "ok"}});
}

FetchResult json_refused(std::string_view why) {
  return json_answer({{"state", "refused"}, {"why", why}});
}

FetchResult json_none() {
  return json_answer({{"state", "none"}});
}

FetchResult json_token(const std::string& token) {
  return json_answer({{"state", "ok"}, {"token", token}});
}

FetchResult json_login_wanted() {
  return json_answer({{"state", "login"}});
}

}  // namespace remitod::sim
