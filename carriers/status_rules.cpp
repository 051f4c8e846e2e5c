#include "carriers/status_rules.h"

#include <algorithm>
#include <optional>
#include <string>

#include "carriers/query.h"
#include "carriers/text_fold.h"

namespace remitod::carriers {

namespace {

/// One text against many matchers: folded at most once, and only if some matcher asks for it.
class MatchedText {
 public:
  MatchedText(std::string_view code, std::string_view text) : code_(code), text_(text.empty() ? code : text) {}

  /// The cheap conditions first: a profile may have a hundred rules, and most events fail them by code.
  bool matches(const Matcher& matcher, const pugi::xpath_node& event) {
    if (!matcher.codes.empty() && std::ranges::find(matcher.codes, code_) == matcher.codes.end()) return false;
    if (matcher.text && folded() != *matcher.text) return false;
    if (matcher.prefix && !folded().starts_with(*matcher.prefix)) return false;
    if (matcher.pattern && !RE2::PartialMatch(re2::StringPiece{text_.data(), text_.size()}, *matcher.pattern)) {
      return false;
    }
    return !matcher.when || holds(*matcher.when, event);
  }

 private:
  const std::string& folded() {
    if (!folded_) folded_ = fold(text_);
    return *folded_;
  }

  std::string_view code_;
  std::string_view text_;
  std::optional<std::string> folded_;
};

bool has_reason(Status status) {
  switch (status) {
    case Status::attempt_failed:
    case Status::exception:
    case Status::returning:
    case Status::returned:
    case Status::cancelled:
      return true;
    default:
      return false;
  }
}

Reason reason_of(const TrackOperation& track, const EventWords& words, const pugi::xpath_node& event) {
  MatchedText text{words.code, words.reason};
  const auto rule = std::ranges::find_if(
      track.reason_rules, [&](const ReasonRule& candidate) { return text.matches(candidate.matcher, event); });
  if (rule != track.reason_rules.end()) return rule->reason;
  return words.reason.empty() ? Reason::none : Reason::other;
}

}  // namespace

EventMeaning meaning_of(const TrackOperation& track, const EventWords& words, const pugi::xpath_node& event) {
  MatchedText text{words.code, words.text};
  const auto rule = std::ranges::find_if(
      track.status_rules, [&](const StatusRule& candidate) { return text.matches(candidate.matcher, event); });
  if (rule == track.status_rules.end()) return {};
  EventMeaning meaning{rule->status, rule->reason};
  if (meaning.reason == Reason::none && has_reason(meaning.status)) meaning.reason = reason_of(track, words, event);
  return meaning;
}

}  // namespace remitod::carriers
