// From a profile and what is to be asked to the HTTP request. Pure: time, randomness and the session are arguments.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "carriers/profile.h"
#include "carriers/tracking.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// Which page of an answer is asked for (paging.h).
struct PagePosition {
  int number = 1;         ///< counts the pages of this answer from 1
  std::string cursor;     ///< what the page before gave; empty on the first
  std::string url;        ///< instead of the operation's own; empty: that one
  std::size_t bytes = 0;  ///< of all pages before
};

/// Sixteen random bytes.
using Random = std::array<std::uint8_t, 16>;

/// The circumstances of one HTTP request.
struct Call {
  // Implicit, since a moment is all that most requests need to know.
  Call(Instant at) : now(at) {}
  Instant now;
  Random
      random{};  ///< for {{uuid}}: fresh for each request; in a track request only where Profile::track_needs_random()
  std::span<const std::string> session;  ///< SessionValues::values; where Profile::has_session()
  PagePosition page{};
};

/// One shipment that a track request asks about.
struct TrackItem {
  std::string_view remito;
  Instant registered_at{};  ///< day precision is enough: {{registered_yy}} and the like
};

/// What a create request is made of. `payload` is the JSON text of remito_requests.payload (schema: db/README.md).
struct CreateOrder {
  std::string_view order_number{};
  int parcel_group = 1;
  std::string_view service{};     ///< may be empty
  std::string_view client_ref{};  ///< our reference, the same in every attempt at this request
  std::string_view payload{};
  std::string_view remito{};  ///< where it is known before the grant (remito.h)
};

/// A shipment that is no longer wanted.
struct CancelOrder {
  std::string_view remito{};
  std::string_view order_number{};
  std::string_view client_ref{};
  std::string_view shipment_id{};  ///< what map_cancel_lookup() gave, where the carrier wants that (operations.h)
};

/// Changes from `since` until before `until`.
struct FeedWindow {
  Instant since{};
  Instant until{};
};

/// Why a request was not made. Nothing was sent.
struct RequestError {
  std::string field;    ///< "recipient.address.street"
  std::string message;  ///< in words that a merchant or ops can act on
};

/// `items` has 1..limits().batch_max entries.
std::expected<HttpRequest, RequestError> build_track(const Profile& profile, std::span<const TrackItem> items,
                                                     const Call& call);
/// The request is marked fresh_connection. A required field that is missing or empty refuses it, naming the field.
std::expected<HttpRequest, RequestError> build_create(const Profile& profile, const CreateOrder& order,
                                                      const Call& call);
/// Has a create request with this client_ref made a shipment? Asked when its answer was unclear.
std::expected<HttpRequest, RequestError> build_find(const Profile& profile, const CreateOrder& order, const Call& call);
/// Under what does the carrier itself know the shipment? To be asked before build_cancel where cancel_has_lookup().
std::expected<HttpRequest, RequestError> build_cancel_lookup(const Profile& profile, const CancelOrder& order,
                                                             const Call& call);
/// Marked fresh_connection, too.
std::expected<HttpRequest, RequestError> build_cancel(const Profile& profile, const CancelOrder& order,
                                                      const Call& call);
/// `order.client_ref` is not used: nothing is ordered.
std::expected<HttpRequest, RequestError> build_quote(const Profile& profile, const CreateOrder& order,
                                                     const Call& call);
std::expected<HttpRequest, RequestError> build_feed(const Profile& profile, const FeedWindow& window, const Call& call);

}  // namespace remitod::carriers
