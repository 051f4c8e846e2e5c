// A carrier that says what the test says, by what a request names, and a daemon that asks it only when it is told to.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/daemon_fixture.h"
#include "tests/support/scripted_server.h"

namespace remitod::test {

class ScriptedCarrier {
 public:
  /// From now on `answer` is what requests get that hold `part` in their first line or body. The newest rule that fits
  /// decides; requests that none fits get 404.
  void says(const std::string& part, ScriptedAnswer answer) {
    answers(part, [answer = std::move(answer)] { return answer; });
  }
  /// The same with something done first, while the daemon waits for its answer.
  void answers(const std::string& part, std::function<ScriptedAnswer()> script) {
    const std::scoped_lock lock(mutex_);
    rules_.insert(rules_.begin(), {part, std::move(script)});
  }
  std::string url() const { return server_.url(""); }
  /// How many requests named this.
  std::size_t asked(const std::string& part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        server_.requests(), [&](const ReceivedRequest& request) { return names(request, part); }));
  }

 private:
  static bool names(const ReceivedRequest& request, const std::string& part) {
    return request.body.contains(part) || request.target().contains(part);
  }
  ScriptedAnswer answer(const ReceivedRequest& request) {
    const std::scoped_lock lock(mutex_);
    for (const auto& [part, script] : rules_)
      if (names(request, part)) return script();
    return ScriptedAnswer::status(404, "no rule\n");
  }

  std::mutex mutex_;
  std::vector<std::pair<std::string, std::function<ScriptedAnswer()>>> rules_;
  ScriptedServer server_{[this](const ReceivedRequest& request) { return answer(request); }};
};

inline const std::string xml_headers = "Content-Type: text/xml; charset=utf-8\r\n";

/// Time stands all but still: no schedule falls due within a test, and no limit but the concurrency is felt.
inline constexpr double quiet = 0.001;
inline const std::string asked_by_hand_only = "interval = \"24 h\"\nrequests_per_second = 10000.0\n";

/// What was told of a remito, in order: "in_transit 2018-07-12 14:24:00 inferred".
inline std::vector<std::string> told(Platform& platform, const std::string& remito) {
  return platform.rows(
      "select to_status || case when reason <> '' then '/' || reason else '' end || case when attempt <> 0 then ' #' "
      "|| "
      "attempt else '' end || coalesce(' ' || datetime(occurred_at / 1000000, 'unixepoch'), '') || case when inferred "
      "then ' inferred' else '' end || case when late then ' late' else '' end || case when correction then ' "
      "correction' else '' end from transitions where remito = '" +
      remito + "' order by seq");
}

}  // namespace remitod::test
