#include "carriers/paging.h"

#include <re2/re2.h>
#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <cstdlib>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/escape.h"
#include "carriers/excerpt.h"
#include "carriers/mapping_reports.h"
#include "carriers/media_type.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t cursor_bytes_max = 4096;
constexpr std::size_t link_bytes_shown = 200;

std::unexpected<CarrierTrouble> trouble(const std::string& message) {
  return std::unexpected(CarrierTrouble{CarrierTrouble::Kind::malformed, "paging: " + message});
}

const std::optional<Paging>& paging_of(const CompiledProfile& profile, PagedOperation operation) {
  return operation == PagedOperation::track ? profile.track->paging : profile.feed->paging;
}

const ReportRules& reports_of(const CompiledProfile& profile, PagedOperation operation) {
  return operation == PagedOperation::track ? profile.track->reports : profile.feed->reports;
}

/// The target of rel="next" in a Link header (RFC 8288): <URL>; rel="next", <URL>; rel="last".
std::string link_of_header(const std::string& name, const HttpAnswer& answer) {
  static const RE2 link(R"(<([^>]*)>((?:[^,<"]|"[^"]*")*))");
  static const RE2 is_next(R"re((?i);\s*rel\s*=\s*(?:next\b|"[^"]*\bnext\b[^"]*"))re");
  for (const auto& [header, value] : answer.headers) {
    if (header != name) continue;
    re2::StringPiece rest(value.data(), value.size());
    std::string target, parameters;
    while (RE2::FindAndConsume(&rest, link, &target, &parameters))
      if (RE2::PartialMatch(parameters, is_next)) return target;
  }
  return {};
}

/// https://c.example and https://C.example:443 are one place: proxies and frameworks write the port out.
std::uint16_t port_of(const boost::urls::url_view_base& url) {
  return url.port().empty() ? boost::urls::default_port(url.scheme_id()) : url.port_number();
}

/// Carriers write blanks, letters and brackets into a link as they are. A host stays as it is written.
std::string encoded(std::string_view link) {
  link = link.substr(0, link.find('#'));
  const std::size_t scheme_end = link.find("://");
  const bool names_host = scheme_end != link.npos && link.find_first_of("/?") > scheme_end;
  const std::size_t host_end = names_host ? std::min(link.find_first_of("/?", scheme_end + 3), link.size()) : 0;
  std::string text(link.substr(0, host_end));
  for (std::size_t at = host_end; at < link.size();) {
    const std::size_t plain = std::min(find_unencoded(link, at), link.size());
    text += link.substr(at, plain - at);
    append_escaped(text, link.substr(plain, 1), Escape::url);
    at = plain + 1;
  }
  return text;
}

/// The link as a whole URL. Only the carrier's own host gets what we send, credentials included.
std::expected<std::string, CarrierTrouble> follow(const std::string& from, const std::string& link) {
  const auto base = boost::urls::parse_uri(from);
  const std::string whole_link = encoded(link);
  const auto reference = boost::urls::parse_uri_reference(whole_link);
  boost::urls::url target;
  if (!base || !reference || !boost::urls::resolve(*base, *reference, target))
    return trouble("the next link is no URL: '" + excerpt(link, 0, link_bytes_shown) + "'");
  const bool same_place = target.scheme_id() == base->scheme_id() && equal_ignoring_case(target.host(), base->host()) &&
                          port_of(target) == port_of(*base) && !target.has_userinfo();
  if (!same_place) return trouble("the next link leads to another host");
  return std::string(target.buffer());
}

}  // namespace

bool has_pages(const Profile& profile, PagedOperation operation) {
  return paging_of(profile.compiled(), operation).has_value();
}

std::expected<std::optional<PagePosition>, CarrierTrouble> next_page(const Profile& profile, PagedOperation operation,
                                                                     const HttpRequest& request,
                                                                     const HttpAnswer& answer,
                                                                     const PagePosition& position) {
  if (!has_pages(profile, operation)) return std::nullopt;
  const Paging& paging = *paging_of(profile.compiled(), operation);
  const std::expected<Document, CarrierTrouble> document =
      open_answer(reports_of(profile.compiled(), operation).answer, answer);
  if (!document) return std::nullopt;

  PagePosition next{
      .number = position.number + 1, .cursor = {}, .url = {}, .bytes = position.bytes + answer.body.size()};
  if (paging.kind == Paging::Kind::page) {
    if (!says(paging.more, *document)) return std::nullopt;
  } else {
    std::string said = paging.next_header.empty() ? read(paging.next, document->tree(), cursor_bytes_max + 4)
                                                  : link_of_header(paging.next_header, answer);
    if (said.empty()) return std::nullopt;
    if (said.size() > cursor_bytes_max) return trouble("a cursor of more than 4096 bytes");
    if (paging.kind == Paging::Kind::cursor) {
      next.cursor = std::move(said);
    } else {
      auto url = follow(request.url, said);
      if (!url) return std::unexpected(std::move(url.error()));
      next.url = *std::move(url);
    }
    if (next.cursor == position.cursor && (next.url.empty() || next.url == request.url))
      return trouble("the page leads to itself");
  }
  if (next.number > paging.pages_max) return trouble("more than " + std::to_string(paging.pages_max) + " pages");
  if (next.bytes > request.options->body_bytes_max)
    return trouble("the pages together are larger than one answer may be");
  return next;
}

std::expected<TrackAnswer, CarrierTrouble> map_track_pages(const Profile& profile, std::span<const HttpAnswer> pages,
                                                           std::span<const TrackItem> asked) {
  // What is told instead of shipments (no such number, a failure) is told by a single page.
  if (pages.size() == 1) return map_track(profile, pages.front(), asked);
  const ReportRules& rules = profile.compiled().track->reports;
  ReportReader reader{rules, asked};
  for (const HttpAnswer& page : pages) {
    const std::expected<Document, CarrierTrouble> document = open_answer(rules.answer, page);
    if (!document) return std::unexpected(document.error());
    reader.read(*document);
  }
  return std::move(reader).finish();
}

std::expected<TrackAnswer, CarrierTrouble> map_feed(const Profile& profile, std::span<const HttpAnswer> pages) {
  if (!profile.can_feed()) std::abort();
  const ReportRules& rules = profile.compiled().feed->reports;
  ReportReader reader{rules, std::nullopt};
  for (const HttpAnswer& page : pages) {
    const std::expected<Document, CarrierTrouble> document = open_answer(rules.answer, page);
    if (!document) return std::unexpected(document.error());
    if (!says(rules.not_found, *document)) reader.read(*document);
  }
  return std::move(reader).finish();
}

}  // namespace remitod::carriers
