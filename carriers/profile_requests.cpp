// Method, URL, headers and body of an operation -> templates.
#include <algorithm>
#include <array>

#include "carriers/body_charset.h"
#include "carriers/charset.h"
#include "carriers/escape.h"
#include "carriers/media_type.h"
#include "carriers/profile_parts.h"
#include "carriers/template_marks.h"

namespace remitod::carriers {
namespace {

struct RequestTexts {
  std::string method = "GET";
  std::string url;
  NamedTexts headers;
  std::optional<std::string> body;
  Escape body_escape = Escape::none;
  std::optional<std::string> body_charset;
  std::chrono::milliseconds timeout{0};
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
  texts.body_charset = reader.text("body_charset");
  if (texts.body_charset && !texts.body) reader.error("body_charset", "there is no body that would leave in it");
  texts.timeout = reader.duration("timeout").value_or(std::chrono::milliseconds{0});
  return texts;
}

/// Data that puts a mark wherever a value that is not known yet would stand.
JsonValue marked(const NameTree& names) {
  if (names.kind == NameTree::Kind::text) return JsonValue::of_text(mark::hole(0));
  JsonValue object = JsonValue::of_object();
  for (const auto& [name, child] : names.members)
    if (child.kind != NameTree::Kind::lambda && child.kind != NameTree::Kind::unlisted)
      object.members.emplace(name, marked(child));
  if (names.kind != NameTree::Kind::list) return object;
  return {JsonValue::Kind::array, {}, {std::move(object)}, {}};
}

JsonValue marked_data(const NameTree& names, const JsonValue& constants) {
  JsonValue data = marked(names);
  for (const auto& [name, values] : constants.members) data.members.insert_or_assign(name, values);
  return data;
}

void report(TableReader& reader, std::string_view key, const RenderError& error) {
  reader.error(key, (error.name.empty() ? "" : "{{" + error.name + "}} ") + error.message);
}

/// Renders and cuts once with marks: what only that tells is told at load.
std::optional<std::string> try_text(TableReader& reader, std::string_view key, const std::string& text,
                                    const NameTree& names, const LoadContext& context, const Rendering& rendering) {
  if (!check_text(reader, key, text, names)) return std::nullopt;
  const JsonValue data = marked_data(names, context.constants);
  auto rendered = render(text, data, rendering);
  if (!rendered) {
    report(reader, key, rendered.error());
    return std::nullopt;
  }
  if (const auto cut = CutText::cut(text, data, context.session, rendering); !cut) {
    report(reader, key, cut.error());
    return std::nullopt;
  }
  return *std::move(rendered);
}

/// What stands in a rendered URL besides what is still to be filled in: that will be percent-encoded.
std::string known_characters(std::string_view rendered) {
  std::string known;
  for (std::size_t at = 0; at < rendered.size();) {
    const char c = rendered[at];
    if (c == mark::function_begin)
      at = mark::end_of_application(rendered, at);
    else if (c == mark::hole_begin)
      at = rendered.find(mark::hole_end, at) + 1;
    else if (mark::all.contains(c))
      ++at;
    else
      known += rendered[at++];
  }
  return known;
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";  // RFC 9110, token
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.contains(c);
  });
}

