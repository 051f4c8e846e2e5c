// A daemon that polls Chazki (one shipment to a request), and short words for what its tests do.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/checkpoints.h"
#include "tests/daemon/virtual_test.h"

namespace remitod::test {

inline const WireEvent picked_up{monday + 1min, "", "Recogido"};
inline const WireEvent delivered{monday + 2h, "", "Entregado"};

struct PollerTest : testing::Test, VirtualWorld {
  /// Follows `count` shipments of Chazki, "C1" and on, which the carrier does not know yet.
  void follow_chazki(int count, const std::function<void(scheduler::LaneConfig&)>& change = {}) {
    daemon->add_carrier("chazki", change);
    for (int i = 1; i <= count; ++i) follow("chazki", "C" + std::to_string(i), std::to_string(i));
    daemon->start();
  }
  void show_all_chazki(int count, const std::vector<WireEvent>& history) {
    for (int i = 1; i <= count; ++i) carriers.show("chazki", "C" + std::to_string(i), history);
  }
  /// From here on nothing but polls reaches the database.
  void stop_sweeping() {
    daemon->intake.stop();
    clock().run_queued();
  }
  /// What the minute's checkpoint writes.
  void save_checkpoint() {
    daemon::Checkpoints checkpoints(daemon->runtime, daemon->executor, daemon->poller);
    bool done = false;
    checkpoints.save("chazki", [&] { done = true; });
    clock().run_queued();
    EXPECT_TRUE(done);
  }
  /// A new process that follows Chazki and knows what the last one left.
  void restart_from_checkpoints(const std::function<void(scheduler::LaneConfig&)>& change = {}) {
    restart();
    daemon->add_carrier("chazki", change);
    const auto remembered = daemon::Remembered::load(database.session()).value();
    remembered.restore_lanes(daemon->poller);
    std::map<std::int64_t, Instant> last_asked;
    const auto loaded = db::load_open_shipments(
        database.session(), clock().now(),
        [&](const db::OpenShipment& shipment) { last_asked[shipment.shipment_id] = remembered.last_asked(shipment); });
    ASSERT_TRUE(loaded);
    daemon->start(last_asked);
  }
  const scheduler::Lane& lane(std::string_view carrier = "chazki") { return *daemon->poller.lane(carrier); }
  scheduler::Slot slot(std::int64_t shipment_id, std::string_view carrier = "chazki") {
    return lane(carrier).find(shipment_id).value();
  }
  const daemon::PollCounters& counters() { return daemon->poller.carriers().front().counters; }
};

}  // namespace remitod::test
