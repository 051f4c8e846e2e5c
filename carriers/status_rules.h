// What a carrier's own words for an event mean here: the profile's ordered rules. Private to carriers/.
#pragma once

#include <string_view>

#include "carriers/compiled.h"

namespace remitod::carriers {

/// What the carrier wrote, tidied; any of them may be empty.
struct EventWords {
  std::string_view code;
  std::string_view text;
  std::string_view reason;
};

struct EventMeaning {
  bool ignored = false;  ///< no event at all
  Status status = Status::unmapped;
  Reason reason = Reason::none;
  const StatusRule* status_rule = nullptr;  ///< which decided; null: none
  const ReasonRule* reason_rule = nullptr;  ///< likewise, where one was asked
};

/// The first status rule that matches decides. A failed, exceptional, returning, returned or cancelled event whose rule
/// gave no reason takes that of the first reason rule that matches its reason text (its code where there is none); a
/// reason text that no rule knows is `other`.
EventMeaning meaning_of(const ReportRules& rules, const EventWords& words, const pugi::xpath_node& event);

}  // namespace remitod::carriers