/// An operation's own header takes the place of the one of [auth].
NamedTexts with_auth_headers(const NamedTexts& own, const LoadContext& context) {
  NamedTexts all;
  for (const auto& header : context.auth_headers)
    if (std::ranges::none_of(own, [&](const auto& one) { return equal_ignoring_case(one.first, header.first); }))
      all.push_back(header);
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

std::string with_auth_query(std::string url, const LoadContext& context) {
  for (const auto& [name, value] : context.auth_query) {
    url += url.contains('?') ? '&' : '?';
    url += name + "=" + value;
  }
  return url;
}

/// In a URL the finished body may be signed; in a header the URL, too.
NameTree url_names(NameTree names) {
  for (const Variable variable : {Variable::method, Variable::body})
    names.members.emplace(variable_names.at(static_cast<std::size_t>(variable)), text_name());
  return names;
}
NameTree header_names(NameTree names) {
  names = url_names(std::move(names));
  for (const Variable variable : {Variable::url, Variable::url_path, Variable::url_query})
    names.members.emplace(variable_names.at(static_cast<std::size_t>(variable)), text_name());
  return names;
}

/// The charset that the Content-Type states; empty: none.
std::string stated_charset(TableReader& reader, const NamedTexts& own, const NamedTexts& all) {
  const auto header =
      std::ranges::find_if(all, [](const auto& one) { return equal_ignoring_case(one.first, "Content-Type"); });
  const std::string charset(header == all.end() ? "" : header_parameter(header->second, "charset"));
  const std::string problem = charset.empty()          ? ""
                              : charset.contains("{{") ? "the charset of a body is written out, without variables"
                                                       : body_charset_problem(charset);
  if (problem.empty()) return charset;
  if (std::ranges::find(own, *header) != own.end())
    reader.table("headers")->error(header->first, problem);
  else
    reader.error("body", "the Content-Type of [auth]: " + problem);
  return "";
}

/// What stands in a template besides its {{...}}.
std::string literal_text(std::string_view text) {
  std::string literal;
  for (std::size_t open; (open = text.find("{{")) != text.npos;) {
    literal += text.substr(0, open);
    const std::size_t close = text.find("}}", open);
    text.remove_prefix(close == text.npos ? text.size() : close + 2);
  }
  return literal.append(text);
}

/// The charset that the body leaves in; empty: UTF-8.
std::string load_body_charset(TableReader& reader, const RequestTexts& texts, const NamedTexts& headers) {
  std::string charset;
  if (!texts.body_charset)
    charset = stated_charset(reader, texts.headers, headers);
  else if (const std::string problem = body_charset_problem(*texts.body_charset); !problem.empty())
    reader.error("body_charset", problem);
  else
    charset = *texts.body_charset;
  if (is_utf8_name(charset)) charset.clear();
  // No request with that could ever be made. What else it is made of may become something else on the way: a secret in
  // a digest.
  if (const auto written = to_charset(literal_text(*texts.body), charset, texts.body_escape); !written)
    reader.error("body", lacking(written.error(), charset));
  return charset;
}

/// The texts of a request with what [auth] adds to them; nothing where something is wrong with them.
std::optional<CallTemplate> load_texts(TableReader& reader, const NameTree& names, const LoadContext& context) {
  const RequestTexts texts = read_texts(reader);
  CallTemplate request;
  request.method = texts.method;
  request.url = with_auth_query(texts.url, context);
  request.headers = with_auth_headers(texts.headers, context);
  request.body = texts.body;
  request.body_escape = texts.body_escape;
  request.timeout = texts.timeout;
  request.base_url = context.base_url;
  request.constants = context.constants;
  request.session = context.session;
  const bool url_good = !texts.url.empty() && check_url(reader, "url", texts.url, names, context);
  const bool headers_good = check_headers(reader, "headers", texts.headers, names, context);
  const bool body_good = !texts.body || try_text(reader, "body", *texts.body, names, context,
                                                 {Part::body, texts.body_escape, context.base_url});
  if (!url_good || !headers_good || !body_good) return std::nullopt;
  if (texts.body) request.body_charset = load_body_charset(reader, texts, request.headers);
  return request;
}

}  // namespace

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

std::string unencoded_problem(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  const std::size_t host_end = scheme_end == url.npos ? 0 : url.find_first_of("/?#", scheme_end + 3);
  for (std::size_t at = find_unencoded(url); at != url.npos; at = find_unencoded(url, at + 1)) {
    const char c = url[at];
    if (at < host_end && (c == '[' || c == ']')) continue;  // around an address of IPv6
    if (c <= ' ' || c >= '\x7F')
      return "blanks, line breaks and letters beyond ASCII have to be percent-encoded in a URL";
    std::string encoded;
    append_escaped(encoded, {&c, 1}, Escape::url);
    return "'" + std::string{c} + "' has to be percent-encoded in a URL, as " + encoded;
  }
  return "";
}

bool check_text(TableReader& reader, std::string_view key, const std::string& text, const NameTree& names) {
  const std::vector<TemplateError> errors = check_template(text, names);
  for (const TemplateError& error : errors) {
    const auto lines = std::ranges::count(std::string_view{text}.substr(0, error.offset), '\n');
    reader.error(key, error.message, static_cast<int>(lines));
  }
  return errors.empty();
}

