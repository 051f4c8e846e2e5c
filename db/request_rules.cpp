#include "db/request_rules.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "db/json_rows.h"

namespace remitod::db {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::size_t client_ref_size_max = 30;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(blanks) == std::string_view::npos;
}

/// SQLite takes any bytes. Compared with what is known they would be others, and the order would have no duplicates.
bool is_utf8(const std::string& text) {
  return nlohmann::json::parse(to_parameter(text)) == text;
}

bool is_json_object(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && nlohmann::json::accept(text);
}

/// What is wrong with the row by itself, in the order of its columns.
std::optional<std::string> defect(const NewRequest& request) {
  if (is_blank(request.request_key)) return "request_key is empty";
  if (is_blank(request.carrier)) return "carrier is empty";
  if (request.payload.size() > payload_bytes_max)
    return "payload is larger than " + std::to_string(payload_bytes_max) + " bytes";
  if (!is_json_object(request.payload)) return "payload is not a JSON object";
  return std::nullopt;
}

using Parcels = std::pair<std::string, std::int64_t>;

std::string duplicate_text(const Parcels& parcels, const ActiveRequest& other) {
  return "order " + parcels.first + ", parcel group " + std::to_string(parcels.second) + " already has request " +
         other.request_key + " in state " + other.state;
}

}  // namespace

std::vector<Acceptance> decide(std::span<const NewRequest> requests, std::span<const ActiveRequest> active) {
  std::map<Parcels, ActiveRequest> taken;
  for (const ActiveRequest& other : active) taken.emplace(Parcels{other.order_number, other.parcel_group}, other);

  std::vector<Acceptance> decisions;
  decisions.reserve(requests.size());
  for (const NewRequest& request : requests) {
    Acceptance& decision = decisions.emplace_back();
    decision.request_id = request.request_id;
    decision.client_ref = client_ref(request.request_id, request.order_number);

    if (is_blank(request.order_number)) {
      decision.refusal = Refusal{std::string(refusal_invalid_request), "order_number is empty", false};
      continue;
    }
    if (!is_utf8(request.order_number)) {
      decision.refusal = Refusal{std::string(refusal_invalid_request), "order_number is not UTF-8", false};
      continue;
    }
    // Before the row's own defects: a defective duplicate must not take its order back either.
    const Parcels parcels{request.order_number, request.parcel_group};
    if (const auto other = taken.find(parcels); other != taken.end()) {
      decision.refusal = Refusal{std::string(refusal_duplicate_request), duplicate_text(parcels, other->second), false};
      continue;
    }
    if (std::optional<std::string> text = defect(request)) {
      decision.refusal = Refusal{std::string(refusal_invalid_request), std::move(*text), true};
      continue;
    }
    taken.emplace(parcels, ActiveRequest{request.request_key, request.order_number, request.parcel_group, "pending"});
  }
  return decisions;
}

std::string client_ref(std::int64_t request_id, std::string_view order_number) {
  std::string order;
  for (const char character : order_number) {
    if (character >= 'a' && character <= 'z') order += static_cast<char>(character - 'a' + 'A');
    if ((character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z')) order += character;
  }
  std::string reference = "R" + std::to_string(request_id) + "-";
  // The end of an order number is what tells orders apart for the people who read it at the carrier.
  const std::size_t room = client_ref_size_max - reference.size();
  if (order.size() > room) order.erase(0, order.size() - room);
  return reference + order;
}

}  // namespace remitod::db
