// What the command line does to what the database holds, beside a running daemon and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/demo/wire.h"
#include "tests/e2e/scripted_carrier.h"
#include "tests/support/postgres.h"

namespace remitod::test {
namespace {

using nlohmann::json;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Data : public testing::Test {
 protected:
  std::string oca(const Installation& installation, const std::string& more = "") const {
    return installation.carrier("oca", carrier_.url(), asked_by_hand_only + more);
  }
  void shows(const Installation& installation, const std::string& remito, demo::Step last) {
    demo::Parcel parcel{remito, {{demo::Step::admitted, installation.now() - hours{2}, {}}}};
    if (last != demo::Step::admitted) parcel.shown.push_back({last, installation.now() - hours{1}, {}});
    carrier_.says("<NumeroEnvio>" + remito + "<", ScriptedAnswer::ok(demo::soap_tracking(&parcel), xml_headers));
  }
  /// Starts, and follows one shipment that was delivered.
  void start_with_a_delivery(Installation& installation) {
    installation.start();
    shows(installation, "7001", demo::Step::delivered);
    installation.platform().follow("oca", "7001", "1001");
    ASSERT_TRUE(eventually([&] { return installation.carrier_status("oca").at("shipments") == 1; }));
    installation.resync("oca");
  }
  static json asked(const Installation& installation, std::vector<std::string> arguments, int exit_code = 0) {
    arguments.push_back("--json");
    const Finished finished = installation.remitod(arguments);
    EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
    return json::parse(finished.out, nullptr, false);
  }

  ScriptedCarrier carrier_;
};

TEST_F(Data, ABackupMadeBesideTheDaemonIsADatabaseThatOneStartsWith) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  start_with_a_delivery(installation);
  const std::string copy = (installation.folder() / "copy.db").string();
  const json made = asked(installation, {"--backup", copy});
  EXPECT_EQ(made.at("file"), copy);
  EXPECT_GT(made.at("bytes"), 10'000);
  installation.platform().follow("oca", "7002", "1002");
  EXPECT_EQ(installation.stop(), 0);

  Installation restored({.database_url = "sqlite:" + copy, .time_scale = quiet});
  restored.configure(oca(restored));
  restored.start();
  EXPECT_EQ(restored.platform().number("select count(*) from shipments"), 1);
  EXPECT_EQ(restored.platform().text("select status from shipments"), "delivered");
  EXPECT_EQ(restored.stop(), 0);
}

TEST_F(Data, ABackupOfNothingIsNone) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  const Finished finished = installation.remitod({"--backup", (installation.folder() / "copy.db").string()});
  EXPECT_EQ(finished.exit_code, 66) << finished.err;
  EXPECT_FALSE(std::filesystem::exists(installation.folder() / "copy.db"));
  EXPECT_FALSE(std::filesystem::exists(installation.folder() / "remitod.db"));
}

TEST_F(Data, ATraceOfNothingIsNone) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  const std::filesystem::path database = installation.folder() / "remitod.db";
  const Finished finished = installation.remitod({"--export-trace", "all"});
  EXPECT_EQ(finished.exit_code, 66);
  EXPECT_THAT(finished.err, HasSubstr("there is no database " + database.string()));
  EXPECT_THAT(finished.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(database));
  const Finished backtest = installation.remitod({"--backtest", (installation.folder() / "nope.csv").string()});
  EXPECT_EQ(backtest.exit_code, 66);
  EXPECT_THAT(backtest.err, HasSubstr("nope.csv: No such file or directory"));
  write_file(installation.folder() / "wrong.csv", "no trace\n");
  EXPECT_EQ(installation.remitod({"--backtest", (installation.folder() / "wrong.csv").string()}).exit_code, 65);
}

TEST_F(Data, OfPostgresqlTheCommandThatIsToldMakesADumpThatCanBeRestored) {
  Installation installation({.database_url = Postgres::server().take_database(), .time_scale = quiet});
  installation.configure(oca(installation));
  start_with_a_delivery(installation);
  const std::string dump = (installation.folder() / "remitod.dump").string();
  const Finished told = installation.remitod({"--backup", dump});
  EXPECT_EQ(told.exit_code, 64);
  const std::string command = told.err.substr(told.err.find("pg_dump"));
  const Finished dumped = run_to_end({"sh", "-c", command});
  ASSERT_EQ(dumped.exit_code, 0) << command << dumped.err;
  EXPECT_EQ(installation.stop(), 0);

  const std::string fresh = Postgres::server().take_database();
  const std::string connect = fresh.substr(fresh.find(':') + 1);
  const Finished restore = run_to_end({"pg_restore", "--exit-on-error", "--dbname=" + connect, dump});
  ASSERT_EQ(restore.exit_code, 0) << restore.err;
  Installation restored({.database_url = fresh, .time_scale = quiet});
  restored.configure(oca(restored));
  restored.start();
  EXPECT_EQ(restored.platform().text("select status from remitod.shipments"), "delivered");
  EXPECT_GE(restored.platform().number("select count(*) from remitod.transitions where seq is not null"), 2);
  EXPECT_EQ(restored.stop(), 0);
}