bool check_url(TableReader& reader, std::string_view key, const std::string& url, const NameTree& names,
               const LoadContext& context) {
  const auto rendered =
      try_text(reader, key, url, url_names(names), context, {Part::url, Escape::url, context.base_url});
  if (!rendered) return false;
  const std::string known = rendered->substr(0, rendered->find_first_of(mark::all));
  const std::size_t host = known.find("://");
  const bool host_varies =
      known.size() < rendered->size() && host != known.npos && known.find_first_of("/?#", host + 3) == known.npos;
  std::string problem = host_varies ? "the host must not depend on a variable: a '/' has to stand before the first one"
                                    : url_problem(known, context.http_allowed);
  if (problem.empty()) problem = unencoded_problem(known_characters(*rendered));
  if (!problem.empty()) reader.error(key, problem);
  return problem.empty();
}

bool check_headers(TableReader& reader, std::string_view key, const NamedTexts& headers, const NameTree& names,
                   const LoadContext& context) {
  bool good = true;
  std::optional<TableReader> table = headers.empty() ? std::nullopt : reader.table(key);
  for (const auto& [name, value] : headers) {
    std::string problem;
    if (!is_header_name(name))
      problem = "is not a name of a header";
    else if (has_control_characters(value))
      problem = "a header holds no line break and no control character";
    if (!problem.empty()) table->error(name, problem);
    const Rendering rendering{Part::header, Escape::none, context.base_url};
    good &= problem.empty() && try_text(*table, name, value, header_names(names), context, rendering).has_value();
  }
  return good;
}

std::string constant_text(TableReader& reader, std::string_view key, const LoadContext& context) {
  const std::optional<std::string> text = reader.text(key);
  LoadContext constants_only;
  constants_only.constants = context.constants;
  if (!text || !check_text(reader, key, *text, common_names(constants_only))) return {};
  const auto cut = CutText::cut(*text, context.constants, {}, {Part::header, Escape::none, context.base_url});
  if (!cut)
    report(reader, key, cut.error());
  else if (!cut->is_constant())
    reader.error(key, "expected settings and secrets alone: what differs from request to request has no place here");
  return cut ? std::string(cut->first_literal()) : std::string{};
}

void check_paging(TableReader& operation, const CutTemplate& request, const std::optional<Paging>& paging) {
  if (!paging || paging->kind == Paging::Kind::link) return;
  const bool is_counted = paging->kind == Paging::Kind::page;
  const Variable changes = is_counted ? Variable::page : Variable::cursor;
  const auto uses = [changes](const CutText& text) { return text.uses({changes}); };
  if (uses(request.url) || std::ranges::any_of(request.headers, uses) || (request.body && uses(*request.body))) return;
  const std::string variable = is_counted ? "{{page}}" : "{{cursor}}";
  if (auto table = operation.table("paging"))
    table->error("kind", "neither URL, headers nor body of the request has " + variable +
                             ": it would ask for its first page again and again");
}

CutTemplate load_track_request(TableReader& track, const LoadContext& context, const std::optional<Paging>& paging,
                               int first_page) {
  auto request = load_texts(track, track_names(context, paging.has_value()), context);
  if (!request) return {};
  request->first_page = first_page;
  auto cut = cut_template(*request, context.constants);
  if (!cut) {
    report(track, "", cut.error());
    return {};
  }
  check_paging(track, *cut, paging);
  const bool names_items = cut->url.names_items() || (cut->body && cut->body->names_items());
  if (context.batch_max > 1 && !names_items)
    track.error(
        request->body ? "body" : "url",
        "limits.batch_max is more than 1, but neither URL nor body has {{remito}} in {{#items}} outside of a digest");
  return *std::move(cut);
}

CallTemplate load_call_request(TableReader& operation, NameTree names, const LoadContext& context) {
  NameTree all = common_names(context);
  all.members.insert(names.members.begin(), names.members.end());
  CallTemplate request = load_texts(operation, all, context).value_or(CallTemplate{});
  request.names = std::move(names);
  return request;
}

}  // namespace remitod::carriers
