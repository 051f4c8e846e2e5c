#include "daemon/lane_filling.h"

#include <utility>
#include <vector>

#include "daemon/log.h"
#include "db/stores.h"

namespace remitod::daemon {
namespace {

constexpr std::size_t shipments_per_post = 4096;
constexpr std::chrono::seconds retry_pause{2};

}  // namespace

LaneFilling::LaneFilling(Runtime& runtime, db::Executor& executor, Poller& poller, Remembered remembered,
                         std::function<void()> filled)
    : runtime_(runtime),
      executor_(executor),
      poller_(poller),
      remembered_(std::move(remembered)),
      filled_(std::move(filled)),
      retry_(runtime.alarm([this] { load(); })) {}

void LaneFilling::start() {
  remembered_.restore_lanes(poller_);
  load();
}

void LaneFilling::load() {
  executor_.run<std::size_t>(
      [this, &runtime = runtime_, now = runtime_.now()](db::Session& session) {
        std::vector<db::OpenShipment> chunk;
        const auto hand_over = [&] {
          runtime.post([this, shipments = std::exchange(chunk, {})] {
            for (const db::OpenShipment& shipment : shipments)
              poller_.add_shipment(shipment, remembered_.last_asked(shipment));
          });
        };
        auto loaded = db::load_open_shipments(session, now, [&](const db::OpenShipment& shipment) {
          chunk.push_back(shipment);
          if (chunk.size() == shipments_per_post) hand_over();
        });
        if (!chunk.empty()) hand_over();
        return loaded;
      },
      [this](db::DbResult<std::size_t> shipments) { loaded(std::move(shipments)); });
}

void LaneFilling::loaded(db::DbResult<std::size_t> shipments) {
  if (!shipments) {
    // Shipments that are in their lane already are passed over by the next try.
    log(Level::error, "shipments_not_loaded", {{"error", shipments.error().message}});
    return retry_->set(runtime_.in(retry_pause));
  }
  remembered_ = {};
  done_ = true;
  log(Level::info, "shipments_loaded", {{"shipments", *shipments}});
  filled_();
}

}  // namespace remitod::daemon
