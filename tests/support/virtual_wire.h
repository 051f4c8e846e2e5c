// What the virtual carriers say and understand: the wire formats of the built-in profiles oca (SOAP, one parcel a
// request), correios (SOAP, many) and chazki (JSON).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "carriers/transport.h"

namespace remitod::test {

/// A line of a parcel's history in the carrier's own words. Chazki: code is empty. Correios: code "BDE-01".
struct WireEvent {
  Instant at{};
  std::string code;
  std::string text;
  std::string reason = {};
};

/// A request as the carrier understands it.
struct Asked {
  std::string carrier;  ///< oca, correios, chazki
  bool create = false;
  std::vector<std::string> remitos;  ///< of a track request
  std::string order_number;          ///< of a create request, where the carrier is told
  std::string client_ref;            ///< likewise
};

/// What a parcel's carrier shows of it, oldest first; one without a history is not known.
struct WireParcel {
  std::string remito;
  std::vector<WireEvent> history;
};

/// Throws where no carrier is known at the request's address.
Asked read_request(const carriers::HttpRequest& request);

/// As a transport does it, which leaves out a body that is known.
void compare(const carriers::KnownBody& known, carriers::HttpAnswer& answer);
carriers::FetchResult http_answer(int status, std::string body, std::string content_type = "text/xml; charset=utf-8");
carriers::FetchResult fetch_error(carriers::FetchError::Kind kind, bool provably_unsent = false);

// Answers with status 200. `trace` is something in the envelope that says nothing of a parcel.
carriers::FetchResult oca_tracking(const std::string& remito, std::span<const WireEvent> history,
                                   std::string_view trace);
carriers::FetchResult oca_granted(const std::string& client_ref, const std::string& remito, std::string_view trace);
carriers::FetchResult oca_refused(const std::string& client_ref, const std::string& why);
carriers::FetchResult correios_tracking(std::span<const WireParcel> parcels, std::string_view trace);
carriers::FetchResult chazki_tracking(std::span<const WireEvent> history, std::string_view trace);
carriers::FetchResult chazki_granted(const std::string& order_number);
carriers::FetchResult chazki_refused(const std::string& why);

}  // namespace remitod::test