TEST_F(Data, TheSchemaIsBroughtUpToDateWithoutADaemonAndNotBesideOne) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  const json migrated = asked(installation, {"--migrate"});
  EXPECT_GE(migrated.at("schema_version"), 8);
  EXPECT_EQ(asked(installation, {"--migrate"}), migrated);
  installation.start();
  EXPECT_EQ(installation.remitod({"--migrate"}).exit_code, 75);
  EXPECT_TRUE(installation.answers());
}

TEST_F(Data, ASchemaThatHasNoPlaceSaysWhatToDoAboutIt) {
  const TemporaryFolder folder;
  const std::filesystem::path nowhere = folder.path() / "nowhere";
  Installation installation({.database_url = "sqlite:" + (nowhere / "remitod.db").string(), .time_scale = quiet});
  installation.configure(oca(installation));
  const Finished migrated = installation.remitod({"--migrate"});
  EXPECT_EQ(migrated.exit_code, 78);
  EXPECT_THAT(migrated.err, HasSubstr("the folder " + nowhere.string() + " does not exist"));
}

TEST_F(Data, ABackupNeverTakesThePlaceOfItsDatabase) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  asked(installation, {"--migrate"});
  const std::string database = (installation.folder() / "remitod.db").string();
  const Finished onto_itself = installation.remitod({"--backup", database});
  EXPECT_EQ(onto_itself.exit_code, 64);
  EXPECT_THAT(onto_itself.err, HasSubstr(database + " is the database itself"));
}

TEST_F(Data, ABackupOfADamagedDatabaseBlamesTheDatabase) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  write_file(installation.folder() / "remitod.db", std::string(2000, 'x'));
  const Finished finished = installation.remitod({"--backup", (installation.folder() / "copy.db").string()});
  EXPECT_EQ(finished.exit_code, 66);
  EXPECT_THAT(finished.err, HasSubstr("remitod.db is damaged"));
  EXPECT_FALSE(std::filesystem::exists(installation.folder() / "copy.db"));
}

TEST_F(Data, TheConfigurationIsPrintedWithoutItsSecrets) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  const json printed = asked(installation, {"--print-config"});
  std::map<std::string, std::string> sources;
  for (const json& key : printed.at("keys")) sources[key.at("key")] = key.at("source");
  EXPECT_THAT(sources.at("carriers.oca.interval"), HasSubstr("line"));
  EXPECT_EQ(sources.at("carriers.oca.concurrency"), "profile");
  EXPECT_EQ(sources.at("retention.payloads"), "default");
  EXPECT_THAT(installation.remitod({"--print-config"}).out, HasSubstr("retention.raw_answers"));
}

TEST_F(Data, AnOrderIsErasedAndAShipmentForgotten) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  start_with_a_delivery(installation);
  ASSERT_TRUE(eventually([&] { return installation.platform().number("select count(*) from raw_answers") == 1; }));
  EXPECT_EQ(asked(installation, {"--erase", "1001", "--dry-run"}).at("open_shipments"), 1);
  const json forgotten = asked(installation, {"--forget", "oca:7001"});
  EXPECT_EQ(forgotten.at("label"), "Entregado");
  EXPECT_EQ(installation.carrier_status("oca").at("shipments"), 0);
  EXPECT_EQ(installation.remitod({"--forget", "oca:7001"}).exit_code, 66);
  const json erased = asked(installation, {"--erase", "1001"});
  EXPECT_EQ(erased.at("events"), 2);
  EXPECT_EQ(erased.at("raw_answers"), 1);
  EXPECT_EQ(installation.platform().number("select count(*) from tracking_events where text || place <> ''"), 0);
  EXPECT_EQ(installation.remitod({"--erase", "9999"}).exit_code, 66);
  EXPECT_EQ(installation.remitod({"--forget", "oca"}).exit_code, 64);
}

