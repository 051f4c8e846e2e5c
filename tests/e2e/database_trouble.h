// Twelve shipments that are asked about many times a second, a database that gets into trouble while they are
// delivered, and what has to be true when it is out of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"

namespace remitod::test {

// A minute in a tenth of a second: every shipment is asked about ten times a second.
inline constexpr double time_scale = 600;
inline const std::string often = "interval = \"60 s\"\nconcurrency = 2\n";
inline constexpr int shipments = 12;

class DatabaseTrouble : public testing::Test {
 protected:
  void start_following(Installation& installation) {
    for (int i = 0; i < shipments; ++i) show(installation, i, demo::Step::on_the_way);
    installation.configure(installation.carrier("oca", carrier_.url(), often));
    installation.start();
    for (int i = 0; i < shipments; ++i)
      installation.platform().follow("oca", std::to_string(100 + i), std::to_string(1000 + i));
    ASSERT_TRUE(eventually([&] { return count(installation, "in_transit") == shipments; })) << installation.log();
  }
  void show(const Installation& installation, int number, demo::Step last) {
    demo::Parcel parcel{std::to_string(100 + number),
                        {{demo::Step::on_the_way, installation.now() - std::chrono::hours{48}, {}}}};
    if (last != demo::Step::on_the_way) parcel.shown.push_back({last, installation.now() - std::chrono::hours{24}, {}});
    carrier_.says("<NumeroEnvio>" + parcel.number + "<", ScriptedAnswer::ok(demo::soap_tracking(&parcel), xml_headers));
  }
  void show_all_delivered(const Installation& installation) {
    for (int i = 0; i < shipments; ++i) show(installation, i, demo::Step::delivered);
  }
  static std::int64_t count(Installation& installation, const std::string& status) {
    return installation.platform().number("select count(*) from shipments where status = '" + status + "'");
  }
  static bool degraded(const Installation& installation) {
    const nlohmann::json status = installation.status();
    return !status.at("ok").get<bool>() && !status.at("database").at("ok").get<bool>();
  }
  static void expect_all_delivered_and_told_once(Installation& installation) {
    Platform& platform = installation.platform();
    ASSERT_TRUE(eventually([&] {
      return count(installation, "delivered") == shipments &&
             platform.number("select count(*) from transitions where seq is null") == 0;
    })) << installation.log();
    for (int i = 0; i < shipments; ++i)
      EXPECT_THAT(platform.rows("select to_status from transitions where remito = '" + std::to_string(100 + i) +
                                "' order by seq"),
                  testing::ElementsAre("in_transit", "delivered"));
    EXPECT_EQ(platform.number("select max(seq) from transitions"), platform.number("select count(*) from transitions"));
    ASSERT_TRUE(eventually([&] { return installation.status().at("ok").get<bool>(); }));
  }

  ScriptedCarrier carrier_;
};

}  // namespace remitod::test
