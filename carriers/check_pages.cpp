#include "carriers/check_pages.h"

#include <re2/re2.h>

#include "carriers/compiled.h"
#include "carriers/paging.h"
#include "carriers/request.h"

namespace remitod::carriers {
namespace {

/// Walks from page to page as a poll does, with an invented session.
class PageWalk {
 public:
  PageWalk(const Profile& profile, const Expectation& expectation)
      : profile_(profile),
        expectation_(expectation),
        session_(profile.compiled().session_names.size(), "invented"),
        operation_(expectation.operation == "track" ? PagedOperation::track : PagedOperation::feed) {}

  bool has_pages() const {
    const bool is_asked = operation_ == PagedOperation::track ? profile_.can_track() : profile_.can_feed();
    return is_asked && carriers::has_pages(profile_, operation_);
  }

  /// What stands for the page after one: "page 3", "nothing", or the trouble.
  std::expected<std::string, RequestError> step(const HttpAnswer& answer) {
    Call call{expectation_.registered_at};
    call.session = session_;
    call.page = position_;
    const auto request = build(call);
    if (!request) return std::unexpected(request.error());
    const auto next = next_page(profile_, operation_, *request, answer, position_);
    if (!next) return next.error().message;
    if (!*next) return "nothing";
    position_ = **next;
    return "page " + std::to_string(position_.number);
  }

 private:
  std::expected<HttpRequest, RequestError> build(const Call& call) const {
    if (operation_ == PagedOperation::feed)
      return build_feed(profile_, {expectation_.registered_at, expectation_.registered_at}, call);
    return build_track(profile_, asked_items(expectation_), call);
  }

  const Profile& profile_;
  const Expectation& expectation_;
  std::vector<std::string> session_;
  PagedOperation operation_;
  PagePosition position_{};
};

std::string quoted(const std::string& words) {
  return nlohmann::json(words).dump();
}

/// Of "history.1.xml" the "1": does it call itself a page?
bool has_number(const std::string& file) {
  static const RE2 numbered{R"([^.]*\.[0-9]+\..*)"};
  return RE2::FullMatch(file, numbered);
}

/// "history.2.xml" after "history.1.xml", which is page `number`.
std::string file_after(const std::string& file, std::size_t number) {
  const std::size_t at = file.find("." + std::to_string(number) + ".");
  return file.substr(0, at) + "." + std::to_string(number + 1) + file.substr(at + 1 + std::to_string(number).size());
}

}  // namespace

std::vector<TrackItem> asked_items(const Expectation& expectation) {
  std::vector<TrackItem> items;
  for (const std::string& remito : expectation.asked) items.push_back({remito, expectation.registered_at});
  return items;
}

std::optional<std::string> pages_problem(const Profile& profile, const Expectation& expectation,
                                         const SamplePages& pages, std::vector<Deviation>& deviations,
                                         const ProfileLines& lines) {
  const std::size_t count = pages.answers.size();
  PageWalk walk(profile, expectation);
  const bool is_paged = (expectation.operation == "track" || expectation.operation == "feed") && walk.has_pages();
  if (count == 1 && (!is_paged || !has_number(pages.files.front()))) return std::nullopt;
  const std::string table = expectation.operation + ".paging";
  if (!is_paged) return "there are several pages, and the profile has no [" + table + "]";
  for (std::size_t i = 0; i < count; ++i) {
    const auto after = walk.step(pages.answers[i]);
    if (!after) return "page " + std::to_string(i + 1) + ": " + after.error().field + " " + after.error().message;
    const std::string promised = i + 1 < count ? "page " + std::to_string(i + 2) : "nothing";
    if (*after == promised) continue;
    Deviation deviation{
        "page " + std::to_string(i + 1) + ": what comes after it", quoted(promised), quoted(*after), {}};
    if (i + 1 == count && *after == "page " + std::to_string(count + 1))
      deviation.what = *after + " is asked for, but " + file_after(pages.files[i], count) + " is missing";
    for (const char* key : {".more", ".next", ".next_header", ".pages_max"})
      if (const int line = lines.of(table + key); line != 0) deviation.deciders.push_back({table + key, line});
    deviations.push_back(std::move(deviation));
    break;  // the walk has left the pages
  }
  return std::nullopt;
}

}  // namespace remitod::carriers
