#include "tests/demo/wire.h"

#include <array>
#include <cstdio>
#include <ranges>

namespace remitod::demo {
namespace {

using std::chrono::hours;

constexpr hours argentina{-3}, brazil{-3}, peru{-5};

struct Local {
  int year, month, day, hour, minute;
};

Local local(Instant at, hours utc_offset) {
  const auto shifted = std::chrono::floor<std::chrono::minutes>(at + utc_offset);
  const auto day = std::chrono::floor<std::chrono::days>(shifted);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{shifted - day};
  return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())), static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count())};
}

template <class... Numbers>
std::string print(const char* format, Numbers... numbers) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, numbers...);
  return text.data();
}

std::string iso_day(Instant at, hours utc_offset) {
  const Local when = local(at, utc_offset);
  return print("%04d-%02d-%02d", when.year, when.month, when.day);
}

constexpr std::string_view soap_open =
    R"(<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>)";
constexpr std::string_view soap_close = "</soap:Body></soap:Envelope>";
constexpr std::string_view diffgram_open =
    R"(<diffgr:diffgram xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1">)";

// Id_Estado, Desdcripcion_Estado and Descripcion_Motivo of the first dialect.
struct Wording {
  const char* code;
  const char* text;
  const char* motive;
};
Wording diffgram_wording(Step step) {
  switch (step) {
    case Step::admitted:
      return {"57", "En proceso de Admision", "Sin Motivo"};
    case Step::on_the_way:
      return {"", "En viaje a Sucursal de Destino", "Sin Motivo"};
    case Step::out:
      return {"", "Procesado en OCA", "Sin Motivo"};
    case Step::absent:
      return {"", "Visita fallida", "Domicilio cerrado"};
    case Step::bad_address:
      return {"", "Visita fallida", "Domicilio inexistente"};
    case Step::desists:
      return {"", "Visita fallida", "El destinatario rechaza el envio"};
    case Step::delivered:
      return {"63", "Entregado", "Sin Motivo"};
    case Step::back:
      return {"", "Devuelto al Remitente", "Sin Motivo"};
  }
  return {"", "", ""};
}

Wording batch_wording(Step step) {
  switch (step) {
    case Step::admitted:
      return {"PO-01", "Objeto postado", ""};
    case Step::on_the_way:
      return {"RO-01", "Objeto encaminhado", ""};
    case Step::out:
      return {"OEC-01", "Objeto saiu para entrega ao destinatario", ""};
    case Step::absent:
      return {"BDE-20", "A entrega nao pode ser efetuada - Carteiro nao atendido", ""};
    case Step::bad_address:
      return {"BDE-19", "Endereco incorreto - Entrega nao realizada", ""};
    case Step::desists:
      return {"BDE-04", "Cliente recusou-se a receber o objeto", ""};
    case Step::delivered:
      return {"BDE-01", "Objeto entregue ao destinatario", ""};
    case Step::back:
      return {"BDE-23", "Objeto devolvido ao remetente", ""};
  }
  return {"", "", ""};
}

const char* json_wording(Step step) {
  switch (step) {
    case Step::admitted:
      return "REGISTRADO";
    case Step::on_the_way:
      return "DESPACHADO";
    case Step::out:
      return "ASIGNADO";
    case Step::absent:
    case Step::bad_address:
      return "MOTIVADO";
    case Step::desists:
      return "RECHAZADO";
    case Step::delivered:
      return "ENTREGADO";
    case Step::back:
      return "DEVOLUCION";
  }
  return "";
}

std::string order_answer(std::string_view data) {
  return std::string(soap_open) + "<IngresoORResponse xmlns=\"#Oca_e_Pak\"><IngresoORResult>" +
         std::string(diffgram_open) + std::string(data) + "</diffgr:diffgram></IngresoORResult></IngresoORResponse>" +
         std::string(soap_close);
}

std::string order_result(std::string_view details, bool granted, Instant now) {
  const Local when = local(now, argentina);
  return order_answer(
      "<Resultado xmlns=\"\"><Resumen><CodigoOperacion>1</CodigoOperacion><FechaIngreso>" +
      print("%04d-%02d-%02dT%02d:%02d:00-03:00", when.year, when.month, when.day, when.hour, when.minute) +
      "</FechaIngreso><CantidadRegistros>1</CantidadRegistros><CantidadIngresados>" + (granted ? "1" : "0") +
      "</CantidadIngresados><CantidadRechazados>" + (granted ? "0" : "1") + "</CantidadRechazados></Resumen>" +
      std::string(details) + "</Resultado>");
}

std::string unescape(std::string text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> escapes{
      {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}}};
  for (const auto& [escaped, plain] : escapes)
    for (std::size_t at = 0; (at = text.find(escaped, at)) != std::string::npos; at += plain.size())
      text.replace(at, escaped.size(), plain);
  return text;
}

}  // namespace

