#include "daemon/config.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "scheduler/adaptive_config.h"
#include "tests/support/paths.h"

namespace remitod::test {
namespace {

using namespace std::chrono_literals;
using daemon::Config;
using daemon::ConfigError;
using daemon::Secrets;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string database = "[database]\nurl = \"sqlite:/var/lib/remitod/remitod.db\"\n";

struct ConfigTest : testing::Test {
  std::filesystem::path file() const { return folder.path() / "remitod.toml"; }
  std::expected<Config, std::vector<ConfigError>> load(const std::string& text) {
    write_file(file(), text);
    return daemon::load_config(file());
  }
  std::vector<ConfigError> errors(const std::string& text) {
    auto loaded = load(text);
    return loaded ? std::vector<ConfigError>{} : loaded.error();
  }
  TemporaryFolder folder;
};

// ------------------------------------------------------------------ what is right

TEST_F(ConfigTest, ADatabaseIsAllThatIsNeeded) {
  const auto config = load(database);
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->control_socket, "/run/remitod/control.sock");
  EXPECT_EQ(config->log_level, "info");
  EXPECT_EQ(config->drain, 20s);
  EXPECT_EQ(config->time_scale, 1.0);
  EXPECT_THAT(config->carriers, IsEmpty());
}

TEST_F(ConfigTest, EveryKeyIsRead) {
  const auto config = load(R"(
[database]
url = "postgresql://remitod@/market"
[daemon]
control_socket = "/tmp/remitod.sock"
carriers_dirs = ["mine", "/usr/share/remitod/carriers"]
log_level = "debug"
drain = "5 s"
time_scale = 3600
time_origin = "2026-11-23T00:00:00Z"
[carriers.centro]
profile = "oca"
base_url = "http://127.0.0.1:1"
mode = "fixed"
interval = "30 min"
requests_per_second = 0.5
requests_per_minute = 20
requests_per_hour = 600
requests_per_day = 9000
windows = ["mon-fri 08:00-18:00"]
blackouts = ["sun", "2026-12-31"]
holidays = ["lima"]
concurrency = 3
batch_max = 7
[carriers.centro.settings]
account = "417032/001"
[carriers.centro.secrets]
password = "file:/etc/remitod/oca"
)");
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->database.engine, db::DatabaseUrl::Engine::postgresql);
  EXPECT_EQ(config->control_socket, "/tmp/remitod.sock");
  EXPECT_EQ(config->carriers_dirs.at(0), folder.path() / "mine") << "beside the file, wherever the daemon was started";
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_EQ(config->drain, 5s);
  EXPECT_EQ(config->time_scale, 3600);
  EXPECT_EQ(to_iso8601(config->time_origin), "2026-11-23T00:00:00Z");
  ASSERT_THAT(config->carriers, SizeIs(1));
  const daemon::CarrierConfig& carrier = config->carriers.front();
  EXPECT_EQ(carrier.name, "centro");
  EXPECT_EQ(carrier.profile, "oca");
  EXPECT_EQ(carrier.settings.base_url, "http://127.0.0.1:1");
  EXPECT_EQ(carrier.schedule.mode, scheduler::Mode::fixed);
  EXPECT_EQ(carrier.schedule.interval, 30min);
  EXPECT_EQ(carrier.limits.requests_per_second, 0.5);
  EXPECT_EQ(carrier.limits.requests_per_minute, 20);
  EXPECT_EQ(carrier.limits.requests_per_hour, 600);
  EXPECT_EQ(carrier.limits.requests_per_day, 9000);
  EXPECT_THAT(carrier.limits.windows->texts, ElementsAre("mon-fri 08:00-18:00"));
  EXPECT_THAT(carrier.limits.blackouts->texts, ElementsAre("sun", "2026-12-31"));
  EXPECT_THAT(carrier.limits.holidays->texts, ElementsAre("lima"));
  EXPECT_EQ(carrier.limits.concurrency, 3);
  EXPECT_EQ(carrier.limits.batch_max, 7);
  EXPECT_EQ(carrier.settings.values.at("account"), "417032/001");
  EXPECT_EQ(carrier.secrets.at("password").reference, "file:/etc/remitod/oca");
  EXPECT_THAT(carrier.settings.secrets, IsEmpty()) << "secrets are only named here";
}

