#include "carriers/check_request.h"

#include <algorithm>
#include <pugixml.hpp>

#include "carriers/body_charset.h"
#include "carriers/charset.h"
#include "carriers/check_pages.h"
#include "carriers/compiled.h"
#include "carriers/excerpt.h"
#include "carriers/invented_order.h"
#include "carriers/media_type.h"
#include "carriers/remito.h"
#include "carriers/request.h"
#include "carriers/request_fill.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

using Built = std::expected<HttpRequest, RequestError>;

std::vector<std::string> invented_session(const Profile& profile) {
  std::vector<std::string> values;
  for (const std::string& name : profile.compiled().session_names) values.push_back(name + "-417");
  return values;
}

Built build_login(const CompiledProfile& profile, std::size_t step, const Call& call) {
  if (!profile.session || step > profile.session->login.size())
    return std::unexpected(RequestError{"step", "the profile's login has no such step"});
  const CallTemplate& request = profile.session->login.at(step - 1).request;
  const auto cut = cut_template(request, request.constants);
  if (!cut) return std::unexpected(RequestError{cut.error().name, cut.error().message});
  return fill_request(profile, *cut, call);
}

Built build(const Profile& profile, const Expectation& of, const Call& call) {
  const CreateOrder order{.order_number = of.order_number,
                          .parcel_group = of.parcel_group,
                          .service = of.service,
                          .client_ref = of.client_ref,
                          .payload = of.payload ? std::string_view(*of.payload) : "{}",
                          .remito = of.remito};
  const CancelOrder cancel{of.remito, of.order_number, of.client_ref, of.shipment_id};
  if (of.operation == "track") return build_track(profile, asked_items(of), call);
  if (of.operation == "feed") return build_feed(profile, {of.at - std::chrono::hours{1}, of.at}, call);
  if (of.operation == "create") return build_create(profile, order, call);
  if (of.operation == "confirm") return build_confirm(profile, order, call);
  if (of.operation == "find") return build_find(profile, order, call);
  if (of.operation == "quote") return build_quote(profile, order, call);
  if (of.operation == "cancel") return build_cancel(profile, cancel, call);
  if (of.operation == "cancel.lookup") return build_cancel_lookup(profile, cancel, call);
  return build_login(profile.compiled(), of.step, call);
}

/// A text, or the lines that it is made of.
std::string whole_text(const json& value) {
  if (!value.is_array()) return value.is_string() ? value.get<std::string>() : value.dump();
  std::string text;
  for (const json& line : value) text += (text.empty() ? "" : "\n") + whole_text(line);
  return text;
}

/// "" where there is no such header.
std::string content_type(const HttpRequest& request) {
  constexpr std::string_view name = "content-type:";
  for (const std::string& header : request.headers)
    if (starts_ignoring_case(header, name))
      return header.substr(std::min(header.find_first_not_of(' ', name.size()), header.size()));
  return "";
}

/// "application/soap+xml" and "text/xml" are "xml".
bool is_kind(std::string_view type, std::string_view kind) {
  const std::size_t begin = type.find_last_of("/+") + 1;  // zero: neither is there
  return begin != 0 && equal_ignoring_case(type.substr(begin), kind);
}

std::string near(std::string_view body, std::size_t byte) {
  constexpr std::size_t before = 20, shown = 40;
  const std::size_t from = byte < before ? 0 : byte - before;
  return ": near '" + excerpt(body, std::min(from, body.size()), shown) + "'";
}

}  // namespace

std::string body_problem(const HttpRequest& request) {
  const std::string header = content_type(request);
  if (request.body.empty()) return "";
  const std::string body = readable_body(request);
  const std::string_view type = media_type(header);
  if (is_kind(type, "json")) {
    try {
      [[maybe_unused]] const json parsed = json::parse(body);
    } catch (const json::parse_error& error) {
      return "the body is no JSON" + near(body, error.byte);
    } catch (const json::exception& error) {  // a number that is too large for any
      return std::string("the body is no JSON: ") + error.what();
    }
  }
  if (is_kind(type, "xml")) {
    pugi::xml_document document;
    const pugi::xml_parse_result result =
        document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!result)
      return std::string("the body is no XML: ") + result.description() +
             near(body, static_cast<std::size_t>(result.offset));
  }
  // Not of a document inside of another text, in JSON or a form.
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  const bool begins_as_xml = begin != body.npos && body.compare(begin, 5, "<?xml") == 0;
  const std::pair<const char*, std::string> stated[] = {
      {"Content-Type", std::string(header_parameter(header, "charset"))},
      {"declaration", begins_as_xml ? std::string(charset_of_xml(body)) : ""}};
  for (const auto& [who, charset] : stated)
    if (!charset.empty() && !is_readable_as(request.body_charset, charset))
      return "the body leaves in " + (request.body_charset.empty() ? "UTF-8" : request.body_charset) + ", and its " +
             who + " says " + charset;
  return "";
}

std::expected<HttpRequest, std::string> request_of(const Profile& profile, const Expectation& expectation) {
  const std::vector<std::string> session = invented_session(profile);
  Call call(expectation.at);
  call.session = session;
  auto request = build(profile, expectation, call);
  if (!request) return std::unexpected(request.error().field + " " + request.error().message);
  return *std::move(request);
}

std::vector<Deviation> request_differences(const json& expected, const HttpRequest& request,
                                           const std::string& operation, const ProfileLines& lines) {
  const json sent = told(request);
  std::vector<Deviation> deviations;
  for (const auto& [key, wanted] : expected.items()) {
    if (whole_text(wanted) == whole_text(sent[key])) continue;
    const std::string path = operation + "." + key;
    Deviation deviation{
        "request: " + key, wanted.dump(), sent[key].dump(-1, ' ', false, json::error_handler_t::replace), {}};
    if (const int line = lines.of(path); line != 0) deviation.deciders.push_back({path, line});
    deviations.push_back(std::move(deviation));
  }
  return deviations;
}

std::optional<ShownRequest> invented_create(const Profile& profile, std::string& problem_of_body) {
  const auto& create = profile.compiled().create;
  if (!create || !create->is_sent) return std::nullopt;
  Expectation order;
  order.operation = "create";
  order.at = from_iso8601("2026-11-02T15:04:05Z").value();
  order.order_number = invented_order_number;
  order.client_ref = "R7-MP-0417";
  order.remito = create->range ? "0000000417" : "";
  order.payload = invented_payload(create->request.names);
  const auto request = request_of(profile, order);
  ShownRequest shown{"create", "", "", ""};
  if (!request) {
    shown.problem = request.error();
    return shown;
  }
  problem_of_body = body_problem(*request);
  shown.text = request->method + " " + request->url + "\n";
  for (const std::string& header : request->headers) shown.text += header + "\n";
  shown.text += "\n" + readable_body(*request);
  shown.body_charset = request->body_charset;
  return shown;
}

}  // namespace remitod::carriers
