#include "daemon/sink_event.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

/// The example of sinks.md.
db::ToldTransition attempt_failed() {
  db::ToldTransition transition;
  transition.id = 4711;
  transition.seq = 4702;
  transition.subject = "shipment";
  transition.order_number = "1001";
  transition.parcel_group = 1;
  transition.carrier = "oca";
  transition.remito = "3867500000001234567";
  transition.cycle = 1;
  transition.from = "out_for_delivery";
  transition.to = "attempt_failed";
  transition.reason = "recipient_absent";
  transition.attempt = 1;
  transition.code = "17";
  transition.text = "Visita: cliente ausente";
  transition.place = "Miraflores";
  transition.occurred_at = from_iso8601("2026-11-23T16:04:00Z");
  transition.zone_source = "profile";
  transition.detected_at = *from_iso8601("2026-11-23T16:11:02.5Z");
  return transition;
}

db::ToldTransition granted() {
  db::ToldTransition transition;
  transition.id = 1;
  transition.seq = 1;
  transition.subject = "request";
  transition.order_number = "1001";
  transition.parcel_group = 2;
  transition.carrier = "oca";
  transition.remito = "0001";
  transition.cycle = 1;
  transition.from = "confirmed";
  transition.to = "ready_to_ship";
  transition.detected_at = *from_iso8601("2026-11-23T16:11:02Z");
  return transition;
}

/// The block of sinks.md that is fenced as json.
json documented_example() {
  const std::string page = test::read_file(test::source_dir() / "daemon" / "sinks.md");
  const std::string fence = "```json\n";
  const std::size_t begin = page.find(fence) + fence.size();
  return json::parse(page.substr(begin, page.find("```", begin) - begin));
}

/// Empty, or what the schema's validator says.
std::string schema_complaint(const std::string& event) {
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / "event.json", event);
  const test::Finished finished = test::run_to_end(
      {"python3", "-c",
       "import json, sys, jsonschema\n"
       "schema, event = (json.load(open(name)) for name in sys.argv[1:])\n"
       "jsonschema.Draft202012Validator.check_schema(schema)\n"
       "jsonschema.validate(event, schema, jsonschema.Draft202012Validator,\n"
       "                    format_checker=jsonschema.FormatChecker())\n",
       (test::source_dir() / "daemon" / "sink_event.schema.json").string(), (folder.path() / "event.json").string()});
  return finished.exit_code == 0 ? "" : finished.err + "(exit)";
}

TEST(SinkEvent, IsTheDocumentedExample) {
  EXPECT_EQ(json::parse(cloud_event(attempt_failed())), documented_example());
}

TEST(SinkEvent, KeepsToItsSchema) {
  EXPECT_EQ(schema_complaint(cloud_event(attempt_failed())), "");
  EXPECT_EQ(schema_complaint(cloud_event(granted())), "");
  db::ToldTransition wrong = granted();
  wrong.to = "unmapped";
  EXPECT_NE(schema_complaint(cloud_event(wrong)), "") << "the schema refuses something";
}

TEST(SinkEvent, OfARequestIsAboutItsOrder) {
  const json event = json::parse(cloud_event(granted()));
  EXPECT_EQ(event["type"], "remitod.request.ready_to_ship");
  EXPECT_EQ(event["subject"], "order:1001");
  EXPECT_EQ(event["data"]["label"], "Listo para Enviar");
  EXPECT_TRUE(event["data"]["occurred_at"].is_null());
}

TEST(SinkEvent, IsOneLineOfUtf8WhateverTheCarrierSent) {
  db::ToldTransition transition = attempt_failed();
  transition.text = "dos\nl\xEDneas \x01";
  const std::string event = cloud_event(transition);
  EXPECT_FALSE(event.contains('\n'));
  EXPECT_TRUE(json::accept(event));
}

TEST(SinkEvent, OfRequestAndShipmentOfOneParcelGroupHaveOneOrderKey) {
  db::ToldTransition shipment = attempt_failed();
  shipment.parcel_group = 2;
  EXPECT_EQ(order_key(granted()), order_key(shipment));
  EXPECT_EQ(order_key(granted()), "1001/2");
  EXPECT_NE(order_key(granted()), order_key(attempt_failed()));
}

TEST(SinkEvent, LabelsAreThoseOfTheStates) {
  EXPECT_EQ(transition_label("delivered"), "Entregado");
  EXPECT_EQ(transition_label("remito_refused"), "Remito rechazado");
  EXPECT_EQ(transition_label("confirmed"), "Confirmado");
  EXPECT_EQ(transition_label("granted"), "") << "of a request, not of its order";
}

}  // namespace
}  // namespace remitod::daemon