TEST_F(Data, ACodeThatTheProfileLearnsIsReadOutOfWhatWasKept) {
  Installation installation({.time_scale = quiet});
  const std::filesystem::path profile = installation.folder() / "profiles" / "learner" / "carrier.toml";
  std::filesystem::create_directories(profile.parent_path());
  const std::string before = R"(title = "Learner"
verified = "documentation"
zone = "America/Lima"
base_url = "https://learner.example"
[track]
url = "{{base_url}}/track/{{remito}}"
[track.answer]
format = "json"
shipments = "/json/s"
remito = "id"
events = "e"
[track.event]
code = "code"
time = "at"
formats = ["iso"]
[[track.status]]
code = "MOV"
status = "in_transit"
)";
  write_file(profile, before);
  installation.configure("[carriers.learner]\nbase_url = \"" + carrier_.url() + "\"\n" + asked_by_hand_only);
  carrier_.says("/track/L1", ScriptedAnswer::ok(R"({"s":{"id":"L1","e":[{"code":"07","at":")" +
                                                    to_iso8601(installation.now() - hours{1}) + R"("}]}})",
                                                "Content-Type: application/json\r\n"));
  installation.start();
  installation.platform().follow("learner", "L1", "1001");
  ASSERT_TRUE(eventually([&] { return installation.carrier_status("learner").at("shipments") == 1; }));
  installation.resync("learner");
  ASSERT_TRUE(eventually([&] { return installation.platform().number("select count(*) from raw_answers") == 1; }));
  ASSERT_EQ(installation.platform().number("select count(*) from transitions"), 0);

  write_file(profile, before + "[[track.status]]\ncode = \"07\"\nstatus = \"delivered\"\n");
  installation.daemon().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return installation.log_lines({" started "}).size() == 2; }));
  ASSERT_TRUE(eventually([&] { return installation.answers(); }));
  const json would = asked(installation, {"--reread", "learner", "--dry-run"});
  EXPECT_EQ(would.at("would_tell").back().at("label"), "Entregado");
  EXPECT_EQ(installation.platform().number("select count(*) from transitions"), 0);
  const json read = asked(installation, {"--reread", "learner"});
  EXPECT_EQ(read.at("transitions"), 2) << "in transit before it was delivered";
  EXPECT_EQ(asked(installation, {"--reread", "learner"}).at("transitions"), 0);
  EXPECT_EQ(installation.platform().text("select status from shipments"), "delivered");
  EXPECT_EQ(installation.remitod({"--reread", "nobody"}).exit_code, 64);
  EXPECT_THAT(installation.remitod({"--reread", "learner"}).out, HasSubstr("1 kept answer(s) read again"));
}

TEST_F(Data, ShadowIsRecordedComparedAndNeverToldWhenItGoesLive) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation, "emit = \"shadow\"\n"));
  start_with_a_delivery(installation);
  EXPECT_GE(installation.platform().number("select count(*) from transitions where shadow and seq is null"), 2);
  installation.platform().execute(
      "insert into legacy_statuses (carrier, remito, status, noted_at) "
      "select carrier, remito, to_status, detected_at + 60000000 from transitions where not inferred");
  const json compared = asked(installation, {"--compare-shadow", "oca"});
  EXPECT_EQ(compared.at("shipments"), 1);
  EXPECT_EQ(compared.at("same"), 1);
  EXPECT_EQ(compared.at("median_lead_s"), 60);
  write_file(installation.folder() / "legacy.csv",
             "remito,status,seen_at\n7001,En Tránsito," + to_iso8601(installation.now()) + "\n");
  const json other =
      asked(installation, {"--compare-shadow", "oca", "--legacy", (installation.folder() / "legacy.csv").string()}, 1);
  EXPECT_EQ(other.at("differences").at(0).at("kind"), "other_end");
  for (const char* nobody : {"rapid", "oca:7001", "order:1001"}) {
    const Finished unknown = installation.remitod({"--compare-shadow", nobody});
    EXPECT_EQ(unknown.exit_code, 64);
    EXPECT_THAT(unknown.err, HasSubstr("no carrier \"" + std::string(nobody) + "\" is configured"));
  }

  installation.configure(oca(installation));
  installation.daemon().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return installation.log_lines({" started "}).size() == 2; }));
  ASSERT_TRUE(eventually([&] { return installation.answers(); }));
  installation.resync("oca");
  EXPECT_EQ(installation.platform().number("select count(*) from transitions where seq is not null"), 0);
  EXPECT_EQ(installation.stop(), 0);
}

TEST_F(Data, WithoutADaemonWhatNeedsOneSaysSo) {
  Installation installation({.time_scale = quiet});
  installation.configure(oca(installation));
  for (const char* mode : {"--reread", "--forget", "--erase", "--compare-shadow"})
    EXPECT_EQ(installation.remitod({mode, "oca"}).exit_code, 69) << mode;
  EXPECT_EQ(installation.remitod({"--status", "--dry-run"}).exit_code, 64);
  EXPECT_EQ(installation.remitod({"--erase", "1", "--since", "2026-01-01"}).exit_code, 64);
}

}  // namespace
}  // namespace remitod::test
