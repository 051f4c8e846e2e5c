// From a profile and what is to be asked to the HTTP request. Pure.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "carriers/profile.h"
#include "carriers/tracking.h"
#include "carriers/transport.h"

namespace remitod::carriers {

/// One shipment that a track request asks about.
struct TrackItem {
  std::string_view remito;
  Instant registered_at{};  ///< day precision is enough: {{registered_yy}} and the like
};

/// What a create request is made of. `payload` is the JSON text of remito_requests.payload (schema: db/README.md).
struct CreateOrder {
  std::string_view order_number;
  int parcel_group = 1;
  std::string_view service;     ///< may be empty
  std::string_view client_ref;  ///< our reference, the same in every attempt at this request
  std::string_view payload;
};

/// Why a request was not made. Nothing was sent.
struct RequestError {
  std::string field;    ///< "recipient.address.street"
  std::string message;  ///< in words that a merchant or ops can act on
};

/// `items` has 1..limits().batch_max entries.
std::expected<HttpRequest, RequestError> build_track(const Profile& profile, std::span<const TrackItem> items,
                                                     Instant now);
/// The request is marked fresh_connection. A required field that is missing or empty refuses it, naming the field.
std::expected<HttpRequest, RequestError> build_create(const Profile& profile, const CreateOrder& order, Instant now);

}  // namespace remitod::carriers
