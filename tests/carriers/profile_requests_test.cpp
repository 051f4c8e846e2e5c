// The requests that the built-in profiles make, read as their carriers will read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "carriers/request.h"
#include "tests/carriers/built_in_profiles.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;

constexpr std::string_view payload = R"({
  "sender": {"name": "Tienda & Cía", "email": "tienda@example.com", "address": {"street": "Av. Primera", "number": "10",
    "district": "Centro", "province": "Neuquén", "postcode": "8300"}},
  "recipient": {"first_name": "Ana \"Nena\"", "last_name": "D'Amico <Ruiz>", "phone": "0999000111",
    "document_number": "00012345", "address": {"street": "Calle Ñandú", "number": "5", "reference": "Portón\nverde",
    "district": "San Isidro", "province": "Lima", "department": "Lima", "postcode": "0150"}},
  "parcels": [{"weight_kg": 0.50, "length_cm": 20, "width_cm": 15, "height_cm": 10, "description": "Té \"fino\"",
               "declared_value": 25.90},
              {"weight_kg": 2, "length_cm": 30, "width_cm": 20, "height_cm": 12, "description": "Taza", "quantity": 3}]
})";

HttpRequest track_request(const std::string& carrier, const std::vector<std::string_view>& remitos) {
  std::vector<TrackItem> items;
  for (const std::string_view remito : remitos) items.push_back({remito, *from_iso8601("2027-01-01T02:00:00Z")});
  const auto request = build_track(*test::built_in_profile(carrier), items, Instant{});
  if (!request) throw std::runtime_error(request.error().field + ": " + request.error().message);
  return *request;
}

std::expected<HttpRequest, RequestError> create_request(const std::string& carrier, std::string_view of = payload) {
  return build_create(*test::built_in_profile(carrier), CreateOrder{"0000417", 1, "", "r-417-1", of}, Instant{});
}

/// As a service reads a document out of a string: whatever encoding it declares, it is text already.
pugi::xml_document parse_xml(const std::string& text) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_string(text.c_str());
  if (!result) throw std::runtime_error(result.description());
  return document;
}

/// The text of the first element with this local name.
std::string element(const pugi::xml_document& document, const std::string& local_name) {
  return document.select_node(("//*[local-name() = '" + local_name + "']").c_str()).node().text().get();
}

TEST(OcaRequest, AsksForOneNumber) {
  const HttpRequest request = track_request("oca", {"0417<&>"});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://webservice.oca.com.ar/ePak_tracking/Oep_TrackEPak.asmx");
  EXPECT_THAT(request.headers, Contains(R"(SOAPAction: "#Oca_e_Pak/Tracking_Pieza_ConIdEstado")"));
  EXPECT_EQ(element(parse_xml(request.body), "NumeroEnvio"), "0417<&>");
}

TEST(OcaRequest, CarriesTheOrderAsADocumentInsideAString) {
  const auto request = create_request("oca");
  ASSERT_TRUE(request) << request.error().field << ": " << request.error().message;
  EXPECT_TRUE(request->fresh_connection);
  const pugi::xml_document envelope = parse_xml(request->body);
  EXPECT_EQ(element(envelope, "psw"), "oca & secret");
  const pugi::xml_document order = parse_xml(element(envelope, "xml_Datos"));
  const pugi::xml_node rows = order.child("ROWS");
  EXPECT_STREQ(rows.child("cabecera").attribute("nrocuenta").value(), "417032/001");
  EXPECT_STREQ(rows.child("retiro").attribute("contacto").value(), "Tienda & Cía");
  const pugi::xml_node shipment = rows.child("envios").child("envio");
  EXPECT_STREQ(shipment.attribute("nroremito").value(), "r-417-1");
  EXPECT_STREQ(shipment.child("destinatario").attribute("apellido").value(), "D'Amico <Ruiz>");
  EXPECT_STREQ(shipment.child("destinatario").attribute("nombre").value(), "Ana \"Nena\"");
  const pugi::xml_node parcel = shipment.child("paquetes").first_child();
  EXPECT_STREQ(parcel.attribute("peso").value(), "0.50");
  EXPECT_STREQ(parcel.attribute("valor").value(), "25.90");
  EXPECT_STREQ(parcel.attribute("cant").value(), "1");
  EXPECT_STREQ(parcel.next_sibling().attribute("valor").value(), "0");
  EXPECT_STREQ(parcel.next_sibling().attribute("cant").value(), "3");
}

TEST(OcaRequest, IsRefusedWithHalfAnAddress) {
  json incomplete = json::parse(payload);
  incomplete["recipient"]["address"].erase("postcode");
  const auto request = create_request("oca", incomplete.dump());
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().field, "recipient.address.postcode");
}

TEST(CorreiosRequest, AsksForManyNumbersAtOnce) {
  const HttpRequest request = track_request("correios", {"QB417032155BR", "QB417032164BR", "QB417032178BR"});
  const pugi::xml_document document = parse_xml(request.body);
  const pugi::xpath_node_set objects = document.select_nodes("//objetos");
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_STREQ(objects[2].node().text().get(), "QB417032178BR");
  EXPECT_EQ(element(document, "usuario"), "tienda");
  EXPECT_EQ(element(document, "senha"), "sro-secret");
}

TEST(ChazkiRequest, SendsTheKeyInAHeader) {
  const HttpRequest request = track_request("chazki", {"0000/417 A"});
  EXPECT_EQ(
      request.url,
      "https://integracion.chazki.com:8443/chazkiServices/delivery/status/record?code=0000%2F417%20A&store=10417");
  EXPECT_THAT(request.headers, Contains("chazki-api-key: chazki-secret"));
}

TEST(ChazkiRequest, NamesTheShipmentByOurOrderNumber) {
  const auto request = create_request("chazki");
  ASSERT_TRUE(request) << request.error().field << ": " << request.error().message;
  const json body = json::parse(request->body);
  ASSERT_EQ(body.size(), 1u);
  EXPECT_EQ(body[0]["deliveryTrackCode"], "0000417");
  EXPECT_EQ(body[0]["mode"], "Regular");
  EXPECT_EQ(body[0]["addressClient"][0]["reference"], "Portón\nverde");
  const json& items = body[0]["listItemSold"];
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0]["name"], "Té \"fino\"");
  EXPECT_EQ(items[0]["price"], 25.9);
  EXPECT_EQ(items[0]["quantity"], 1);
  EXPECT_EQ(items[1]["weight"], 2);
  EXPECT_EQ(items[1]["quantity"], 3);
}

TEST(OlvaRequest, AsksWithTheYearOfIssueInLima) {
  const HttpRequest request = track_request("olva", {"2417032"});
  EXPECT_EQ(request.method, "GET");
  EXPECT_THAT(request.url, HasSubstr("tracking=2417032&emision=26&apikey=olva-secret"));  // still 2026 there
  EXPECT_THAT(request.headers, Contains("Origin: https://tracking.olvaexpress.pe"));
}

}  // namespace
}  // namespace remitod::carriers
