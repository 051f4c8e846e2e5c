#include "carriers/request_fill.h"

#include <algorithm>
#include <string>
#include <utility>

#include "carriers/aws_signature.h"
#include "carriers/body_charset.h"
#include "carriers/digest.h"

namespace remitod::carriers {
namespace {

/// RFC 9562, version 4.
std::string uuid_text(Random random) {
  random[6] = static_cast<std::uint8_t>((random[6] & 0x0F) | 0x40);
  random[8] = static_cast<std::uint8_t>((random[8] & 0x3F) | 0x80);
  std::string text = to_hex({reinterpret_cast<const char*>(random.data()), random.size()});
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

void set_url_parts(CallValues& values, std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find_first_of("/?#", host), url.size());
  const std::size_t query = std::min(url.find('?', path), url.size());
  values.url_path = url.substr(path, query - path);
  if (values.url_path.empty()) values.url_path = "/";
  values.url_query = url.substr(std::min(query + 1, url.size()));
}

bool has_value(std::string_view header) {
  return !is_blank(header.substr(header.find(':') + 1));
}

/// Which field holds a character that the body's charset lacks.
std::string holder_of(std::string_view character, std::span<const ItemValues> items, const JsonValue* order) {
  for (const ItemValues& item : items)
    if (item.remito.contains(character)) return "remito";
  const std::string place = order ? place_of(*order, character) : "";
  return place.empty() ? "body" : place;
}

/// Fills the texts of one request; the first refusal stays.
class Texts {
 public:
  Texts(CallValues& values, std::span<const ItemValues> items) : values_(values), items_(items) {}

  void append(std::string& out, const CutText& text, std::string_view what) {
    const auto filled = text.append_to(out, values_, items_);
    if (!filled) refuse(what, filled.error());
  }
  void refuse(std::string_view what, std::string message) {
    if (!error_) error_ = RequestError{std::string(what), std::move(message)};
  }
  const std::optional<RequestError>& error() const { return error_; }

 private:
  const CallValues& values_;
  std::span<const ItemValues> items_;
  std::optional<RequestError> error_;
};

}  // namespace

std::expected<HttpRequest, RequestError> fill_request(const CompiledProfile& profile, const CutTemplate& request,
                                                      const Call& call, const FeedWindow& window,
                                                      std::span<const ItemValues> items, const JsonValue* order) {
  if (call.session.size() < request.session_values)
    return std::unexpected(RequestError{"session", "there is none yet: log in first"});
  CallValues values;
  values.times = {call.now, window.since, window.until, {}, profile.zone};
  values.session = call.session;
  values.method = request.method;
  values.is_next_page = call.page.number > 1;
  values.cursor = call.page.cursor;
  std::string uuid, page;
  if (request.uses_uuid) values.uuid = uuid = uuid_text(call.random);
  if (request.uses_page) values.page = page = std::to_string(call.page.number - 1 + request.first_page);

  HttpRequest http;
  http.method = request.method;
  http.options = profile.transport;
  http.timeout = request.timeout;
  Texts texts(values, items);
  if (request.body) texts.append(http.body, *request.body, "body");
  if (!request.body_charset.empty()) {  // of few carriers, and of nearly no question where a shipment is
    auto written = to_charset(http.body, request.body_charset, request.body_escape);
    if (!written)
      texts.refuse(holder_of(written.error(), items, order), lacking(written.error(), request.body_charset));
    http.body = std::move(written).value_or("");
    http.body_charset = request.body_charset;
  }
  values.body = http.body;
  if (call.page.url.empty())
    texts.append(http.url, request.url, "url");
  else
    http.url = call.page.url;
  values.url = http.url;
  if (request.uses_url_parts) set_url_parts(values, http.url);
  http.headers.reserve(request.constant_headers.size() + request.headers.size());
  http.headers = request.constant_headers;
  for (const CutText& header : request.headers) {
    texts.append(http.headers.emplace_back(), header, "headers");
    // What a function or a cursor brings is known only now.
    if (has_control_characters(http.headers.back()))
      texts.refuse("headers", "one holds a line break or another control character");
    if (!has_value(http.headers.back())) http.headers.pop_back();
  }
  if (texts.error()) return std::unexpected(*texts.error());
  if (profile.aws) sign(http, *profile.aws, call.now);
  return http;
}

}  // namespace remitod::carriers
