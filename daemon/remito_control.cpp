#include "daemon/remito_control.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/log.h"
#include "daemon/request_rows.h"
#include "daemon/shallow_json.h"
#include "db/operator_settlement.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;
using Action = db::OperatorSettlement::Action;

constexpr std::size_t operator_bytes_max = 100, text_bytes_max = 500, remito_bytes_max = 100;
constexpr std::size_t requests_max = 1000;
constexpr std::size_t typed_bytes_max = 100;
constexpr std::string_view blanks = " \t\r\n";

ControlAnswer answer(const json& body, int status = 200) {
  return {status, body.dump(-1, ' ', false, json::error_handler_t::replace)};
}
ControlAnswer failure(int status, const std::string& message) {
  return answer({{"error", message}}, status);
}
ControlAnswer database_failure(const db::DbError& error) {
  return failure(503, "the database does not answer: " + error.message);
}

using Text = std::expected<std::string, std::string>;

/// The text under the key, which is there. The error says what is wrong with it.
Text text(const json& object, const char* key, std::size_t bytes_max) {
  if (!object[key].is_string()) return std::unexpected(std::string(key) + " is no text");
  auto result = object[key].get<std::string>();
  if (result.find_first_not_of(blanks) == result.npos) return std::unexpected(std::string(key) + " is empty");
  if (result.size() > bytes_max)
    return std::unexpected(std::string(key) + " is longer than " + std::to_string(bytes_max) + " bytes");
  return result;
}

/// What was copied with blanks around it is meant without them. Inside they are none of a number, and a shipment whose
/// number has them could hardly be named.
Text remito_in(const json& object, const char* key) {
  const Text whole = text(object, key, remito_bytes_max);
  if (!whole) return whole;
  const std::size_t first = whole->find_first_not_of(blanks), last = whole->find_last_not_of(blanks);
  auto remito = whole->substr(first, last - first + 1);
  const auto is_blank = [](unsigned char character) { return character <= ' ' || character == 0x7f; };
  if (std::ranges::any_of(remito, is_blank))
    return std::unexpected(std::string(key) + ": a remito has no blanks or control characters in it");
  return remito;
}

/// Nothing is passed over: a word that is spelt wrong would settle otherwise than was meant.
std::expected<db::OperatorSettlement, std::string> read_settlement(const std::string& body) {
  const json wanted = parse_shallow_json(body);
  const auto has = [&](const char* key) { return wanted.contains(key); };
  const bool well_formed = wanted.is_object() && wanted.size() == 3 && has("request") && has("by") &&
                           (has("adopt") || has("refuse") || wanted.value("resend", json()) == json(true));
  if (!well_formed)
    return std::unexpected(R"(expected {"request": "KEY or id", "by": "NAME"} and one of "adopt": "REMITO", )"
                           R"("refuse": "WHY", "resend": true)");
  const Text request = text(wanted, "request", text_bytes_max), by = text(wanted, "by", operator_bytes_max);
  if (!request) return std::unexpected(request.error());
  if (!by) return std::unexpected(by.error());
  db::OperatorSettlement settlement{.request = *request, .action = Action::resend, .operator_name = *by};
  if (has("resend")) return settlement;
  settlement.action = has("adopt") ? Action::adopt : Action::refuse;
  Text words = has("adopt") ? remito_in(wanted, "adopt") : text(wanted, "refuse", text_bytes_max);
  if (!words) return std::unexpected(words.error());
  settlement.text = *std::move(words);
  return settlement;
}

int status_of(db::NotSettled::Why why) {
  return why == db::NotSettled::Why::unknown_request ? 404 : 409;
}

json moment(const std::optional<Instant>& at) {
  return at ? json(to_iso8601(*at)) : json(nullptr);
}

/// The request as --settle takes it, for a shell: by its key, or by its id where a terminal would not show the key as
/// it is, or cut it off.
std::string typed_name(const db::RequestView& view) {
  const std::string name = db::unmistakable(view.request_key);
  if (name.empty() || name.size() > typed_bytes_max || name.contains('\'') || printable(name) != name)
    return "id:" + std::to_string(view.request_id);
  const auto is_plain = [](unsigned char character) {
    return (std::isalnum(character) && character < 0x80) ||
           std::string_view("_-.:/@%+=,").contains(static_cast<char>(character));
  };
  return std::ranges::all_of(name, is_plain) ? name : "'" + name + "'";
}

}  // namespace

