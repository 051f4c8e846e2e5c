#include "carriers/request.h"

#include <boost/container/small_vector.hpp>
#include <utility>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/operations.h"
#include "carriers/parcels.h"
#include "carriers/payload.h"
#include "carriers/remito.h"
#include "carriers/request_fill.h"
#include "carriers/times.h"

namespace remitod::carriers {
namespace {

std::unexpected<RequestError> refuse(std::string field, std::string message) {
  return std::unexpected(RequestError{std::move(field), std::move(message)});
}

std::array<char, 10> date_digits(std::chrono::year_month_day day) {
  std::array<char, 10> digits{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0'};
  const auto write = [&](std::size_t last, std::size_t count, unsigned value) {
    for (std::size_t i = 0; i < count; ++i, value /= 10) digits[last - i] = static_cast<char>('0' + value % 10);
  };
  write(3, 4, static_cast<unsigned>(static_cast<int>(day.year())));
  write(6, 2, static_cast<unsigned>(day.month()));
  write(9, 2, static_cast<unsigned>(day.day()));
  return digits;
}

/// What a template of an order is filled from: the order and the declared part of its payload, settings and secrets.
std::expected<JsonValue, RequestError> order_data(const CallTemplate& request, std::span<const std::string> required,
                                                  const CreateOrder& order, const ParcelRules& parcels,
                                                  std::string_view carrier) {
  std::expected<JsonValue, RequestError> payload = read_payload(order.payload);
  if (!payload) return payload;
  if (auto error = apply_parcel_rules(*payload, parcels, carrier)) return std::unexpected(*std::move(error));
  const std::pair<std::string, std::string_view> fields[] = {{"order_number", order.order_number},
                                                             {"service", order.service},
                                                             {"client_ref", order.client_ref},
                                                             {"remito", order.remito}};
  for (const auto& [name, value] : fields) {
    if (has_control_characters(value)) return refuse(name, "holds a line break or another control character");
    payload->members.insert_or_assign(name, JsonValue::of_text(std::string(value)));
  }
  payload->members.insert_or_assign("parcel_group", JsonValue::of_text(std::to_string(order.parcel_group)));
  if (is_blank(order.order_number)) return refuse("order_number", "is empty");
  if (auto missing = first_missing(*payload, required, carrier)) return std::unexpected(*std::move(missing));
  return select_fields(&*payload, request.names);
}

/// Renders, cuts and fills a request of which `data` is known.
std::expected<HttpRequest, RequestError> build_call(const Profile& profile, const CallTemplate& request, JsonValue data,
                                                    const Call& call, const FeedWindow& window = {}) {
  data.kind = JsonValue::Kind::object;  // null where the templates name nothing of an order
  for (const auto& [name, values] : request.constants.members) data.members.insert_or_assign(name, values);
  const auto cut = cut_template(request, data);
  if (!cut) return refuse(cut.error().name, cut.error().message);
  return fill_request(profile.compiled(), *cut, call, window, {}, &data);
}

std::expected<HttpRequest, RequestError> build_for_order(const Profile& profile, const CallTemplate& request,
                                                         std::span<const std::string> required,
                                                         const CreateOrder& order, const Call& call,
                                                         const ParcelRules& parcels = {}) {
  const std::expected<JsonValue, RequestError> data = order_data(request, required, order, parcels, profile.title());
  if (!data) return std::unexpected(data.error());
  return build_call(profile, request, *data, call);
}

std::expected<HttpRequest, RequestError> build_for_shipment(const Profile& profile, const CallTemplate& request,
                                                            const CancelOrder& order, const Call& call) {
  if (is_blank(order.remito)) return refuse("remito", "is empty");
  JsonValue data = JsonValue::of_object();
  const std::pair<std::string, std::string_view> fields[] = {{"remito", order.remito},
                                                             {"order_number", order.order_number},
                                                             {"client_ref", order.client_ref},
                                                             {"shipment_id", order.shipment_id}};
  for (const auto& [name, value] : fields) {
    if (has_control_characters(value)) return refuse(name, "holds a line break or another control character");
    data.members.emplace(name, JsonValue::of_text(std::string(value)));
  }
  return build_call(profile, request, std::move(data), call);
}

}  // namespace

std::expected<HttpRequest, RequestError> build_track(const Profile& profile, std::span<const TrackItem> items,
                                                     const Call& call) {
  if (!profile.can_track()) return refuse("", profile.title() + " cannot be asked where a shipment is");
  if (items.empty()) return refuse("", "a track request asks about one shipment at least");
  const CutTemplate& track = profile.compiled().track->request;
  boost::container::small_vector<ItemValues, 1> values;  // nearly all requests ask about one shipment
  values.reserve(items.size());
  for (const TrackItem& item : items) {
    if (is_blank(item.remito)) return refuse("remito", "is empty");
    if (has_control_characters(item.remito)) return refuse("remito", "holds a line break or another control character");
    ItemValues& value = values.emplace_back(ItemValues{item.remito, {}, item.registered_at});
    if (track.uses_dates) value.registered_date = date_digits(local_day(item.registered_at, profile.zone()));
  }
  auto request = fill_request(profile.compiled(), track, call, {}, values);
  if (request && items.size() == 1) request->known.volatile_spans = profile.compiled().track->reports.volatile_spans;
  return request;
}

std::expected<HttpRequest, RequestError> build_create(const Profile& profile, const CreateOrder& order,
                                                      const Call& call) {
  if (!profile.can_create()) return refuse("carrier", profile.title() + " gives no remitos on demand");
  const CreateOperation& create = *profile.compiled().create;
  auto request = build_for_order(profile, create.request, create.required, order, call, create.parcels);
  if (request) request->fresh_connection = true;
  return request;
}

std::expected<HttpRequest, RequestError> build_range(const Profile& profile, const Call& call) {
  const auto needs = range_needs(profile);
  if (!needs || !needs->can_ask) return refuse("carrier", profile.title() + " gives no ranges of numbers on request");
  const RangeOperation& range = *profile.compiled().create->range->operation;
  JsonValue data = JsonValue::of_object();
  data.members.emplace("block_size", JsonValue::of_text(std::to_string(range.block_size)));
  auto request = build_call(profile, range.request, std::move(data), call);
  if (request) request->fresh_connection = true;
  return request;
}

std::expected<HttpRequest, RequestError> build_confirm(const Profile& profile, const CreateOrder& order,
                                                       const Call& call) {
  if (!confirmation_pace(profile)) return refuse("carrier", profile.title() + " confirms nothing later");
  const ConfirmOperation& confirm = *profile.compiled().confirm;
  return build_for_order(profile, confirm.request, confirm.required, order, call);
}

std::expected<HttpRequest, RequestError> build_find(const Profile& profile, const CreateOrder& order,
                                                    const Call& call) {
  if (!profile.can_find()) return refuse("carrier", profile.title() + " cannot be asked by our reference");
  const FindOperation& find = *profile.compiled().find;
  return build_for_order(profile, find.request, find.required, order, call);
}

std::expected<HttpRequest, RequestError> build_cancel_lookup(const Profile& profile, const CancelOrder& order,
                                                             const Call& call) {
  if (!cancel_has_lookup(profile)) return refuse("carrier", profile.title() + " looks nothing up for a cancellation");
  return build_for_shipment(profile, profile.compiled().cancel->lookup->request, order, call);
}

std::expected<HttpRequest, RequestError> build_cancel(const Profile& profile, const CancelOrder& order,
                                                      const Call& call) {
  if (!profile.can_cancel()) return refuse("carrier", profile.title() + " takes no cancellations");
  if (cancel_has_lookup(profile) && is_blank(order.shipment_id))
    return refuse("shipment_id", "is not looked up yet: " + profile.title() + " cancels by a number of its own");
  auto request = build_for_shipment(profile, profile.compiled().cancel->request, order, call);
  if (request) request->fresh_connection = true;
  return request;
}

std::expected<HttpRequest, RequestError> build_quote(const Profile& profile, const CreateOrder& order,
                                                     const Call& call) {
  if (!profile.can_quote()) return refuse("carrier", profile.title() + " quotes no prices");
  const QuoteOperation& quote = *profile.compiled().quote;
  return build_for_order(profile, quote.request, quote.required, order, call, quote.parcels);
}

std::expected<HttpRequest, RequestError> build_feed(const Profile& profile, const FeedWindow& window,
                                                    const Call& call) {
  if (!profile.can_feed()) return refuse("carrier", profile.title() + " lists no changes");
  return build_call(profile, profile.compiled().feed->request, JsonValue::of_object(), call, window);
}

}  // namespace remitod::carriers
