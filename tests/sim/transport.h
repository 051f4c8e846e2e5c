// The wire of a simulation: between the daemon and its carriers and receiver, with all that can happen to a request.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "carriers/transport.h"
#include "tests/sim/carrier.h"
#include "tests/sim/dice.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/receiver.h"
#include "tests/sim/trace.h"
#include "tests/sim/wire.h"
#include "tests/support/virtual_runtime.h"

namespace remitod::sim {

/// What the wire tells those who watch.
struct WireHooks {
  std::function<void(const Request&)> asked;
  /// `well`: it says what the carrier has.
  std::function<void(const Request&, Instant sent_at, bool well)> answered;
  /// A shipment may have been made without our hearing of it, or not; or cancelled.
  std::function<void(const Request&)> unclear;
};

/// What outlives the daemons: carriers, receiver, and the dice that decide what happens between them.
class Wire {
 public:
  Wire(const FaultPlan& plan, Dice dice, Trace& trace, WireHooks hooks);

  Carrier& add(std::unique_ptr<Carrier> carrier);
  Carrier& carrier(const std::string& name) { return *carriers_.at(name); }
  const std::map<std::string, std::unique_ptr<Carrier>>& carriers() const { return carriers_; }
  Receiver& receiver() { return receiver_; }

  enum class Outage : std::uint8_t { none, unreachable, broken, throttled };
  void set_outage(const std::string& carrier, Outage outage) { outages_[carrier] = outage; }
  void end_faults();
  /// A daemon has died: its connections with it.
  void connections_lost();
  /// A mutation: what asks for a shipment arrives twice.
  void send_creates_twice() { creates_twice_ = true; }
  /// A mutation: likewise what asks to cancel one.
  void send_cancels_twice() { cancels_twice_ = true; }
  /// A mutation: a request takes as long as the wall's clock says.
  void read_a_clock() { reads_a_clock_ = true; }

 private:
  friend class SimTransport;
  struct Happening {
    carriers::FetchResult result;
    std::chrono::microseconds after{};
    bool well = false;  ///< the carrier was heard
    const char* what = "";
    bool wants_login = false;  ///< and it arrives that this is what it said
  };
  Happening happen(Carrier& carrier, const Request& request, std::chrono::milliseconds deadline, Instant now);
  Happening draw(Carrier& carrier, const Request& request, std::chrono::milliseconds deadline, Instant now);
  Happening act(Carrier& carrier, const Request& request, Instant now);
  carriers::FetchResult throttled();
  std::chrono::microseconds latency();

  const FaultPlan& plan_;
  Dice dice_;
  Trace& trace_;
  WireHooks hooks_;
  Receiver receiver_;
  std::map<std::string, std::unique_ptr<Carrier>> carriers_;
  std::map<std::string, Outage> outages_;
  bool calm_ = false, creates_twice_ = false, cancels_twice_ = false, reads_a_clock_ = false;
};

/// One daemon's end of it.
class SimTransport final : public carriers::HttpTransport {
 public:
  SimTransport(test::VirtualRuntime& runtime, Wire& wire) : runtime_(runtime), wire_(wire) {}
  void submit(carriers::HttpRequest http, Done done) override;

 private:
  void to_receiver(const carriers::HttpRequest& letter, Done done);

  test::VirtualRuntime& runtime_;
  Wire& wire_;
};

}  // namespace remitod::sim
