// A carrier that makes shipments, remembers for which reference, and can be told to break off before or after it has.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/daemon_fixture.h"
#include "tests/support/scripted_server.h"

namespace remitod::test {

class Maker {
 public:
  enum class Mode {
    ordinary,
    hangs_before,  ///< it makes nothing, and never answers
    hangs_after,   ///< it makes the shipment, and never answers
  };

  /// What a profile of this carrier promises: "finder", "keyed" (one shipment for a key) or "bare".
  static std::string profile(const std::string& name) {
    const std::string head = R"toml(
title = "Maker"
verified = "documentation"
zone = "America/Lima"
base_url = "https://maker.example"
[limits]
requests_per_second = 1000.0
concurrency = 8
[transport]
total_timeout = "5 s"
[create.answer]
format = "json"
granted = "/json/number"
remito = "/json/number"
[create]
method = "POST"
)toml";
    const std::string create = "url = \"{{base_url}}/" + name + "/create/{{client_ref}}\"\n";
    if (name == "keyed") return head + create + "is_idempotent_by = \"client_ref\"\nkey_window = \"24 h\"\n";
    if (name == "bare") return head + create;
    return head + create + R"toml([find]
url = "{{base_url}}/finder/find/{{client_ref}}"
visible_after = "1 s"
[find.answer]
format = "json"
found = "/json/shipments"
not_found = "/json/none"
shipments = "/json/shipments"
remito = "number"
reference = "reference"
)toml";
  }
  /// Writes the three profiles and the configuration of a daemon that knows them.
  void install(Installation& installation) const {
    std::string carriers;
    for (const char* name : {"finder", "keyed", "bare"}) {
      const auto folder = installation.folder() / "profiles" / name;
      std::filesystem::create_directories(folder);
      write_file(folder / "carrier.toml", profile(name));
      carriers += "[carriers." + std::string(name) + "]\nbase_url = \"" + server_.url("") + "\"\n";
    }
    installation.configure(carriers);
  }
  static void ask(Platform& platform, const std::string& key, const std::string& carrier) {
    platform.execute("insert into remito_requests (request_key, order_number, carrier) values ('" + key + "', '" + key +
                     "', '" + carrier + "')");
  }

  void set(Mode mode) {
    const std::scoped_lock lock(mutex_);
    mode_ = mode;
  }
  /// Create requests that arrived, by the reference they name ("keyed R7-K1").
  std::map<std::string, std::size_t> arrived() const {
    const std::scoped_lock lock(mutex_);
    return arrived_;
  }
  std::size_t arrivals() const {
    std::size_t sum = 0;
    for (const auto& [reference, count] : arrived()) sum += count;
    return sum;
  }
  /// Numbers of the shipments that exist, by reference.
  std::map<std::string, std::vector<std::string>> made() const {
    const std::scoped_lock lock(mutex_);
    return made_;
  }

 private:
  ScriptedAnswer answer(const ReceivedRequest& request) {
    const std::scoped_lock lock(mutex_);
    const std::string target = request.target();  // "/keyed/create/R7-K1"
    const std::string carrier = target.substr(1, target.find('/', 1) - 1);
    const std::string reference = carrier + ' ' + target.substr(target.rfind('/') + 1);
    if (target.contains("/find/")) return find(reference);
    ++arrived_[reference];
    ScriptedAnswer silence;
    silence.then = ScriptedAnswer::Then::hang;
    if (mode_ == Mode::hangs_before) return silence;
    std::vector<std::string>& made = made_[reference];
    if (made.empty() || carrier != "keyed") made.push_back("N" + std::to_string(++numbers_));
    if (mode_ == Mode::hangs_after) return silence;
    return ScriptedAnswer::ok(R"({"number":")" + made.back() + "\"}", json_);
  }
  ScriptedAnswer find(const std::string& reference) const {
    const auto made = made_.find(reference);
    if (made == made_.end()) return ScriptedAnswer::ok(R"({"none":true})", json_);
    std::string rows;
    for (const std::string& number : made->second)
      rows += (rows.empty() ? "" : ",") + (R"({"number":")" + number) + R"(","reference":")" +
              reference.substr(reference.find(' ') + 1) + "\"}";
    return ScriptedAnswer::ok(R"({"shipments":[)" + rows + "]}", json_);
  }

  const std::string json_ = "Content-Type: application/json\r\n";
  mutable std::mutex mutex_;
  Mode mode_ = Mode::ordinary;
  std::map<std::string, std::size_t> arrived_;
  std::map<std::string, std::vector<std::string>> made_;
  int numbers_ = 0;
  ScriptedServer server_{[this](const ReceivedRequest& request) { return answer(request); }};
};

}  // namespace remitod::test
