#include "tests/support/virtual_wire.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ranges>
#include <stdexcept>

namespace remitod::test {
namespace {

using std::chrono::hours;

constexpr hours lima{-5}, sao_paulo{-3}, buenos_aires{-3};

// strftime's %d, %m, %Y, %H, %M, %S of a moment in a zone without changes of the clock.
std::string local_time(Instant at, hours offset, bool iso) {
  const auto shifted = std::chrono::floor<std::chrono::seconds>(at + offset);
  const auto day = std::chrono::floor<std::chrono::days>(shifted);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{shifted - day};
  const int year = static_cast<int>(date.year());
  const auto month = static_cast<unsigned>(date.month()), of_month = static_cast<unsigned>(date.day());
  const int hour = static_cast<int>(time.hours().count()), minute = static_cast<int>(time.minutes().count()),
            second = static_cast<int>(time.seconds().count());
  std::array<char, 80> text{};
  if (iso)
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d-03:00", year, month, of_month, hour, minute,
                  second);
  else
    std::snprintf(text.data(), text.size(), "%02u/%02u/%04d %02d:%02d:%02d", of_month, month, year, hour, minute,
                  second);
  return text.data();
}

std::vector<std::string> all_between(std::string_view text, std::string_view open, std::string_view close) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const std::size_t end = std::min(text.find(close, at), text.size());
    found.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

std::string between(std::string_view text, std::string_view open, std::string_view close) {
  const auto found = all_between(text, open, close);
  return found.empty() ? std::string{} : found.front();
}

constexpr std::string_view soap_open =
    R"(<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">)";
constexpr std::string_view soap_close = "</s:Body></s:Envelope>";
constexpr std::string_view diffgram_open =
    R"(<diffgr:diffgram xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1">)";

std::string soap(std::string_view body, std::string_view trace) {
  return std::string(soap_open) + "<s:Header><trace>" + std::string(trace) + "</trace></s:Header><s:Body>" +
         std::string(body) + std::string(soap_close);
}

std::string oca_diffgram(std::string_view data, std::string_view trace) {
  return soap(
      "<Response><Result>" + std::string(diffgram_open) + std::string(data) + "</diffgr:diffgram></Result></Response>",
      trace);
}

std::string oca_rows(const std::string& remito, std::span<const WireEvent> history) {
  std::string rows;
  for (const WireEvent& event : history)
    rows += "<Table><NumeroEnvio>" + remito + "</NumeroEnvio><Descripcion_Motivo>" +
            (event.reason.empty() ? "Sin Motivo" : event.reason) + "</Descripcion_Motivo><Desdcripcion_Estado>" +
            event.text + " - Suc: CENTRO</Desdcripcion_Estado>" +
            (event.code.empty() ? "" : "<Id_Estado>" + event.code + "</Id_Estado>") + "<SUC>Suc: CENTRO</SUC><fecha>" +
            local_time(event.at, buenos_aires, true) + "</fecha></Table>";
  return rows.empty() ? "" : "<NewDataSet>" + rows + "</NewDataSet>";
}

std::string correios_object(const WireParcel& parcel) {
  std::string object = "<objeto><numero>" + parcel.remito + "</numero>";
  if (parcel.history.empty()) object += "<erro>Objeto nao encontrado na base de dados dos Correios.</erro>";
  for (const WireEvent& event : parcel.history | std::views::reverse) {
    const std::string time = local_time(event.at, sao_paulo, false);
    const std::size_t dash = event.code.find('-');
    object += "<evento><tipo>" + event.code.substr(0, dash) + "</tipo><status>" + event.code.substr(dash + 1) +
              "</status><data>" + time.substr(0, 10) + "</data><hora>" + time.substr(11, 5) + "</hora><descricao>" +
              event.text + "</descricao><local>CDD BUTANTA</local></evento>";
  }
  return object + "</objeto>";
}

