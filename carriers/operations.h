// What carriers answer to questions that are neither about a shipment's history nor for a new one: find, cancel, quote.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "carriers/profile.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// Is there a shipment with our reference?
struct FindAnswer {
  enum class Kind : std::uint8_t {
    found,      ///< `remito` is set
    several,    ///< `text` names them: none is more ours than the others
    not_found,  ///< the carrier says that there is none
    unclear,    ///< nothing is said: `text` tells what was seen
  };
  Kind kind = Kind::unclear;
  std::string remito;
  std::string text;
  std::optional<int> parcels;  ///< of the one that was found, where the carrier tells
};
/// Shipments that name another reference than `client_ref` are not meant; empty: whatever they name.
FindAnswer map_find(const Profile& profile, const HttpAnswer& answer, std::string_view client_ref = {});

struct CancelAnswer {
  enum class Kind : std::uint8_t {
    accepted,
    refused,    ///< `refusal_code`, `refusal_text` in the carrier's words
    unclear,    ///< it may be cancelled or not: `refusal_text` tells what was seen
    try_again,  ///< it is not cancelled, and the carrier takes the request later: `refusal_text` tells what was seen
  };
  Kind kind = Kind::unclear;
  std::string refusal_code;
  std::string refusal_text;
};
CancelAnswer map_cancel(const Profile& profile, const HttpAnswer& answer);

/// Some carriers cancel by a number of their own, which has to be asked for first.
bool cancel_has_lookup(const Profile& profile);
struct CancelLookupAnswer {
  enum class Kind : std::uint8_t {
    found,    ///< `shipment_id` is set
    unclear,  ///< nothing is said: `text` tells what was seen. Nothing is cancelled
  };
  Kind kind = Kind::unclear;
  std::string shipment_id;
  std::string text;
};
CancelLookupAnswer map_cancel_lookup(const Profile& profile, const HttpAnswer& answer);

struct QuoteAnswer {
  enum class Kind : std::uint8_t {
    quoted,   ///< `price` and `currency` are set
    refused,  ///< the carrier does not go there, or not with this: `text` in its words
    unclear,  ///< `text` tells what was seen
  };
  Kind kind = Kind::unclear;
  std::string price;        ///< digits with at most one '.', as many places as the carrier gives: money is no double
  std::string currency;     ///< ISO 4217, "PEN"
  std::optional<int> days;  ///< until delivery, 0 to 365
  std::string text;
};
QuoteAnswer map_quote(const Profile& profile, const HttpAnswer& answer);

}  // namespace remitod::carriers
