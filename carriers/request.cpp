#include "carriers/request.h"

#include <utility>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/payload.h"
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

/// What a create template is filled from: the order, the declared part of its payload, settings and secrets.
std::expected<JsonValue, RequestError> create_data(const CreateOperation& create, const CreateOrder& order,
                                                   std::string_view carrier) {
  std::expected<JsonValue, RequestError> payload = read_payload(order.payload);
  if (!payload) return payload;
  const std::pair<std::string, std::string_view> fields[] = {
      {"order_number", order.order_number}, {"service", order.service}, {"client_ref", order.client_ref}};
  for (const auto& [name, value] : fields) {
    if (has_control_characters(value)) return refuse(name, "holds a line break or another control character");
    payload->members.insert_or_assign(name, JsonValue::of_text(std::string(value)));
  }
  payload->members.insert_or_assign("parcel_group", JsonValue::of_text(std::to_string(order.parcel_group)));
  if (is_blank(order.order_number)) return refuse("order_number", "is empty");
  if (auto missing = first_missing(*payload, create.required, carrier)) return std::unexpected(*std::move(missing));

  JsonValue data = select_fields(&*payload, create.request.names);
  for (const auto& [name, values] : create.request.constants.members) data.members.insert_or_assign(name, values);
  return data;
}

/// Renders the texts of one create request; the first refusal stays.
class CreateTexts {
 public:
  CreateTexts(const CreateTemplate& request, const JsonValue& data) : request_(request), data_(data) {}

  std::string render_part(const std::string& text, Part part) {
    auto rendered = render(text, data_, {part, request_.body_escape, request_.base_url});
    if (rendered) return *std::move(rendered);
    if (!error_) error_ = RequestError{rendered.error().name, rendered.error().message};
    return {};
  }
  const std::optional<RequestError>& error() const { return error_; }

 private:
  const CreateTemplate& request_;
  const JsonValue& data_;
  std::optional<RequestError> error_;
};

}  // namespace

std::expected<HttpRequest, RequestError> build_track(const Profile& profile, std::span<const TrackItem> items,
                                                     Instant /*now*/) {
  if (!profile.can_track()) return refuse("", profile.title() + " cannot be asked where a shipment is");
  if (items.empty()) return refuse("", "a track request asks about one shipment at least");
  const TrackTemplate& track = profile.compiled().track->request;
  std::vector<TrackValues> values;
  values.reserve(items.size());
  for (const TrackItem& item : items) {
    if (is_blank(item.remito)) return refuse("remito", "is empty");
    if (has_control_characters(item.remito)) return refuse("remito", "holds a line break or another control character");
    TrackValues& value = values.emplace_back(TrackValues{item.remito, {}});
    if (track.uses_dates) value.registered_date = date_digits(local_day(item.registered_at, profile.zone()));
  }

  HttpRequest request;
  request.method = track.method;
  request.options = profile.compiled().transport;
  track.url.append_to(request.url, values);
  request.headers.reserve(track.constant_headers.size() + track.headers.size());
  request.headers = track.constant_headers;
  for (const TrackText& header : track.headers) header.append_to(request.headers.emplace_back(), values);
  if (track.body) track.body->append_to(request.body, values);
  return request;
}

std::expected<HttpRequest, RequestError> build_create(const Profile& profile, const CreateOrder& order,
                                                      Instant /*now*/) {
  if (!profile.can_create()) return refuse("carrier", profile.title() + " gives no remitos on demand");
  const CreateOperation& create = *profile.compiled().create;
  const std::expected<JsonValue, RequestError> data = create_data(create, order, profile.title());
  if (!data) return std::unexpected(data.error());

  CreateTexts texts(create.request, *data);
  HttpRequest request;
  request.method = create.request.method;
  request.options = profile.compiled().transport;
  request.fresh_connection = true;
  request.url = texts.render_part(create.request.url, Part::url);
  request.headers = create.request.constant_headers;
  for (const auto& [name, value] : create.request.headers)
    if (const std::string rendered = texts.render_part(value, Part::header); !is_blank(rendered))
      request.headers.push_back(name + ": " + rendered);
  request.body = texts.render_part(create.request.body, Part::body);
  if (texts.error()) return std::unexpected(*texts.error());
  return request;
}

}  // namespace remitod::carriers
