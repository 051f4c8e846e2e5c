#include "daemon/sinks.h"

#include <algorithm>
#include <utility>

namespace remitod::daemon {

Sinks::Sinks(Runtime& runtime, db::Executor& executor, std::string owner)
    : runtime_(runtime), executor_(executor), owner_(std::move(owner)) {}

void Sinks::add(std::string name, std::string type, SinkQueue::Settings queue, std::unique_ptr<SinkChannel> channel) {
  SinkWorker::Settings settings{std::move(name), std::move(type), owner_, std::move(queue)};
  workers_.push_back(std::make_unique<SinkWorker>(runtime_, executor_, std::move(settings), std::move(channel)));
}

void Sinks::start() {
  for (const auto& worker : workers_) worker->start();
}

void Sinks::kick() {
  for (const auto& worker : workers_) worker->kick();
}

void Sinks::stop() {
  for (const auto& worker : workers_) worker->stop();
}

bool Sinks::idle() const {
  return std::ranges::all_of(workers_, [](const auto& worker) { return worker->idle(); });
}

bool Sinks::database_trouble() const {
  return std::ranges::any_of(workers_, [](const auto& worker) { return worker->database_trouble(); });
}

bool Sinks::has(std::string_view name) const {
  return std::ranges::any_of(workers_, [&](const auto& worker) { return worker->settings().name == name; });
}

std::vector<std::string> Sinks::names() const {
  std::vector<std::string> names;
  for (const auto& worker : workers_) names.push_back(worker->settings().name);
  return names;
}

void Sinks::replay(const db::ReplayTarget& target, std::function<void(db::DbResult<std::vector<ReplayedSink>>)> then) {
  const bool every_one = target.kind == db::ReplayTarget::Kind::dead;
  executor_.run<std::vector<ReplayedSink>>(
      [target, sinks = every_one ? names() : std::vector{target.sink},
       now = runtime_.now()](db::Session& session) -> db::DbResult<std::vector<ReplayedSink>> {
        std::vector<ReplayedSink> result;
        for (const std::string& sink : sinks) {
          const auto replayed = db::replay_letters(session, sink, target, now);
          if (!replayed) return std::unexpected(replayed.error());
          result.push_back({sink, *replayed});
        }
        return result;
      },
      [this, then = std::move(then)](db::DbResult<std::vector<ReplayedSink>> result) {
        kick();
        then(std::move(result));
      });
}

void Sinks::enable(const std::string& name, std::function<void(db::DbResult<bool>)> then) {
  executor_.run<bool>([name](db::Session& session) { return db::enable_sink(session, name); },
                      [this, then = std::move(then)](db::DbResult<bool> result) {
                        kick();
                        then(std::move(result));
                      });
}

}  // namespace remitod::daemon
