// A first draft of the rule that a profile lacks: what an unmapped code may mean, judged by its words. A person
// decides.
#pragma once

#include <string>
#include <string_view>

#include "carriers/tracking.h"

namespace remitod::daemon {

struct SuggestedMeaning {
  Status status = Status::unmapped;  ///< unmapped: its words say nothing
  Reason reason = Reason::none;
};
/// Spanish, Portuguese and English, in any case, with accents or without.
SuggestedMeaning suggest_meaning(std::string_view text);

/// A [[track.status]] for carrier.toml. Where the words say nothing its status is left for a person to fill in.
std::string suggested_rule(std::string_view code, std::string_view text);

}  // namespace remitod::daemon
