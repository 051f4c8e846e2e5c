#include "carriers/status_rules.h"

#include <algorithm>
#include <optional>
#include <string>

#include "carriers/field.h"
#include "carriers/query.h"
#include "carriers/text_fold.h"

namespace remitod::carriers {

namespace {

constexpr std::size_t looked_at_bytes_max = 500;

/// One text against many matchers: folded at most once, and only if some matcher asks for it.
class MatchedText {
 public:
  explicit MatchedText(std::string_view text) : text_(text) {}

  bool matches(const Matcher& matcher) {
    if (!matcher.texts.empty() && std::ranges::find(matcher.texts, folded()) == matcher.texts.end()) return false;
    if (!matcher.prefixes.empty() &&
        std::ranges::none_of(matcher.prefixes, [&](std::string_view prefix) { return folded().starts_with(prefix); })) {
      return false;
    }
    if (!matcher.contains.empty() &&
        std::ranges::none_of(matcher.contains, [&](std::string_view part) { return folded().contains(part); })) {
      return false;
    }
    return !matcher.pattern || RE2::PartialMatch(re2::StringPiece{text_.data(), text_.size()}, *matcher.pattern);
  }

 private:
  const std::string& folded() {
    if (!folded_) folded_ = fold(text_);
    return *folded_;
  }

  std::string_view text_;
  std::optional<std::string> folded_;
};

/// An event against many matchers. The cheap conditions first: a profile may have a hundred rules, and most events fail
/// them by code.
class MatchedEvent {
 public:
  MatchedEvent(std::string_view code, std::string_view text, const pugi::xpath_node& event)
      : code_(code), text_(text.empty() ? code : text), event_(event) {}

  bool matches(const Matcher& matcher) {
    if (!matcher.codes.empty() && std::ranges::find(matcher.codes, code_) == matcher.codes.end()) return false;
    if (matcher.of ? !matches_other(matcher) : !text_.matches(matcher)) return false;
    return !matcher.when || holds(*matcher.when, event_);
  }

 private:
  bool matches_other(const Matcher& matcher) const {
    const std::string other = read(*matcher.of, event_, looked_at_bytes_max);
    return MatchedText{other}.matches(matcher);
  }

  std::string_view code_;
  MatchedText text_;
  const pugi::xpath_node& event_;
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

void find_reason(const ReportRules& rules, const EventWords& words, const pugi::xpath_node& event,
                 EventMeaning& meaning) {
  MatchedEvent matched{words.code, words.reason, event};
  const auto rule = std::ranges::find_if(
      rules.reason_rules, [&](const ReasonRule& candidate) { return matched.matches(candidate.matcher); });
  if (rule != rules.reason_rules.end()) {
    meaning.reason = rule->reason;
    meaning.reason_rule = &*rule;
  } else if (!words.reason.empty()) {
    meaning.reason = Reason::other;
  }
}

}  // namespace

EventMeaning meaning_of(const ReportRules& rules, const EventWords& words, const pugi::xpath_node& event) {
  MatchedEvent matched{words.code, words.text, event};
  const auto rule = std::ranges::find_if(
      rules.status_rules, [&](const StatusRule& candidate) { return matched.matches(candidate.matcher); });
  if (rule == rules.status_rules.end()) return {};
  EventMeaning meaning{rule->ignored, rule->status, rule->reason, &*rule};
  if (meaning.reason == Reason::none && has_reason(meaning.status)) find_reason(rules, words, event, meaning);
  return meaning;
}

}  // namespace remitod::carriers