std::string soap_tracking(const Parcel* parcel) {
  std::string rows;
  if (parcel)
    for (const LifeEvent& event : parcel->shown) {
      const Wording wording = diffgram_wording(event.step);
      const std::string code = *wording.code ? "<Id_Estado>" + std::string(wording.code) + "</Id_Estado>" : "";
      rows += "<Table><NumeroEnvio>" + parcel->number + "</NumeroEnvio><Descripcion_Motivo>" + wording.motive +
              "</Descripcion_Motivo><Desdcripcion_Estado>" + wording.text + " - Suc: CENTRO</Desdcripcion_Estado>" +
              code + "<SUC>Suc: CENTRO</SUC><fecha>" + iso_day(event.occurred_at, argentina) +
              "T00:00:00-03:00</fecha></Table>";
    }
  const std::string data = rows.empty() ? "" : "<NewDataSet xmlns=\"\">" + rows + "</NewDataSet>";
  return std::string(soap_open) +
         "<Tracking_Pieza_ConIdEstadoResponse xmlns=\"#Oca_e_Pak\"><Tracking_Pieza_ConIdEstadoResult>" +
         std::string(diffgram_open) + data +
         "</diffgr:diffgram></Tracking_Pieza_ConIdEstadoResult></Tracking_Pieza_ConIdEstadoResponse>" +
         std::string(soap_close);
}

std::string soap_granted(std::string_view reference, std::string_view number, Instant now) {
  return order_result("<DetalleIngresos><Operativa>1</Operativa><OrdenRetiro>1</OrdenRetiro><NumeroEnvio>" +
                          std::string(number) + "</NumeroEnvio><Remito>" + std::string(reference) +
                          "</Remito></DetalleIngresos>",
                      true, now);
}

std::string soap_refused(std::string_view reference, std::string_view why, Instant now) {
  return order_result("<DetalleRechazos><Operativa>1</Operativa><Remito>" + std::string(reference) +
                          "</Remito><Motivo>" + std::string(why) + "</Motivo><Cantidad>1</Cantidad></DetalleRechazos>",
                      false, now);
}

std::string soap_bad_login() {
  return order_answer("");
}

std::string batch_tracking(std::span<const Parcel> parcels) {
  std::string objects;
  for (const Parcel& parcel : parcels) {
    objects += "<objeto><numero>" + parcel.number + "</numero>";
    if (parcel.shown.empty()) objects += "<erro>Objeto nao encontrado na base de dados.</erro>";
    for (const LifeEvent& event : parcel.shown | std::views::reverse) {
      const Wording wording = batch_wording(event.step);
      const std::string code = wording.code;
      const Local when = local(event.occurred_at, brazil);
      objects += "<evento><tipo>" + code.substr(0, code.find('-')) + "</tipo><status>" +
                 code.substr(code.find('-') + 1) + "</status><data>" +
                 print("%02d/%02d/%04d", when.day, when.month, when.year) + "</data><hora>" +
                 print("%02d:%02d", when.hour, when.minute) + "</hora><descricao>" + wording.text +
                 "</descricao><local>CDD CENTRO</local><cidade>LIMEIRA</cidade><uf>SP</uf></evento>";
    }
    objects += "</objeto>";
  }
  return std::string(soap_open) +
         "<ns2:buscaEventosListaResponse xmlns:ns2=\"http://resource.webservice.correios.com.br/\"><return>"
         "<versao>2.0</versao><qtd>" +
         std::to_string(parcels.size()) + "</qtd>" + objects + "</return></ns2:buscaEventosListaResponse>" +
         std::string(soap_close);
}

std::string json_tracking(const Parcel* parcel) {
  if (!parcel) return R"({"success":false,"msg":"No se encontraron resultados","data":null})";
  std::string details;
  for (const LifeEvent& event : parcel->shown | std::views::reverse)
    details += (details.empty() ? "" : ",") + (R"({"fecha_creacion":")" + iso_day(event.occurred_at, peru)) +
               R"(","estado_tracking":")" + json_wording(event.step) + R"(","nombre_sede":"LIMA","obs":""})";
  const std::string now = parcel->shown.empty() ? "REGISTRADO" : json_wording(parcel->shown.back().step);
  return R"({"success":true,"msg":"resultados obtenidos","data":{"general":{"nombre_estado_tracking":")" + now +
         R"("},"details":[)" + details + "]}}";
}

std::vector<std::string> elements(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">", close = "</" + std::string(name) + ">";
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    found.push_back(unescape(std::string(xml.substr(at, end - at))));
    at = end;
  }
  return found;
}

std::string element(std::string_view xml, std::string_view name) {
  const auto found = elements(xml, name);
  return found.empty() ? std::string{} : found.front();
}

std::string attribute(std::string_view xml, std::string_view name) {
  const std::string open = " " + std::string(name) + "=\"";
  std::size_t at = xml.find(open);
  if (at == std::string_view::npos) return {};
  at += open.size();
  return unescape(std::string(xml.substr(at, xml.find('"', at) - at)));
}

}  // namespace remitod::demo