// ------------------------------------------------------------------ what is wrong, and where

struct Wrong {
  std::string name;
  std::string text;  ///< behind the database's two lines
  int line;          ///< of the file
  std::string key;
  std::string message;  ///< a part of it
  friend void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }
};
class WrongConfig : public ConfigTest, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongConfig, IsToldWithFileLineAndKey) {
  const auto found = errors(database + GetParam().text);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().file, file().string());
  EXPECT_EQ(found.front().line, GetParam().line);
  EXPECT_EQ(found.front().key, GetParam().key);
  EXPECT_THAT(found.front().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, WrongConfig,
    testing::Values(
        Wrong{"unknown_table", "[demon]\n", 3, "demon", "did you mean 'daemon'?"},
        Wrong{"unknown_key", "[daemon]\nlog_leve = \"info\"\n", 4, "daemon.log_leve", "did you mean 'log_level'?"},
        Wrong{"log_level", "[daemon]\nlog_level = \"loud\"\n", 4, "daemon.log_level", "one of \"debug\", \"info\""},
        Wrong{"text", "[daemon]\ncontrol_socket = 7\n", 4, "daemon.control_socket", "a text"},
        Wrong{"list", "[daemon]\ncarriers_dirs = [1]\n", 4, "daemon.carriers_dirs", "expected a text"},
        Wrong{"drain", "[daemon]\ndrain = \"20 weeks\"\n", 4, "daemon.drain", "a duration such as"},
        Wrong{"drain_without_unit", "[daemon]\ndrain = 20\n", 4, "daemon.drain", "a duration such as"},
        Wrong{"time_scale_alone", "[daemon]\ntime_scale = 60\n", 4, "daemon.time_scale", "time_origin"},
        Wrong{"time_scale", "[daemon]\ntime_scale = 0\n", 4, "daemon.time_scale", "0.0001"},
        Wrong{"time_origin", "[daemon]\ntime_origin = \"yesterday\"\n", 4, "daemon.time_origin", "a moment such as"},
        Wrong{"not_a_table", "[carriers]\noca = 1\n", 4, "carriers.oca", "a table [carriers.NAME]"},
        Wrong{"interval", "[carriers.oca]\ninterval = \"5 s\"\n", 4, "carriers.oca.interval", "60 s"},
        Wrong{"mode", "[carriers.oca]\nmode = \"adaptiv\"\n", 4, "carriers.oca.mode", "did you mean 'adaptive'?"},
        Wrong{"hourly_with_interval", "[carriers.oca]\nmode = \"hourly\"\ninterval = \"15 min\"\n", 5,
              "carriers.oca.interval", "mode = \"fixed\""},
        Wrong{"fixed_without_interval", "[carriers.oca]\nmode = \"fixed\"\n", 4, "carriers.oca.mode", "\"15 min\""},
        Wrong{"budget_of_hourly", "[carriers.oca]\nbudget = \"hourly/4\"\n", 4, "carriers.oca.budget", "adaptive"},
        Wrong{"max_interval_of_fixed", "[carriers.oca]\ninterval = \"15 min\"\nmax_interval = \"2 h\"\n", 5,
              "carriers.oca.max_interval", "adaptive"},
        Wrong{"budget_below_one", "[carriers.oca]\nmode = \"adaptive\"\nbudget = \"hourly/0.5\"\n", 5,
              "carriers.oca.budget", "\"hourly/4\""},
        Wrong{"budget_in_words", "[carriers.oca]\nmode = \"adaptive\"\nbudget = \"hourly / 4\"\n", 5,
              "carriers.oca.budget", "\"hourly/4\""},
        Wrong{"budget_of_nothing", "[carriers.oca]\nmode = \"adaptive\"\nbudget = 0\n", 5, "carriers.oca.budget",
              "from 1 to"},
        Wrong{"budget_in_parts", "[carriers.oca]\nmode = \"adaptive\"\nbudget = 10.5\n", 5, "carriers.oca.budget",
              "a whole number"},
        Wrong{"budget_and_target", "[carriers.oca]\nmode = \"adaptive\"\nbudget = 100\ntarget_delay = \"10 min\"\n", 6,
              "carriers.oca.target_delay", "one of the two"},
        Wrong{"target_delay", "[carriers.oca]\nmode = \"adaptive\"\ntarget_delay = \"1 s\"\n", 5,
              "carriers.oca.target_delay", "60 s"},
        Wrong{"quota", "[carriers.oca]\nrequests_per_day = 0\n", 4, "carriers.oca.requests_per_day", "from 1 to"},
        Wrong{"quota_in_parts", "[carriers.oca]\nrequests_per_minute = 0.5\n", 4, "carriers.oca.requests_per_minute",
              "a whole number"},
        Wrong{"windows_as_text", "[carriers.oca]\nwindows = \"daily\"\n", 4, "carriers.oca.windows", "a list of texts"},
        Wrong{"named_holidays", "[holidays]\nlima = [\"peru\",\n\"18-01\"]\n", 4, "holidays.lima", "\"18-01\""},
        Wrong{"rate", "[carriers.oca]\nrequests_per_second = -1\n", 4, "carriers.oca.requests_per_second", "0.001"},
        Wrong{"infinite_rate", "[carriers.oca]\nrequests_per_second = inf\n", 4, "carriers.oca.requests_per_second",
              "10000"},
        Wrong{"concurrency", "[carriers.oca]\nconcurrency = 0\n", 4, "carriers.oca.concurrency", "1 to 1024"},
        Wrong{"fraction", "[carriers.oca]\nconcurrency = 1.5\n", 4, "carriers.oca.concurrency", "a whole number"},
        Wrong{"batch_max", "[carriers.oca]\nbatch_max = 1001\n", 4, "carriers.oca.batch_max", "1 to 1000"},
        Wrong{"settings", "[carriers.oca.settings]\naccount = 1\n", 4, "carriers.oca.settings.account", "a text"},
        Wrong{"secrets", "[carriers.oca.secrets]\npassword = true\n", 4, "carriers.oca.secrets.password", "a text"},
        Wrong{"twice", "[carriers.oca]\n[carriers.oca]\n", 4, "", "redefin"}, Wrong{"no_toml", "[daemon\n", 3, "", ""}),
    [](const auto& of) { return of.param.name; });

