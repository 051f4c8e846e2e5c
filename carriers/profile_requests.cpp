// [track] and [create]: method, URL, headers and body -> templates.
#include <algorithm>
#include <array>

#include "carriers/payload.h"
#include "carriers/profile_parts.h"
#include "carriers/template_marks.h"

namespace remitod::carriers {
namespace {

struct RequestTexts {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  Escape body_escape = Escape::none;
};

RequestTexts read_texts(TableReader& reader) {
  static const std::vector<std::string> methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
  static const std::vector<std::string> body_formats{"xml", "json", "url", "none"};  // as Escape has them
  RequestTexts texts;
  const auto method = reader.choice("method", methods);
  if (method) texts.method = methods[*method];
  texts.url = reader.required_text("url").value_or("");
  texts.headers = reader.text_table("headers");
  texts.body = reader.text("body");
  const auto format = reader.choice("body_format", body_formats);
  if (format) texts.body_escape = static_cast<Escape>(*format);
  if (texts.body && !reader.has("body_format"))
    reader.error("body", "needs body_format: how values are escaped in it (\"xml\", \"json\", \"url\" or \"none\")");
  if (texts.body && texts.method == "GET" && reader.has("method") == method.has_value())
    reader.error("body", "a GET request has no body: state a method");
  return texts;
}

NameTree text_name() {
  return {NameTree::Kind::text, {}};
}

/// Data that puts a mark wherever a value that is not known yet would stand.
JsonValue marked(const NameTree& names) {
  if (names.kind == NameTree::Kind::text) return JsonValue::of_text(mark::hole(0));
  JsonValue object = JsonValue::of_object();
  for (const auto& [name, child] : names.members)
    if (child.kind != NameTree::Kind::lambda) object.members.emplace(name, marked(child));
  if (names.kind != NameTree::Kind::list) return object;
  return {JsonValue::Kind::array, {}, {std::move(object)}, {}};
}

JsonValue marked_data(const NameTree& names, const JsonValue& constants) {
  JsonValue data = marked(names);
  for (const auto& [name, values] : constants.members) data.members.insert_or_assign(name, values);
  return data;
}

/// Renders once with marks: what only rendering tells is told at load.
std::optional<std::string> try_text(TableReader& reader, std::string_view key, const std::string& text,
                                    const NameTree& names, const LoadContext& context, Part part, Escape escape) {
  if (!check_text(reader, key, text, names)) return std::nullopt;
  const auto rendered = render(text, marked_data(names, context.constants), {part, escape, context.base_url});
  if (rendered) return *rendered;
  reader.error(key, (rendered.error().name.empty() ? "" : rendered.error().name + " ") + rendered.error().message);
  return std::nullopt;
}

bool check_url(TableReader& reader, const std::string& text, const NameTree& names, const LoadContext& context) {
  const auto rendered = try_text(reader, "url", text, names, context, Part::url, Escape::url);
  if (!rendered) return false;
  const std::string known = rendered->substr(0, rendered->find(mark::hole_begin));
  const std::size_t host = known.find("://");
  const bool host_varies =
      known.size() < rendered->size() && host != known.npos && known.find_first_of("/?#", host + 3) == known.npos;
  std::string problem = host_varies ? "the host must not depend on a variable: a '/' has to stand before the first one"
                                    : url_problem(known, context.http_allowed);
  const auto is_literal = [](char c) { return c > ' ' && c < '\x7F'; };
  const auto is_mark = [](char c) { return c >= mark::hole_begin && c <= mark::between_end; };
  if (problem.empty() && !std::ranges::all_of(*rendered, [&](char c) { return is_literal(c) || is_mark(c); }))
    problem = "blanks, line breaks and letters beyond ASCII have to be percent-encoded in a URL";
  if (!problem.empty()) reader.error("url", problem);
  return problem.empty();
}

/// The names are good, and the texts render.
bool check_headers(TableReader& reader, const RequestTexts& texts, const NameTree& names, const LoadContext& context) {
  bool good = true;
  std::optional<TableReader> headers = texts.headers.empty() ? std::nullopt : reader.table("headers");
  for (const auto& [name, value] : texts.headers) {
    std::string problem;
    if (!is_header_name(name))
      problem = "is not a name of a header";
    else if (has_control_characters(value))
      problem = "a header holds no line break and no control character";
    if (!problem.empty()) headers->error(name, problem);
    good &= problem.empty() && try_text(*headers, name, value, names, context, Part::header, Escape::none).has_value();
  }
  return good;
}

NameTree track_names(const LoadContext& context) {
  NameTree names = constant_names(context.constants);
  NameTree items{NameTree::Kind::lambda, {}};
  for (const std::string_view variable : track_variable_names) {
    items.members.emplace(variable, text_name());
    // In a batch a variable outside {{#items}} would be the first shipment's, and the others would get its answer.
    if (context.batch_max == 1) names.members.emplace(variable, text_name());
  }
  items.members.emplace("comma", NameTree{NameTree::Kind::lambda, {}});
  names.members.emplace("items", std::move(items));
  return names;
}

/// Cuts a text that has been checked; an empty one if even so something is wrong.
TrackText cut_text(TableReader& reader, std::string_view key, const std::string& text, const LoadContext& context,
                   Part part, Escape escape) {
  auto cut = TrackText::cut(text, context.constants, {part, escape, context.base_url});
  if (cut) return *std::move(cut);
  reader.error(key, cut.error());
  return {};
}

}  // namespace

NameTree constant_names(const JsonValue& constants) {
  NameTree names;
  names.members.emplace("base_url", text_name());
  names.members.emplace("as_xml_text", NameTree{NameTree::Kind::lambda, {}});
  names.members.emplace("as_json_text", NameTree{NameTree::Kind::lambda, {}});
  for (const auto& [group, values] : constants.members)
    for (const auto& [name, value] : values.members) names.members[group].members.emplace(name, text_name());
  return names;
}

std::string url_problem(std::string_view url, bool http_allowed) {
  const bool plain = url.starts_with("http://");
  if (!plain && !url.starts_with("https://")) return "expected a URL that begins with https://";
  if (plain && !http_allowed) return "http:// is not encrypted: it needs transport.http_allowed = true";
  url.remove_prefix(url.find("://") + 3);
  const std::string_view host = url.substr(0, url.find_first_of("/?#"));
  if (host.empty()) return "the URL names no host";
  if (host.contains('@')) return "no credentials in a URL: they belong in [auth]";
  return "";
}

bool is_loopback(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  const std::string_view host = url.substr(0, url.find_first_of("/?#"));
  const std::string_view name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name == "127.0.0.1" || name == "localhost" || name == "[::1]";
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";  // RFC 9110, token
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.contains(c);
  });
}

