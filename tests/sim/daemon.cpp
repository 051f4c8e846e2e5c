#include "tests/sim/daemon.h"

#include <map>
#include <utility>

#include "daemon/webhook_channel.h"
#include "db/stores.h"
#include "tests/sim/profiles.h"

namespace remitod::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds drain_patience{20};
constexpr milliseconds drain_look{20};

// A receiver that is well again is made good within the hour.
std::vector<milliseconds> sink_retries() {
  std::vector<milliseconds> retries{seconds{5}, minutes{1}, minutes{5}, minutes{15}};
  retries.resize(30, minutes{30});
  return retries;
}

/// A mutation: it says that the first letters are delivered, and sends nothing.
class LosingChannel final : public daemon::SinkChannel {
 public:
  LosingChannel(daemon::Runtime& runtime, std::unique_ptr<daemon::SinkChannel> channel)
      : runtime_(runtime), channel_(std::move(channel)) {}
  void send(daemon::SinkMessage message, Done done) override {
    if (lost_++ % 20 != 3) return channel_->send(std::move(message), std::move(done));
    runtime_.post([done = std::move(done)]() mutable { done({daemon::SinkOutcome::Kind::delivered}); });
  }

 private:
  daemon::Runtime& runtime_;
  std::unique_ptr<daemon::SinkChannel> channel_;
  int lost_ = 0;
};

/// A mutation: it keeps a letter back, calls it delivered, and sends it after the next one of its order.
class ReorderingChannel final : public daemon::SinkChannel {
 public:
  ReorderingChannel(daemon::Runtime& runtime, std::unique_ptr<daemon::SinkChannel> channel)
      : runtime_(runtime), channel_(std::move(channel)) {}
  void send(daemon::SinkMessage message, Done done) override {
    const std::size_t key = message.body.find("partitionkey");
    const std::string order = message.body.substr(key, message.body.find(',', key) - key);
    if (const auto kept = kept_.find(order); kept == kept_.end()) {
      kept_.emplace(order, std::move(message));
      return runtime_.post([done = std::move(done)]() mutable { done({daemon::SinkOutcome::Kind::delivered}); });
    }
    channel_->send(message, [this, order, done = std::move(done)](daemon::SinkOutcome outcome) mutable {
      if (outcome.kind == daemon::SinkOutcome::Kind::delivered)
        if (auto late = kept_.extract(order)) channel_->send(std::move(late.mapped()), [](daemon::SinkOutcome) {});
      done(std::move(outcome));
    });
  }

 private:
  daemon::Runtime& runtime_;
  std::unique_ptr<daemon::SinkChannel> channel_;
  std::map<std::string, daemon::SinkMessage> kept_;
};

std::map<std::int64_t, Instant> last_asked(db::Session& session) {
  std::map<std::int64_t, Instant> result;
  const auto checkpoints = db::load_lane_checkpoints(session);
  if (!checkpoints) throw std::runtime_error(checkpoints.error().message);
  for (const db::LaneCheckpoint& checkpoint : *checkpoints)
    if (const auto asked = scheduler::Lane::restore(checkpoint.asked))
      for (const scheduler::Lane::Asked& one : *asked) result[one.shipment_id] = one.last_asked;
  return result;
}

}  // namespace

void SimDaemon::start(const std::vector<scheduler::LaneConfig>& lanes) {
  for (const scheduler::LaneConfig& lane : lanes)
    add_carrier(sim_profile(lane.carrier), [&](scheduler::LaneConfig& config) { config = lane; });
  std::unique_ptr<daemon::SinkChannel> channel = std::make_unique<daemon::WebhookChannel>(
      transport, daemon::WebhookChannel::Settings{Receiver::url, {"a key of the simulation"}, 8, seconds{20}},
      [this] { return runtime.now(); });
  if (mutation_ == Mutation::lose_letter) channel = std::make_unique<LosingChannel>(runtime, std::move(channel));
  if (mutation_ == Mutation::reorder_letters)
    channel = std::make_unique<ReorderingChannel>(runtime, std::move(channel));
  const std::string receiver = "receiver";
  sinks.add(receiver, "webhook", {8, sink_retries()}, std::move(channel));
  if (const auto begun = db::begin_sinks(executor.session(), std::span{&receiver, 1}); !begun)
    throw std::runtime_error(begun.error().message);
  const auto remembered = daemon::Remembered::load(executor.session());
  if (!remembered) throw std::runtime_error(remembered.error().message);
  remembered->restore_lanes(poller);
  DecidingParts::start(executor.session(), last_asked(executor.session()));
  sinks.start();
  house_alarm_->set(runtime.in(daemon::Housekeeping::interval));
}

void SimDaemon::keep_house() {
  house_alarm_->set(runtime.in(daemon::Housekeeping::interval));
  housekeeping.round();
}

void SimDaemon::wind_up(std::function<void()> then) {
  drained_ = std::move(then);
  house_alarm_->cancel();
  begin_stop();
  sinks.stop();
  drain_until_ = runtime.in(drain_patience);
  drain_alarm_ = runtime.alarm([this] { drain(); });
  drain();
}

void SimDaemon::drain() {
  if (!(idle() && sinks.idle()) && runtime.now() < drain_until_) return drain_alarm_->set(runtime.in(drain_look));
  housekeeping.save_checkpoints([this] { drained_(); });
}

}  // namespace remitod::sim
