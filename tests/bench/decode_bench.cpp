// What an answer costs from bytes to reports, beside what the bare parsers take for the same bytes:
//   decode_bench [--benchmark_filter=xml]
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "carriers/answer.h"
#include "carriers/mapping.h"
#include "carriers/profile.h"

namespace {

using namespace remitod;

constexpr std::size_t events_each = 6;

std::string number(std::size_t shipment) {
  return "SHP" + std::to_string(10'000'000 + shipment);
}

std::string moment(std::size_t event) {
  return "2026-11-0" + std::to_string(event + 1) + "T08:30:00-05:00";
}

constexpr const char* codes[] = {"10", "20", "30", "40", "50", "70"};

/// The shape that profiles/farm_xml reads.
std::string xml_answer(std::size_t shipments) {
  std::string body = R"(<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:trk="urn:tracking"><soap:Body>
<trk:TrackResponse><trk:Result><trk:Code>0</trk:Code><trk:Message/></trk:Result>)";
  for (std::size_t i = 0; i < shipments; ++i) {
    body += "\n<trk:Shipment><trk:Number>" + number(i) + "</trk:Number><trk:Events>";
    for (std::size_t e = 0; e < events_each; ++e) {
      body += "\n  <trk:Event><trk:Code>" + std::string(codes[e]) +
              "</trk:Code><trk:Text>Recibido en la agencia de destino</trk:Text>" +
              "<trk:Place>Lima</trk:Place><trk:Date>" + moment(e) + "</trk:Date></trk:Event>";
    }
    body += "</trk:Events></trk:Shipment>";
  }
  return body + "\n</trk:TrackResponse></soap:Body></soap:Envelope>";
}

/// The shape that profiles/farm_json reads.
std::string json_answer(std::size_t shipments) {
  std::string body = R"({"result": {"code": 0, "message": null}, "shipment": [)";
  for (std::size_t i = 0; i < shipments; ++i) {
    body +=
        (i == 0 ? "" : ",") + (R"({"number": ")" + number(i) + R"(", "weight_kg": 1.50, "cash": false, "events": [)");
    for (std::size_t e = 0; e < events_each; ++e) {
      body += (e == 0 ? "" : ",") + (R"({"code": ")" + std::string(codes[e])) +
              R"(", "text": "Recibido en la agencia de destino", "place": "Lima", "at": ")" + moment(e) +
              R"(", "id": 1234567, "visible": true, "lat": -12.04637, "lng": -77.042793})";
    }
    body += "]}";
  }
  return body + "]}";
}

std::string csv_answer(std::size_t rows) {
  std::string body = "Nro Guia;Codigo;Detalle;Fecha;Lugar\r\n";
  for (std::size_t i = 0; i < rows; ++i) body += number(i) + ";70;\"Entregado; sin novedad\";03/11/2026 08:30;Lima\r\n";
  return body;
}

std::string fixed_width_answer(std::size_t rows) {
  std::string body;
  for (std::size_t i = 0; i < rows; ++i)
    body += number(i) + " 70Entregado sin novedad         202611030830Lima       \r\n";
  return body;
}

std::string edifact_answer(std::size_t shipments) {
  std::string body = "UNA:+.? 'UNB+UNOC:3+SENDER+RECEIVER+261103:0834+77'UNH+1+IFTSTA:D:96A:UN'BGM+77+1+9'";
  for (std::size_t i = 0; i < shipments; ++i) {
    body += "CNI+" + std::to_string(i + 1) + "+" + number(i) + "'";
    for (std::size_t e = 0; e < events_each; ++e) body += "STS+1+21'RFF+CN:1'DTM+334:202611030830:203'LOC+5+LIMA'";
  }
  return body + "UNT+1+1'UNZ+1+77'";
}

std::string x12_answer(std::size_t shipments) {
  std::string body =
      "ISA*00*          *00*          *02*INVENTED       *08*0000000001     *261103*0834*U*00401*000000007*0*P*>~"
      "GS*QM*INVENTED*1*20261103*0834*71*X*004010~";
  for (std::size_t i = 0; i < shipments; ++i) {
    body += "ST*214*" + std::to_string(i) + "~B10*" + number(i) + "*5149*INVD~";
    for (std::size_t e = 0; e < events_each; ++e) body += "LX*1~AT7*X6*NS***20261103*0830*LT~MS1*LIMA**PE~";
    body += "SE*21*" + std::to_string(i) + "~";
  }
  return body + "GE*" + std::to_string(shipments) + "*71~IEA*1*000000007~";
}

std::shared_ptr<const carriers::Profile> load(const std::string& name) {
  auto profile = carriers::load_profile(REMITOD_SOURCE_DIR "/tests/bench/profiles/" + name,
                                        {.name = name, .base_url = "http://127.0.0.1:1", .values = {}, .secrets = {}});
  if (profile) return *std::move(profile);
  std::cerr << profile.error().front().to_string() << '\n';
  std::exit(1);
}