bool check_text(TableReader& reader, std::string_view key, const std::string& text, const NameTree& names) {
  const std::vector<TemplateError> errors = check_template(text, names);
  for (const TemplateError& error : errors) {
    const auto lines = std::ranges::count(std::string_view{text}.substr(0, error.offset), '\n');
    reader.error(key, error.message, static_cast<int>(lines));
  }
  return errors.empty();
}

TrackTemplate load_track_request(TableReader& track, const LoadContext& context) {
  const RequestTexts texts = read_texts(track);
  const NameTree names = track_names(context);
  TrackTemplate request;
  request.method = texts.method;
  request.constant_headers = context.auth_headers;
  const bool url_good = !texts.url.empty() && check_url(track, texts.url, names, context);
  const bool headers_good = check_headers(track, texts, names, context);
  const bool body_good =
      !texts.body || try_text(track, "body", *texts.body, names, context, Part::body, texts.body_escape);
  if (!url_good || !headers_good || !body_good) return request;

  request.url = cut_text(track, "url", texts.url, context, Part::url, Escape::url);
  request.uses_dates = request.url.uses_dates();
  bool repeats_items = request.url.repeats_items();
  for (const auto& [name, value] : texts.headers) {
    TrackText header = cut_text(track, "headers", name + ": " + value, context, Part::header, Escape::none);
    request.uses_dates |= header.uses_dates();
    if (header.is_constant())
      request.constant_headers.emplace_back(header.first_literal());
    else
      request.headers.push_back(std::move(header));
  }
  if (texts.body) {
    request.body = cut_text(track, "body", *texts.body, context, Part::body, texts.body_escape);
    request.uses_dates |= request.body->uses_dates();
    repeats_items |= request.body->repeats_items();
  }
  if (context.batch_max > 1 && !repeats_items)
    track.error(texts.body ? "body" : "url",
                "limits.batch_max is more than 1, but neither URL nor body has {{#items}}");
  return request;
}

CreateTemplate load_create_request(TableReader& create, std::vector<std::string>& required,
                                   const LoadContext& context) {
  const RequestTexts texts = read_texts(create);
  CreateTemplate request;
  request.method = texts.method;
  request.url = texts.url;
  request.constant_headers = context.auth_headers;
  request.headers = texts.headers;
  request.body = texts.body.value_or("");
  request.body_escape = texts.body_escape;
  request.base_url = context.base_url;
  request.constants = context.constants;

  required = create.texts("required");
  for (const std::string_view name : {"order_number", "parcel_group", "service", "client_ref"})
    request.names.members.emplace(name, text_name());
  for (const std::string& path : required)
    if (const auto declared = declare_field(request.names, path); !declared) create.error("required", declared.error());
  for (const std::string& path : create.texts("optional"))
    if (const auto declared = declare_field(request.names, path); !declared) create.error("optional", declared.error());

  NameTree names = constant_names(context.constants);
  names.members.insert(request.names.members.begin(), request.names.members.end());
  if (!texts.url.empty()) check_url(create, texts.url, names, context);
  check_headers(create, texts, names, context);
  if (texts.body) try_text(create, "body", *texts.body, names, context, Part::body, texts.body_escape);
  return request;
}

}  // namespace remitod::carriers