std::string chazki_lines(std::span<const WireEvent> history, std::string_view trace) {
  const std::string open = R"({"trace":")" + std::string(trace) + R"(",)";
  if (history.empty())
    return open + R"("response":0,"descriptionResponse":"FAILED","messages":"codigo no registrado"})";
  std::string lines;
  for (const WireEvent& event : history)
    lines += (lines.empty() ? "" : ",") + (R"({"status":")" + event.text) + R"(","date":")" +
             local_time(event.at, lima, false) + R"(","reason":")" + event.reason + "\"}";
  return open + R"("response":1,"descriptionResponse":"SUCCESS","messages":"","service_1":[)" + lines + "]}";
}

constexpr const char* json_type = "application/json; charset=utf-8";

}  // namespace

Asked read_request(const carriers::HttpRequest& request) {
  const auto to = [&](std::string_view host) { return request.url.find(host) != std::string::npos; };
  const std::string& body = request.body;
  if (to("chazki")) {
    if (to("/delivery/create/")) return {"chazki", true, {}, between(body, R"("deliveryTrackCode":")", "\""), ""};
    return {"chazki", false, {between(request.url, "code=", "&")}, "", ""};
  }
  if (to("correios")) return {"correios", false, all_between(body, "<objetos>", "</objetos>"), "", ""};
  if (to("oca.com.ar")) {
    if (body.find("<IngresoOR") != std::string::npos)
      return {"oca", true, {}, "", between(body, "nroremito=&quot;", "&quot;")};
    return {"oca", false, {between(body, "<NumeroEnvio>", "</NumeroEnvio>")}, "", ""};
  }
  // A profile of a test: it answers for itself (VirtualCarriers::always, serve).
  if (to("carrier.example")) return {"test", to("/create"), {}, "", ""};
  throw std::runtime_error("no carrier is known at " + request.url);
}

carriers::FetchResult http_answer(int status, std::string body, std::string content_type) {
  carriers::HttpAnswer answer;
  answer.status = status;
  answer.content_type = std::move(content_type);
  answer.body = std::move(body);
  return answer;
}

void compare(const carriers::KnownBody& known, carriers::HttpAnswer& answer) {
  carriers::compare(answer.body, known, answer);
  if (answer.known) answer.body.clear();
}

carriers::FetchResult fetch_error(carriers::FetchError::Kind kind, bool provably_unsent) {
  return std::unexpected(carriers::FetchError{kind, "as the test says", provably_unsent});
}

carriers::FetchResult oca_tracking(const std::string& remito, std::span<const WireEvent> history,
                                   std::string_view trace) {
  return http_answer(200, oca_diffgram(oca_rows(remito, history), trace));
}

carriers::FetchResult oca_granted(const std::string& client_ref, const std::string& remito, std::string_view trace) {
  return http_answer(200, oca_diffgram("<Resultado><DetalleIngresos><NumeroEnvio>" + remito + "</NumeroEnvio><Remito>" +
                                           client_ref + "</Remito></DetalleIngresos></Resultado>",
                                       trace));
}

carriers::FetchResult oca_refused(const std::string& client_ref, const std::string& why) {
  return http_answer(200, oca_diffgram("<Resultado><DetalleRechazos><Remito>" + client_ref + "</Remito><Motivo>" + why +
                                           "</Motivo></DetalleRechazos></Resultado>",
                                       "same"));
}

carriers::FetchResult correios_tracking(std::span<const WireParcel> parcels, std::string_view trace) {
  std::string objects;
  for (const WireParcel& parcel : parcels) objects += correios_object(parcel);
  return http_answer(
      200, soap("<buscaEventosListaResponse><return>" + objects + "</return></buscaEventosListaResponse>", trace));
}

carriers::FetchResult chazki_tracking(std::span<const WireEvent> history, std::string_view trace) {
  return http_answer(200, chazki_lines(history, trace), json_type);
}

carriers::FetchResult chazki_granted(const std::string& order_number) {
  return http_answer(200, R"({"response":1,"descriptionResponse":"SUCCESS","codeDelivery":")" + order_number + "\"}",
                     json_type);
}

carriers::FetchResult chazki_refused(const std::string& why) {
  return http_answer(200, R"({"response":0,"descriptionResponse":"FAILED","messages":")" + why + "\"}", json_type);
}

}  // namespace remitod::test