TEST_F(ConfigTest, AMissingDatabaseIsTold) {
  const auto found = errors("[daemon]\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().key, "database");
}

TEST_F(ConfigTest, AnUnknownKindOfDatabaseIsTold) {
  const auto found = errors("[database]\nurl = \"mysql://market\"\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().line, 2);
  EXPECT_EQ(found.front().key, "database.url");
}

TEST_F(ConfigTest, AFileThatIsNotThereIsTold) {
  const auto config = daemon::load_config(folder.path() / "absent.toml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().front().message, HasSubstr("cannot read"));
  EXPECT_THAT(config.error().front().message, HasSubstr("No such file or directory"));
}

TEST_F(ConfigTest, AllErrorsAreToldAtOnce) {
  EXPECT_THAT(errors(R"([daemon]
log_level = "loud"
drain = "soon"
[carriers.oca]
concurrency = 0
speed = 1
)"),
              SizeIs(5))
      << "the missing database among them";
}

// ------------------------------------------------------------------ carriers

struct CarriersOfConfig : ConfigTest {
  std::expected<std::vector<daemon::ReadyCarrier>, std::vector<ConfigError>> ready(
      const std::string& carriers, Secrets secrets = Secrets::required) {
    const auto profiles = (source_dir() / "carriers" / "profiles").string();
    auto config = load(database + "[daemon]\ncarriers_dirs = [\"" + profiles + "\"]\n" + carriers);
    if (!config) return std::unexpected(config.error());
    return daemon::load_carriers(*config, secrets);
  }
  std::string chazki(const std::string& secret, const std::string& more = "") {
    return "[carriers.chazki]\n" + more +
           "[carriers.chazki.settings]\nstore = \"1\"\nbranch = \"2\"\n[carriers.chazki.secrets]\napi_key = \"" +
           secret + "\"\n";
  }
  std::string secret_file(const std::string& text) {
    write_file(folder.path() / "secret", text);
    return "file:" + (folder.path() / "secret").string();
  }
};

TEST_F(CarriersOfConfig, LimitsAreTheProfilesUnlessTheInstallationSaysOtherwise) {
  const auto plain = ready(chazki(secret_file("key\n")));
  ASSERT_TRUE(plain) << plain.error().front().to_string();
  EXPECT_EQ(plain->front().lane.carrier, "chazki");
  EXPECT_EQ(plain->front().lane.requests_per_second, 2);
  EXPECT_EQ(plain->front().lane.interval, 1h);
  EXPECT_EQ(plain->front().lane.requests_per_day, std::nullopt);
  EXPECT_EQ(plain->front().lane.hours, nullptr);
  EXPECT_TRUE(plain->front().lane.leaves_tenth_for_creates) << "shipments are created there";
  const auto changed =
      ready(chazki(secret_file("key"), "requests_per_second = 9\nrequests_per_day = 500\ninterval = \"2 h\"\n"));
  ASSERT_TRUE(changed) << changed.error().front().to_string();
  EXPECT_EQ(changed->front().lane.requests_per_second, 9);
  EXPECT_EQ(changed->front().lane.interval, 2h);
  EXPECT_EQ(changed->front().lane.concurrency, 2);
  EXPECT_EQ(changed->front().lane.requests_per_day, 500);
}

TEST_F(CarriersOfConfig, HoursAreInTheZoneOfTheProfileAndKnowTheInstallationsHolidays) {
  const auto carriers =
      ready("[holidays]\nperu = [\"peru\", \"2026-11-24\"]\n" +
            chazki(secret_file("key"), "windows = [\"mon-fri 08:00-18:00\"]\nholidays = [\"peru\"]\n"));
  ASSERT_TRUE(carriers) << carriers.error().front().to_string();
  const auto& hours = carriers->front().lane.hours;
  ASSERT_TRUE(hours);
  const auto open_at = [&](std::string_view moment) { return hours->at(from_iso8601(moment).value()).open; };
  EXPECT_FALSE(open_at("2026-11-23T07:59:00-05:00"));
  EXPECT_TRUE(open_at("2026-11-23T08:00:00-05:00"));
  EXPECT_FALSE(open_at("2026-11-24T12:00:00-05:00")) << "decreed";
  EXPECT_FALSE(open_at("2026-12-08T12:00:00-05:00")) << "built in";
}

TEST_F(CarriersOfConfig, AWrongWindowOrHolidayIsToldWhereItStands) {
  const auto carriers =
      ready(chazki(secret_file("key"), "windows = [\"mon-fri 08:00-18:00\", \"8-18\"]\nholidays = [\"lima\"]\n"));
  ASSERT_FALSE(carriers);
  ASSERT_THAT(carriers.error(), SizeIs(2));
  EXPECT_EQ(carriers.error()[0].key, "carriers.chazki.windows");
  EXPECT_EQ(carriers.error()[0].line, 6);
  EXPECT_THAT(carriers.error()[0].message, HasSubstr("\"8-18\""));
  EXPECT_EQ(carriers.error()[1].key, "carriers.chazki.holidays");
  EXPECT_EQ(carriers.error()[1].line, 7);
}

TEST_F(CarriersOfConfig, AWrongWindowOfAProfileIsToldInItsOwnFile) {
  const auto dir = folder.path() / "profiles" / "sur";
  std::filesystem::create_directories(dir);
  std::filesystem::copy(source_dir() / "carriers" / "profiles" / "chazki", dir,
                        std::filesystem::copy_options::recursive);
  const std::string text = read_file(dir / "carrier.toml");
  ASSERT_TRUE(text.contains("[limits]\n"));
  write_file(dir / "carrier.toml",
             std::string(text).replace(text.find("[limits]\n"), 9, "[limits]\nblackouts = [\"midday\"]\n"));
  auto config =
      load(database + "[daemon]\ncarriers_dirs = [\"profiles\"]\n" + chazki(secret_file("key"), "profile = \"sur\"\n"));
  ASSERT_TRUE(config);
  const auto carriers = daemon::load_carriers(*config, Secrets::required);
  ASSERT_FALSE(carriers);
  EXPECT_EQ(carriers.error().front().file, (dir / "carrier.toml").string());
  EXPECT_EQ(carriers.error().front().key, "limits.blackouts");
  EXPECT_GT(carriers.error().front().line, 1);
}

struct Stated {
  std::string keys;
  std::optional<double> share;
  std::optional<std::int64_t> a_day;
  std::optional<std::chrono::seconds> target;
  std::chrono::seconds max_interval = 24h;
};

TEST_F(ConfigTest, AnAdaptiveScheduleHasOneBudgetStatedInOneOfThreeWays) {
  for (const Stated& stated :
       {Stated{"", {}, {}, {}}, Stated{"budget = \"hourly\"\n", 1, {}, {}},
        Stated{"budget = \"hourly/4\"\n", 0.25, {}, {}}, Stated{"budget = \"hourly/2.5\"\n", 0.4, {}, {}},
        Stated{"budget = 5000\n", {}, 5000, {}},
        Stated{"target_delay = \"10 min\"\nmax_interval = \"6 h\"\n", {}, {}, 10min, 6h}}) {
    const auto config = load(database + "[carriers.oca]\nmode = \"adaptive\"\n" + stated.keys);
    ASSERT_TRUE(config) << stated.keys << config.error().front().to_string();
    const scheduler::ScheduleConfig& schedule = config->carriers.front().schedule;
    EXPECT_EQ(schedule.mode, scheduler::Mode::adaptive);
    EXPECT_EQ(schedule.budget.share_of_hourly, stated.share) << stated.keys;
    EXPECT_EQ(schedule.budget.requests_a_day, stated.a_day) << stated.keys;
    EXPECT_EQ(schedule.budget.target_delay, stated.target) << stated.keys;
    EXPECT_EQ(schedule.max_interval, stated.max_interval) << stated.keys;
  }
}

TEST_F(CarriersOfConfig, AnAdaptiveLaneKnowsItsBudgetItsClockAndWhenTheCarrierIsSaidToPublish) {
  const auto carriers = ready(chazki(secret_file("key"),
                                     "mode = \"adaptive\"\nbudget = \"hourly/2\"\nmax_interval = \"6 h\"\n"
                                     "publishes = [\"mon-fri 13:00\", \"daily 20:00\"]\n"));
  ASSERT_TRUE(carriers) << carriers.error().front().to_string();
  const auto& adaptive = carriers->front().lane.adaptive;
  ASSERT_TRUE(adaptive);
  EXPECT_EQ(adaptive->budget.share_of_hourly, 0.5);
  EXPECT_EQ(adaptive->max_interval, 6h);
  EXPECT_TRUE(adaptive->calendar);
  ASSERT_THAT(adaptive->hints, SizeIs(2));
  EXPECT_EQ(adaptive->hints[1].time_of_day, 20h);
  EXPECT_FALSE(ready(chazki(secret_file("key"), ""))->front().lane.adaptive) << "hourly unless it is said";
}

TEST_F(CarriersOfConfig, AWrongHourOfPublicationIsToldWhereItStands) {
  const auto carriers = ready(chazki(secret_file("key"), "publishes = \"evenings\"\n"));
  ASSERT_FALSE(carriers);
  EXPECT_EQ(carriers.error().front().key, "carriers.chazki.publishes");
  EXPECT_THAT(carriers.error().front().message, HasSubstr("\"daily 20:00\""));
}

TEST_F(CarriersOfConfig, ALargerBatchThanTheProfilesIsTold) {
  const auto carriers = ready(chazki(secret_file("key"), "batch_max = 2\n"));
  ASSERT_FALSE(carriers);
  EXPECT_EQ(carriers.error().front().key, "carriers.chazki.batch_max");
  EXPECT_THAT(carriers.error().front().message, HasSubstr("at most 1"));
}

TEST_F(CarriersOfConfig, AnUnknownProfileIsToldWithTheNearest) {
  const auto carriers = ready("[carriers.chaski]\n");
  ASSERT_FALSE(carriers);
  EXPECT_EQ(carriers.error().front().line, 5);
  EXPECT_EQ(carriers.error().front().key, "carriers.chaski.profile");
  EXPECT_THAT(carriers.error().front().message, HasSubstr("'chazki'"));
}

TEST_F(CarriersOfConfig, ASecretInTheFileItselfIsRefusedAndNotRepeated) {
  const auto carriers = ready(chazki("hunter2"));
  ASSERT_FALSE(carriers);
  EXPECT_EQ(carriers.error().front().key, "carriers.chazki.secrets.api_key");
  EXPECT_EQ(carriers.error().front().line, 10);
  for (const ConfigError& error : carriers.error())
    EXPECT_EQ(error.to_string().find("hunter2"), std::string::npos) << error.to_string();
}

TEST_F(CarriersOfConfig, ASecretThatCannotBeReadOrIsEmptyIsToldAlone) {
  for (const std::string& secret : {"file:" + (folder.path() / "absent").string(), secret_file("\n")}) {
    const auto carriers = ready(chazki(secret));
    ASSERT_FALSE(carriers);
    ASSERT_THAT(carriers.error(), SizeIs(1)) << carriers.error().back().to_string();
    EXPECT_EQ(carriers.error().front().key, "carriers.chazki.secrets.api_key");
  }
}

TEST_F(CarriersOfConfig, ASecretsFileIsFoundFromTheFolderOfTheConfiguration) {
  secret_file("key");
  const auto carriers = ready(chazki("file:secret"));
  EXPECT_TRUE(carriers) << carriers.error().front().to_string();
}

TEST_F(CarriersOfConfig, WhyASecretCannotBeReadIsTold) {
  std::filesystem::create_directories(folder.path() / "folder");
  const std::string path = folder.path().string();
  EXPECT_EQ(ready(chazki("file:absent")).error().front().message,
            "cannot read " + path + "/absent: No such file or directory");
  EXPECT_EQ(ready(chazki("file:folder")).error().front().message, "cannot read " + path + "/folder: Is a directory");
}

TEST_F(CarriersOfConfig, ASecretThatAnybodyMayWriteIsRefused) {
  using std::filesystem::perms;
  const std::string secret = secret_file("key");
  std::filesystem::permissions(folder.path() / "secret", perms::others_write, std::filesystem::perm_options::add);
  const auto carriers = ready(chazki(secret));
  ASSERT_FALSE(carriers);
  EXPECT_THAT(carriers.error().front().message, HasSubstr("anybody may write"));
}

TEST_F(CarriersOfConfig, WhatTheInstallationStatesWronglyIsToldWhereItStands) {
  const auto carriers = ready(
      "[carriers.chazki]\nbase_url = \"pruebas.example.com\"\n[carriers.chazki.settings]\nstore = \"1\"\n"
      "[carriers.chazki.secrets]\napi_kay = \"" +
      secret_file("key") + "\"\n");
  ASSERT_FALSE(carriers);
  const auto told = [this](int line, const std::string& key, const std::string& part) {
    return testing::AllOf(testing::Field(&ConfigError::file, file().string()), testing::Field(&ConfigError::line, line),
                          testing::Field(&ConfigError::key, "carriers.chazki." + key),
                          testing::Field(&ConfigError::message, HasSubstr(part)));
  };
  EXPECT_THAT(carriers.error(), ElementsAre(told(6, "base_url", "https://"), told(7, "settings.branch", "is missing"),
                                            told(9, "secrets.api_key", "chazki/carrier.toml asks for it"),
                                            told(10, "secrets.api_kay", "did you mean 'api_key'?")));
}

TEST_F(CarriersOfConfig, WhatIsMissingAltogetherIsToldAtTheCarrier) {
  const auto carriers = ready("[carriers.chazki]\n");
  ASSERT_FALSE(carriers);
  for (const ConfigError& error : carriers.error()) EXPECT_EQ(error.line, 5) << error.to_string();
}

TEST_F(CarriersOfConfig, CredentialsOfTheServiceAreTakenAsPresentWhereNobodyPassedAny) {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_TRUE(ready(chazki("credential:chazki"), Secrets::as_far_as_readable));
  const auto required = ready(chazki("credential:chazki"), Secrets::required);
  ASSERT_FALSE(required);
  EXPECT_THAT(required.error().front().message, HasSubstr("LoadCredential="));
}

TEST_F(CarriersOfConfig, CredentialsAreReadFromTheFolderThatTheServicePasses) {
  write_file(folder.path() / "credentials" / "chazki", "from-systemd\n");
  ::setenv("CREDENTIALS_DIRECTORY", (folder.path() / "credentials").c_str(), 1);
  const auto carriers = ready(chazki("credential:chazki"));
  const auto outside = ready(chazki("credential:../secret"));
  ::unsetenv("CREDENTIALS_DIRECTORY");
  ASSERT_TRUE(carriers) << carriers.error().front().to_string();
  EXPECT_FALSE(outside);
}

}  // namespace
}  // namespace remitod::test
