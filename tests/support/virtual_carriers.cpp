#include "tests/support/virtual_carriers.h"

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
  throw std::runtime_error("no carrier is known at " + request.url);
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

std::string oca_answer(std::string_view data, std::string_view trace) {
  return soap(
      "<Response><Result>" + std::string(diffgram_open) + std::string(data) + "</diffgr:diffgram></Result></Response>",
      trace);
}

std::string oca_tracking(const std::string& remito, const std::vector<WireEvent>& history, std::string_view trace) {
  std::string rows;
  for (const WireEvent& event : history)
    rows += "<Table><NumeroEnvio>" + remito + "</NumeroEnvio><Descripcion_Motivo>" +
            (event.reason.empty() ? "Sin Motivo" : event.reason) + "</Descripcion_Motivo><Desdcripcion_Estado>" +
            event.text + " - Suc: CENTRO</Desdcripcion_Estado>" +
            (event.code.empty() ? "" : "<Id_Estado>" + event.code + "</Id_Estado>") + "<SUC>Suc: CENTRO</SUC><fecha>" +
            local_time(event.at, buenos_aires, true) + "</fecha></Table>";
  return oca_answer(rows.empty() ? "" : "<NewDataSet>" + rows + "</NewDataSet>", trace);
}

std::string correios_object(const std::string& remito, const std::vector<WireEvent>& history) {
  std::string object = "<objeto><numero>" + remito + "</numero>";
  if (history.empty()) object += "<erro>Objeto nao encontrado na base de dados dos Correios.</erro>";
  for (const WireEvent& event : history | std::views::reverse) {
    const std::string time = local_time(event.at, sao_paulo, false);
    const std::size_t dash = event.code.find('-');
    object += "<evento><tipo>" + event.code.substr(0, dash) + "</tipo><status>" + event.code.substr(dash + 1) +
              "</status><data>" + time.substr(0, 10) + "</data><hora>" + time.substr(11, 5) + "</hora><descricao>" +
              event.text + "</descricao><local>CDD BUTANTA</local></evento>";
  }
  return object + "</objeto>";
}

std::string chazki_tracking(const std::vector<WireEvent>& history, std::string_view trace) {
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

carriers::FetchResult http_answer(int status, std::string body, std::string content_type) {
  carriers::HttpAnswer answer;
  answer.status = status;
  answer.content_type = std::move(content_type);
  answer.fingerprint = fingerprint(body);
  answer.body = std::move(body);
  return answer;
}

carriers::FetchResult fetch_error(carriers::FetchError::Kind kind, bool provably_unsent) {
  return std::unexpected(carriers::FetchError{kind, "as the test says", provably_unsent});
}

carriers::FetchResult VirtualCarriers::ordinary_answer(const Asked& asked) const {
  const std::string trace = volatile_envelope_ ? std::to_string(sent_.size()) : "same";
  const auto history = [&](const std::string& remito) {
    const auto parcel = parcels_.find({asked.carrier, remito});
    return parcel == parcels_.end() ? std::vector<WireEvent>{} : parcel->second;
  };
  if (asked.carrier == "chazki") {
    if (asked.create)
      return http_answer(
          200, R"({"response":1,"descriptionResponse":"SUCCESS","codeDelivery":")" + asked.order_number + "\"}",
          json_type);
    return http_answer(200, chazki_tracking(history(asked.remitos.at(0)), trace), json_type);
  }
  if (asked.carrier == "correios") {
    std::string objects;
    for (const std::string& remito : asked.remitos) objects += correios_object(remito, history(remito));
    return http_answer(
        200, soap("<buscaEventosListaResponse><return>" + objects + "</return></buscaEventosListaResponse>", trace));
  }
  if (!asked.create) return http_answer(200, oca_tracking(asked.remitos.at(0), history(asked.remitos.at(0)), trace));
  // A number of its own for each reference: as many shipments exist as requests were granted.
  const std::string number = "39055" + std::to_string(sent_.size());
  return http_answer(200, oca_answer("<Resultado><DetalleIngresos><NumeroEnvio>" + number + "</NumeroEnvio><Remito>" +
                                         asked.client_ref + "</Remito></DetalleIngresos></Resultado>",
                                     trace));
}

carriers::FetchResult VirtualCarriers::receive(const carriers::HttpRequest& request, Instant now) {
  const Asked asked = read_request(request);
  sent_.push_back({now, asked, request});
  if (auto& script = scripts_[asked.carrier]; !script.empty()) {
    const Answer answer = std::move(script.front());
    script.pop_front();
    return answer(asked, now);
  }
  if (const auto always = always_.find(asked.carrier); always != always_.end()) return always->second(asked, now);
  return ordinary_answer(asked);
}

std::vector<SentRequest> VirtualCarriers::creates() const {
  std::vector<SentRequest> result;
  std::ranges::copy_if(sent_, std::back_inserter(result), [](const SentRequest& sent) { return sent.asked.create; });
  return result;
}

std::vector<Instant> VirtualCarriers::asked_at(std::string_view carrier, std::string_view remito) const {
  std::vector<Instant> result;
  for (const SentRequest& sent : sent_)
    if (sent.asked.carrier == carrier && std::ranges::find(sent.asked.remitos, remito) != sent.asked.remitos.end())
      result.push_back(sent.at);
  return result;
}

void VirtualTransport::submit(carriers::HttpRequest request, Done done) {
  in_flight_max_ = std::max(in_flight_max_, ++in_flight_);
  // The carrier acts when the request reaches it, and is heard when its answer is back.
  auto answer = carriers_.receive(request, runtime_.now());
  runtime_.after(carriers_.latency(), [this, answer = std::move(answer), done = std::move(done)]() mutable {
    --in_flight_;
    done(std::move(answer));
  });
}

}  // namespace remitod::test
