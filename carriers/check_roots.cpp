#include "carriers/check_roots.h"

#include <algorithm>
#include <array>

#include "carriers/files_operation.h"
#include "carriers/report_expressions.h"

namespace remitod::carriers {
namespace {

// In the order of Format; XML's is the carrier's own.
constexpr std::array<std::string_view, 6> roots{"", "json", "csv", "fixed_width", "edifact", "x12"};
constexpr std::string_view blanks = " \t\r\n";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

/// May a path begin behind this? In doubt no: "a -/b" is not looked at.
bool may_precede_path(std::string_view before) {
  before = before.substr(0, before.find_last_not_of(blanks) + 1);
  if (before.empty() || std::string_view("([,|=<>+").contains(before.back())) return true;
  constexpr std::array<std::string_view, 4> operators{" or", " and", " div", " mod"};
  return std::ranges::any_of(operators, [&](std::string_view word) { return before.ends_with(word); });
}

/// Of "json/code" the "json". Empty: what begins there is no plain name.
std::string_view first_step(std::string_view path) {
  path = path.substr(std::min(path.find_first_not_of(blanks), path.size()));
  const auto end = static_cast<std::size_t>(std::ranges::find_if_not(path, is_name_character) - path.begin());
  const std::string_view rest = path.substr(std::min(path.find_first_not_of(blanks, end), path.size()));
  const bool is_other = end == 0 || path.front() == '.' || rest.starts_with(':') || rest.starts_with('(');
  return is_other ? std::string_view{} : path.substr(0, end);
}

/// Every format has one root but XML, whose documents call theirs as they like; none is known that calls it json.
bool is_foreign(std::string_view root, Format format) {
  if (format != Format::xml) return root != roots.at(static_cast<std::size_t>(format));
  return root == roots.at(static_cast<std::size_t>(Format::json));
}

/// Where a key stands; of an item in a list that has no line of its own, the list.
Decider place_of(std::string key, const ProfileLines& lines) {
  while (lines.of(key) == 0 && key.contains('.')) key.erase(key.rfind('.'));
  return {key, lines.of(key)};
}

class RootRemarks {
 public:
  explicit RootRemarks(const ProfileLines& lines) : lines_(lines) {}

  /// Those of one answer, by its format.
  template <class... Reads>
  void look_at(const AnswerRules& answer, const Reads&... reads) {
    format_ = answer.decode.format;
    each(answer.success);
    each(answer.error);
    each(answer.auth_error);
    each(answer.throttled);
    (each(reads), ...);
  }

  void look_at(const ReportRules& rules) {
    format_ = rules.answer.decode.format;
    visit_expressions(rules, [&](const std::string&, const Query& query, bool) { one(query); });
  }
  /// Of the answer that was looked at last.
  void look_at(const std::optional<Paging>& paging) {
    if (!paging) return;
    each(paging->more);
    each(paging->next);
  }

  void look_at(const LoginStep& step) {
    look_at(step.answer, step.lifetime, step.expires_at);
    for (const SessionSource& source : step.sources) each(source.field);
  }

  std::vector<Remark> take() { return std::move(remarks_); }

 private:
  template <class Read>
  void each(const std::optional<Read>& read) {
    if (read) one(*read);
  }
  void one(const Field& field) {
    each(field.query);
    for (const Field& part : field.parts) one(part);
  }
  void one(const Query& query) {
    const auto root = foreign_root(query.text, format_);
    if (!root) return;
    static constexpr std::array<const char*, 6> names{"XML", "JSON", "CSV", "fixed width", "EDIFACT", "X12"};
    const auto format = static_cast<std::size_t>(format_);
    remarks_.push_back({place_of(query.key, lines_),
                        "'" + query.text + "' finds nothing: this answer is " + names.at(format) +
                            (format_ == Format::xml ? ", and " + *root + " is the root of JSON"
                                                    : ", and begins with /" + std::string(roots.at(format)))});
  }

  const ProfileLines& lines_;
  Format format_ = Format::xml;
  std::vector<Remark> remarks_;
};

}  // namespace

std::optional<std::string> foreign_root(std::string_view xpath, Format format) {
  for (std::size_t at = 0; at < xpath.size(); ++at) {
    if (xpath[at] == '\'' || xpath[at] == '"') {
      at = std::min(xpath.find(xpath[at], at + 1), xpath.size());
    } else if (xpath.substr(at).starts_with("//")) {
      ++at;
    } else if (xpath[at] == '/' && may_precede_path(xpath.substr(0, at))) {
      const std::string_view root = first_step(xpath.substr(at + 1));
      if (!root.empty() && is_foreign(root, format)) return "/" + std::string(root);
    }
  }
  return std::nullopt;
}

std::vector<Remark> remarks_on_roots(const CompiledProfile& profile, const ProfileLines& lines) {
  RootRemarks found(lines);
  if (profile.session) {
    for (const LoginStep& step : profile.session->login) found.look_at(step);
    if (profile.session->refresh) found.look_at(*profile.session->refresh);
  }
  if (profile.track) {
    found.look_at(profile.track->reports);
    found.look_at(profile.track->paging);
  }
  if (const ReportRules* feed = feed_rules(profile)) {
    found.look_at(*feed);
    if (profile.feed) found.look_at(profile.feed->paging);
  }
  if (const auto& create = profile.create) {
    found.look_at(create->answer, create->granted, create->refused, create->remito, create->number_refused,
                  create->accepted, create->try_again, create->refusal_code, create->refusal_text);
    if (create->range && create->range->operation) {
      const RangeOperation& range = *create->range->operation;
      found.look_at(range.answer, range.first, range.last, range.numbers);
    }
  }
  if (const auto& confirm = profile.confirm)
    found.look_at(confirm->answer, confirm->granted, confirm->refused, confirm->pending, confirm->remito,
                  confirm->refusal_code, confirm->refusal_text);
  if (const auto& find = profile.find)
    found.look_at(find->answer, find->found, find->not_found, find->shipments, find->remito, find->reference,
                  find->parcels);
  if (const auto& cancel = profile.cancel) {
    if (cancel->lookup) found.look_at(cancel->lookup->answer, cancel->lookup->shipment_id);
    found.look_at(cancel->answer, cancel->accepted, cancel->refused, cancel->try_again, cancel->refusal_code,
                  cancel->refusal_text);
  }
  if (const auto& quote = profile.quote)
    found.look_at(quote->answer, quote->price, quote->currency, quote->days, quote->refused, quote->refusal_text);
  return found.take();
}

}  // namespace remitod::carriers
