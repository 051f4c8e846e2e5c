// From an HTTP answer to what it says: reports, remitos, refusals, trouble. Pure; nothing a carrier sends can hurt.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/profile.h"
#include "carriers/request.h"
#include "carriers/tracking.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// Why an answer as a whole says nothing of any shipment. The lane decides by the kind alone.
struct CarrierTrouble {
  enum class Kind : std::uint8_t {
    throttled,    ///< 429, or a profile's rule
    auth,         ///< 401, 403, or a bad login told at HTTP 200
    http_status,  ///< any other status that is not a success
    malformed,    ///< not the promised format: truncated, HTML, wrong charset, too deep
    business,     ///< the carrier says at HTTP 200 that it failed
    unreachable,  ///< no answer came; of logins only: of other requests FetchError tells
  };
  Kind kind = Kind::malformed;
  std::string message;
};
std::string_view name(CarrierTrouble::Kind kind);

/// The smallest unit that was wrong was left out; the rest of the batch goes on.
struct RowError {
  std::string remito;   ///< empty where even that could not be read
  std::string message;  ///< "event 3: fecha: '2026-13-45' is not a date in dd/MM/yyyy"
};

struct TrackAnswer {
  std::vector<Report> reports;  ///< at most one for each item asked, in no order; matched by number
  std::vector<RowError> errors;
  std::vector<std::string> missing;  ///< asked for, not in the answer (missing is not deleted)
  std::size_t extra = 0;             ///< in the answer, not asked for: ignored and counted
};

/// For tools that explain an answer: which rules of the profile gave an event its meaning. They count from 1 in the
/// order of the profile; 0: none did.
struct RulesTaken {
  std::string remito;
  std::size_t status_rule = 0;
  std::size_t reason_rule = 0;
  bool ignored = false;  ///< by the status rule: the event is in no report
};

/// `taken`, where it is not null, is given an entry for each event that was read or ignored, in the answer's own order.
std::expected<TrackAnswer, CarrierTrouble> map_track(const Profile& profile, const HttpAnswer& answer,
                                                     std::span<const TrackItem> asked,
                                                     std::vector<RulesTaken>* taken = nullptr);

/// What became of a create request.
struct CreateAnswer {
  enum class Kind : std::uint8_t {
    granted,   ///< `remito` is set
    refused,   ///< the carrier said no, and made nothing: `refusal_code`, `refusal_text` in its words
    unknown,   ///< it may have made a shipment or not: `refusal_text` says what was seen
    accepted,  ///< it will be granted or refused later (remito.h); `remito` is the number that it told already, if any
    number_refused,  ///< refused because of the number that it was given (CreateOrder::remito)
    try_again,       ///< the carrier made nothing, and takes it later: `refusal_text` in its words
  };
  Kind kind = Kind::unknown;
  /// The `refusal_code` of try_again and unknown where it is our account that the carrier does not take.
  static constexpr std::string_view code_auth = "auth";
  std::string remito;
  std::string refusal_code;
  std::string refusal_text;
};
CreateAnswer map_create(const Profile& profile, const HttpAnswer& answer, const CreateOrder& order);

}  // namespace remitod::carriers