void finish(benchmark::State& state, const std::string& body, std::size_t shipments) {
  const auto runs = static_cast<std::int64_t>(state.iterations());
  state.SetBytesProcessed(runs * static_cast<std::int64_t>(body.size()));
  state.SetItemsProcessed(runs * static_cast<std::int64_t>(shipments));
}

void decode_only(benchmark::State& state, const std::string& body, const carriers::DecodeOptions& options,
                 std::size_t shipments) {
  for (auto _ : state) {
    const auto document = carriers::decode(body, "", options);
    if (!document) return state.SkipWithError(document.error().message.c_str());
    benchmark::DoNotOptimize(document->tree().first_child());
  }
  finish(state, body, shipments);
}

void decode_and_map(benchmark::State& state, const std::string& body, const carriers::Profile& profile,
                    std::size_t shipments) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < shipments; ++i) numbers.push_back(number(i));
  std::vector<carriers::TrackItem> asked;
  for (const std::string& remito : numbers) asked.push_back({remito, {}});
  carriers::HttpAnswer answer;
  answer.status = 200;
  answer.body = body;
  for (auto _ : state) {
    const auto track = carriers::map_track(profile, answer, asked);
    if (!track || track->reports.size() != shipments || track->reports.back().events.size() != events_each)
      return state.SkipWithError("not read");
    benchmark::DoNotOptimize(track->reports.data());
  }
  finish(state, body, shipments);
}

void bare_pugixml(benchmark::State& state, const std::string& body, std::size_t shipments) {
  for (auto _ : state) {
    pugi::xml_document document;
    if (!document.load_buffer(body.data(), body.size())) return state.SkipWithError("not read");
    benchmark::DoNotOptimize(document.first_child());
  }
  finish(state, body, shipments);
}

void bare_nlohmann(benchmark::State& state, const std::string& body, std::size_t shipments) {
  for (auto _ : state) {
    const nlohmann::json document = nlohmann::json::parse(body, nullptr, false);
    if (document.is_discarded()) return state.SkipWithError("not read");
    benchmark::DoNotOptimize(&document);
  }
  finish(state, body, shipments);
}

void add(const std::string& name, auto... arguments) {
  benchmark::RegisterBenchmark(name.c_str(), arguments...)->Unit(benchmark::kMicrosecond);
}

void add_markup() {
  static const auto xml_profile = load("farm_xml");
  static const auto json_profile = load("farm_json");
  for (const std::size_t shipments : {1uz, 500uz}) {
    const std::string of = shipments == 1 ? "" : "/" + std::to_string(shipments) + "_shipments";
    const std::string xml = xml_answer(shipments);
    add("xml" + of + "/bare_pugixml", bare_pugixml, xml, shipments);
    add("xml" + of + "/decode", decode_only, xml, carriers::DecodeOptions{}, shipments);
    add("xml" + of + "/decode_and_map", decode_and_map, xml, std::cref(*xml_profile), shipments);
    const std::string json = json_answer(shipments);
    add("json" + of + "/bare_nlohmann", bare_nlohmann, json, shipments);
    add("json" + of + "/decode", decode_only, json, carriers::DecodeOptions{.format = carriers::Format::json},
        shipments);
    add("json" + of + "/decode_and_map", decode_and_map, json, std::cref(*json_profile), shipments);
  }
}

void add_files() {
  constexpr std::size_t rows = 10'000;
  carriers::DecodeOptions csv{.format = carriers::Format::csv};
  csv.csv.separator = ";";
  add("csv/10000_rows/decode", decode_only, csv_answer(rows), csv, rows);
  carriers::DecodeOptions fixed{.format = carriers::Format::fixed_width};
  fixed.fixed_width.records = {
      {.columns = {{"remito", 1, 12}, {"code", 13, 2}, {"text", 15, 30}, {"at", 45, 12}, {"place", 57, 11}}}};
  add("fixed_width/10000_rows/decode", decode_only, fixed_width_answer(rows), fixed, rows);
  constexpr std::size_t shipments = 500;
  add("edifact/500_shipments/decode", decode_only, edifact_answer(shipments),
      carriers::DecodeOptions{.format = carriers::Format::edifact, .segment_groups = {"CNI", "CNI/STS"}}, shipments);
  add("x12/500_shipments/decode", decode_only, x12_answer(shipments),
      carriers::DecodeOptions{.format = carriers::Format::x12, .segment_groups = {"LX", "LX/AT7"}}, shipments);
}

}  // namespace

int main(int argc, char** argv) {
  add_markup();
  add_files();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  std::cout << "one XML answer: " << xml_answer(1).size() << " bytes; one JSON answer: " << json_answer(1).size()
            << " bytes; items are shipments or rows\n";
  benchmark::RunSpecifiedBenchmarks();
}
