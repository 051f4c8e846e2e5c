#include "daemon/sink_control.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "carriers/nearest_word.h"
#include "daemon/shallow_json.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

/// So many attempts in a row that failed are more than a receiver's bad moment.
constexpr int failures_of_trouble = 3;

ControlAnswer answer(const json& body, int status = 200) {
  return {status, body.dump(-1, ' ', false, json::error_handler_t::replace)};
}
ControlAnswer failure(int status, const std::string& message) {
  return answer({{"error", message}}, status);
}
ControlAnswer database_failure(const db::DbError& error) {
  return failure(503, "the database does not answer: " + error.message);
}
ControlAnswer no_such_sink(const Sinks& sinks, const std::string& name) {
  return failure(404, "no sink \"" + name + "\" is configured" + carriers::did_you_mean(name, sinks.names()));
}

/// The one text that the request is to have under `key`.
std::optional<std::string> only_text(const ControlRequest& request, const char* key) {
  const json wanted = parse_shallow_json(request.body);
  if (!wanted.is_object() || wanted.size() != 1 || !wanted.contains(key) || !wanted[key].is_string())
    return std::nullopt;
  return wanted[key].get<std::string>();
}

json moment(const std::optional<Instant>& at) {
  return at ? json(to_iso8601(*at)) : json(nullptr);
}

const db::SinkView* find(const std::vector<db::SinkView>* views, const std::string& name) {
  if (!views) return nullptr;
  const auto found = std::ranges::find(*views, name, &db::SinkView::sink);
  return found == views->end() ? nullptr : &*found;
}

json sink_report(const SinkWorker& worker, const db::SinkView* view, std::int64_t last_seq) {
  const SinkWorker::Counters& counters = worker.counters();
  const Instant rest = worker.resting_until();
  json report{{"sink", worker.settings().name},
              {"type", worker.settings().type},
              {"sending", worker.leased()},
              {"in_flight", worker.in_flight()},
              {"delivered", counters.delivered},
              {"failed", counters.failed},
              {"failures_in_row", counters.failures_in_row},
              {"resting_until", moment(rest == Instant{} ? std::nullopt : std::optional(rest))},
              {"last_delivered_at", moment(counters.last_delivered_at)},
              {"last_failed_at", moment(counters.last_failed_at)},
              {"last_error", counters.last_error}};
  if (!view) return report;
  report["cursor_seq"] = view->cursor_seq;
  report["behind"] = std::max<std::int64_t>(0, last_seq - view->cursor_seq) + view->waiting;
  report["waiting"] = view->waiting;
  report["oldest_waiting_since"] = moment(view->oldest_waiting_since);
  report["dead"] = view->dead;
  report["disabled_at"] = moment(view->disabled_at);
  report["disabled_why"] = view->disabled_why;
  return report;
}

}  // namespace

void replay_letters(Sinks& sinks, const ControlRequest& request, const ControlServer::Reply& reply) {
  const auto text = only_text(request, "target");
  if (!text) return reply(failure(400, "expected {\"target\": \"dead|SINK|SINK:SEQ..SEQ\"}"));
  const auto target = db::ReplayTarget::parse(*text);
  if (!target)
    return reply(failure(400, "the target is none of dead, SINK, SINK:SEQ..SEQ, where SEQ counts from 1 upwards"));
  if (!target->sink.empty() && !sinks.has(target->sink)) return reply(no_such_sink(sinks, target->sink));
  const bool is_range = target->kind == db::ReplayTarget::Kind::range;
  sinks.replay(*target, [reply, is_range, text = *text](db::DbResult<std::vector<Sinks::ReplayedSink>> result) {
    if (!result) return reply(database_failure(result.error()));
    const auto is_nothing = [](const Sinks::ReplayedSink& one) {
      return one.replayed.letters == 0 && one.replayed.left == 0;
    };
    // Who names transitions means some; dead letters there may be none of.
    if (is_range && std::ranges::all_of(*result, is_nothing))
      return reply(failure(404, "nothing to send again: none of the transitions " + text +
                                    " has come to the sink yet, or they are not kept any more"));
    json replayed = json::array();
    for (const Sinks::ReplayedSink& one : *result)
      replayed.push_back({{"sink", one.sink}, {"letters", one.replayed.letters}, {"left", one.replayed.left}});
    reply(answer({{"target", text}, {"sinks", std::move(replayed)}}));
  });
}

void enable_sink(Sinks& sinks, const ControlRequest& request, const ControlServer::Reply& reply) {
  const auto name = only_text(request, "sink");
  if (!name) return reply(failure(400, "expected {\"sink\": \"NAME\"}"));
  if (!sinks.has(*name)) return reply(no_such_sink(sinks, *name));
  sinks.enable(*name, [reply, name = *name](db::DbResult<bool> result) {
    if (!result) return reply(database_failure(result.error()));
    reply(answer({{"sink", name}, {"was_disabled", *result}}));
  });
}

json sinks_report(const Sinks& sinks, const std::vector<db::SinkView>* views, std::int64_t last_seq) {
  json report = json::array();
  for (const auto& worker : sinks.workers())
    report.push_back(sink_report(*worker, find(views, worker->settings().name), last_seq));
  return report;
}

std::vector<Trouble> sinks_trouble(const Sinks& sinks, const std::vector<db::SinkView>* views) {
  std::vector<Trouble> trouble;
  for (const auto& worker : sinks.workers()) {
    const std::string& name = worker->settings().name;
    const std::string& error = worker->counters().last_error;
    const db::SinkView* view = find(views, name);
    if (view && view->disabled_at)
      trouble.push_back({"sink_disabled", name, view->disabled_why, 0,
                         "sink " + name + " is disabled: its receiver " + view->disabled_why +
                             "; to go on: remitod --enable-sink " + name});
    else if (worker->counters().failures_in_row >= failures_of_trouble)
      trouble.push_back({"sink_failing", name, error, 0, "sink " + name + " fails: " + error});
    if (view && view->dead != 0)
      trouble.push_back({"dead_letters", name, "", view->dead,
                         std::to_string(view->dead) + " dead letter(s) of sink " + name +
                             "; to send them again: remitod --replay " + name});
  }
  return trouble;
}

}  // namespace remitod::daemon