void settle_request(RemitoWorker& worker, const ControlRequest& request, const ControlServer::Reply& reply) {
  auto settlement = read_settlement(request.body);
  if (!settlement) return reply(failure(400, settlement.error()));
  worker.settle_by_operator(*std::move(settlement), [reply](RemitoWorker::OperatorResult result) {
    if (!result) return reply(database_failure(result.error()));
    if (!*result) return reply(failure(status_of(result->error().why), result->error().message));
    reply(answer(request_report((*result)->request)));
  });
}

void insert_requests(db::Executor& executor, Intake& intake, Instant now, const ControlRequest& request,
                     const ControlServer::Reply& reply) {
  const json wanted = parse_shallow_json(request.body);
  const bool well_formed = wanted.is_object() && wanted.size() == 1 && wanted.value("requests", json()).is_array() &&
                           wanted["requests"].size() <= requests_max;
  if (!well_formed)
    return reply(failure(400, R"(expected {"requests": [...]}, at most )" + std::to_string(requests_max)));
  const auto rows = std::make_shared<std::vector<db::PlatformRequest>>();
  for (const json& row : wanted["requests"]) {
    auto read = read_request_row(row);
    if (!read) return reply(failure(400, "request " + std::to_string(rows->size() + 1) + ": " + read.error()));
    rows->push_back(*std::move(read));
  }
  executor.run<std::vector<bool>>(
      [rows, now](db::Session& session) { return db::insert_remito_requests(session, *rows, now); },
      [&intake, rows, reply](const db::DbResult<std::vector<bool>>& is_new) {
        if (!is_new) return reply(database_failure(is_new.error()));
        intake.wake();
        json inserted = json::array();
        for (std::size_t i = 0; i < rows->size(); ++i)
          inserted.push_back({{"request_key", (*rows)[i].request_key}, {"is_new", bool{(*is_new)[i]}}});
        reply(answer({{"requests", std::move(inserted)}}));
      });
}

void view_requests(db::Executor& executor, const ControlRequest& request, const ControlServer::Reply& reply) {
  const json wanted = parse_shallow_json(request.body);
  const bool well_formed = wanted.is_object() && wanted.size() == 1 && wanted.value("keys", json()).is_array() &&
                           wanted["keys"].size() <= requests_max &&
                           std::ranges::all_of(wanted["keys"], [](const json& key) { return key.is_string(); });
  if (!well_formed)
    return reply(failure(400, R"(expected {"keys": ["..."]}, at most )" + std::to_string(requests_max)));
  executor.run<std::vector<db::RequestView>>(
      [keys = wanted["keys"].get<std::vector<std::string>>()](db::Session& session) {
        return db::view_requests_by_key(session, keys);
      },
      [reply](const db::DbResult<std::vector<db::RequestView>>& views) {
        if (!views) return reply(database_failure(views.error()));
        json requests = json::array();
        for (const db::RequestView& view : *views) requests.push_back(request_report(view));
        reply(answer({{"requests", std::move(requests)}}));
      });
}

// As db/README.md has them.
std::string_view request_label(std::string_view state) {
  if (state == "pending") return "En cola";
  if (state == "sending") return "Solicitando remito";
  if (state == "accepted") return "Solicitud aceptada, remito por confirmar";
  if (state == "granted") return "Remito otorgado";
  if (state == "refused") return "Remito rechazado";
  if (state == "cancelled") return "Cancelado";
  if (state == "unknown") return "Verificando con el logístico";
  if (state == "needs_operator") return "Requiere un operador";
  return "";
}

json request_report(const db::RequestView& view) {
  return {{"request_id", view.request_id},
          {"request_key", view.request_key},
          {"order_number", view.order_number},
          {"parcel_group", view.parcel_group},
          {"carrier", view.carrier},
          {"state", view.state},
          {"label", request_label(view.state)},
          {"remito", view.remito},
          {"refusal_code", view.refusal_code},
          {"refusal_text", view.refusal_text},
          {"client_ref", view.client_ref},
          {"operator_action", view.operator_action},
          {"attempts", view.attempts},
          {"requested_at", moment(view.requested_at)},
          {"settled_at", moment(view.settled_at)}};
}

std::string settle_hint(const db::RequestView& view) {
  // What to type comes first: long lines are cut.
  return "has carrier " + view.carrier + " made a shipment for " + view.client_ref + " (order " + view.order_number +
         ")? remitod --settle " + typed_name(view) + " --adopt REMITO | --refuse WHY | --resend. " + view.refusal_text;
}

}  // namespace remitod::daemon
