#include "tests/support/daemon_fixture.h"

#include <csignal>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "daemon/control_client.h"
#include "db/session.h"

namespace remitod::test {
namespace {

template <class T>
T value_of(db::DbResult<T> result) {
  if (!result) throw std::runtime_error(std::string(db::name(result.error().kind)) + ": " + result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

db::OwnSession open(const std::string& database_url) {
  return value_of(db::OwnSession::open(db::DatabaseUrl::parse(database_url).value(), std::chrono::seconds{30}));
}

}  // namespace

// ------------------------------------------------------------------ the public tables

Platform::Platform(const std::string& database_url) : own_(open(database_url)) {}
Platform::~Platform() = default;

void Platform::execute(const std::string& script) {
  value_of(own_.transact<void>([&](db::Session& session) -> db::DbResult<void> {
    session.run_script(script);
    return {};
  }));
}

std::int64_t Platform::number(const std::string& query) {
  std::int64_t result = 0;
  if (!own_.session().query_row(query.c_str(), {}, {&result})) throw std::runtime_error("no row: " + query);
  return result;
}

std::string Platform::text(const std::string& query) {
  const std::vector<std::string> found = rows(query);
  if (found.size() != 1) throw std::runtime_error(std::to_string(found.size()) + " rows: " + query);
  return found.front();
}

std::vector<std::string> Platform::rows(const std::string& query) {
  std::vector<std::string> result;
  std::string row;
  own_.session().query(query.c_str(), {}, {&row}, [&] { result.push_back(row); });
  return result;
}

void Platform::ask_remito(const std::string& request_key, const std::string& order, const std::string& carrier,
                          const std::string& postcode, const std::string& street) {
  const nlohmann::json payload{
      {"sender",
       {{"name", "Tienda Demo"},
        {"email", "tienda@example.com"},
        {"address",
         {{"street", "Jr. Origen"}, {"number", "1"}, {"postcode", "1000"}, {"district", "Uno"}, {"province", "Uno"}}}}},
      {"recipient",
       {{"first_name", "Persona"},
        {"last_name", "De Prueba"},
        {"address",
         {{"street", street}, {"number", order}, {"postcode", postcode}, {"district", "Dos"}, {"province", "Dos"}}}}},
      {"parcels", {{{"weight_kg", 0.8}, {"length_cm", 20}, {"width_cm", 15}, {"height_cm", 10}}}}};
  execute("insert into remito_requests (request_key, order_number, carrier, payload) values ('" + request_key + "', '" +
          order + "', '" + carrier + "', '" + payload.dump() + "')");
}

void Platform::follow(const std::string& carrier, const std::string& remito, const std::string& order) {
  execute("insert into shipments (order_number, carrier, remito) values ('" + order + "', '" + carrier + "', '" +
          remito + "')");
}

// ------------------------------------------------------------------ the installation

Installation::Installation(Options options)
    : database_url_(options.database_url.empty() ? "sqlite:" + (folder() / "remitod.db").string()
                                                 : std::move(options.database_url)),
      time_scale_(options.time_scale),
      time_origin_(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())) {
  write_file(folder() / "password", "a-password\n");
}

std::string Installation::time_origin() const {
  return to_iso8601(time_origin_);
}

Instant Installation::now() const {
  const auto wall = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  const double elapsed = std::chrono::duration<double, std::micro>(wall - time_origin_).count();
  return time_origin_ + std::chrono::microseconds{static_cast<std::int64_t>(elapsed * time_scale_)};
}

std::string Installation::carrier(const std::string& name, const std::string& base_url, const std::string& more) const {
  const std::string secret = "file:" + (folder() / "password").string();
  const std::map<std::string, std::string> stated{
      {"oca", "settings = { account = \"100000/000\", user = \"demo\", operativa = \"1\" }\nsecrets = { password = \"" +
                  secret + "\" }\n"},
      {"correios", "settings = { user = \"demo\" }\nsecrets = { password = \"" + secret + "\" }\n"},
      {"olva", "secrets = { api_key = \"" + secret + "\" }\n"}};
  return "[carriers." + name + "]\nbase_url = \"" + base_url + "\"\n" + stated.at(name) + more + "\n";
}

void Installation::configure(const std::string& carriers) {
  write_file(config_file(), "[database]\nurl = \"" + database_url_ + "\"\n\n[daemon]\ncontrol_socket = \"" +
                                (folder() / "control.sock").string() + "\"\ncarriers_dirs = [\"profiles\", \"" +
                                (source_dir() / "carriers" / "profiles").string() +
                                "\"]\ntime_scale = " + nlohmann::json(time_scale_).dump() + "\ntime_origin = \"" +
                                time_origin() + "\"\n\n" + carriers);
}

void Installation::launch() {
  daemon_.reset();
  daemon_ = std::make_unique<Process>(std::vector<std::string>{REMITOD_PROGRAM, "--config", config_file().string()},
                                      Process::Outputs{folder() / "out.log", folder() / "remitod.log"});
}

void Installation::start() {
  launch();
  if (!eventually([this] { return answers() || !daemon_->running(); }) || !daemon_->running())
    throw std::runtime_error("remitod did not come up:\n" + log());
}

void Installation::kill() {
  daemon_->signal(SIGKILL);
  daemon_->wait();
}

int Installation::stop() {
  daemon_->signal(SIGTERM);
  return daemon_->wait().value_or(-1);
}

bool Installation::answers() const {
  return daemon::call_control((folder() / "control.sock").string(), "GET", "/status").has_value();
}

Finished Installation::remitod(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{REMITOD_PROGRAM, "--config", config_file().string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_to_end(command);
}

nlohmann::json Installation::status() const {
  const auto answer = daemon::call_control((folder() / "control.sock").string(), "GET", "/status");
  if (!answer) throw std::runtime_error(answer.error().message + "\n" + log());
  return nlohmann::json::parse(answer->body);
}

nlohmann::json Installation::carrier_status(std::string_view name) const {
  const nlohmann::json report = status();
  for (const nlohmann::json& carrier : report.at("carriers"))
    if (carrier.at("carrier") == name) return carrier;
  throw std::runtime_error("no carrier " + std::string(name));
}

void Installation::resync(const std::string& target) const {
  const Finished finished = remitod({"--resync", target, "--wait"});
  if (finished.exit_code != 0) throw std::runtime_error("--resync " + target + ": " + finished.err + log());
}

std::string Installation::log() const {
  const std::filesystem::path file = folder() / "remitod.log";
  return std::filesystem::exists(file) ? read_file(file) : "";
}

std::vector<std::string> Installation::log_lines(const std::vector<std::string>& parts) const {
  std::vector<std::string> found;
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) {
    bool all = true;
    for (const std::string& part : parts) all = all && line.contains(part);
    if (all) found.push_back(line);
  }
  return found;
}

Platform& Installation::platform() {
  if (!platform_) platform_ = std::make_unique<Platform>(database_url_);
  return *platform_;
}

}  // namespace remitod::test
