// The carriers of a virtual daemon: they speak the wire formats of the built-in profiles oca, correios and chazki, show
// what a test lets happen to their parcels, fail as the test says, and remember every request with its moment.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/transport.h"
#include "tests/support/virtual_runtime.h"
#include "tests/support/virtual_wire.h"

namespace remitod::test {

struct SentRequest {
  Instant at{};
  Asked asked;
  carriers::HttpRequest request;
};

/// Outlives the daemons that ask it.
class VirtualCarriers {
 public:
  using Answer = std::function<carriers::FetchResult(const Asked&, Instant now)>;

  /// What the carrier shows of a parcel from now on; one without a history is not known to it.
  void show(const std::string& carrier, const std::string& remito, std::vector<WireEvent> history) {
    parcels_[{carrier, remito}] = std::move(history);
  }
  /// The next requests to this carrier are answered by these, one each and in this order.
  void next(const std::string& carrier, Answer answer) { scripts_[carrier].push_back(std::move(answer)); }
  void next(const std::string& carrier, carriers::FetchResult answer) {
    next(carrier, [answer = std::move(answer)](const Asked&, Instant) { return answer; });
  }
  /// All requests to this carrier are answered by this, until ordinary() is called.
  void always(const std::string& carrier, Answer answer) { always_[carrier] = std::move(answer); }
  void always(const std::string& carrier, carriers::FetchResult answer) {
    always(carrier, [answer = std::move(answer)](const Asked&, Instant) { return answer; });
  }
  void ordinary(const std::string& carrier) { always_.erase(carrier); }
  /// All requests to a profile of a test (carrier.example) are answered by this, which sees them whole.
  using Service = std::function<carriers::FetchResult(const carriers::HttpRequest&, Instant now)>;
  void serve(Service service) { service_ = std::move(service); }
  /// How the carrier answers when nothing is scripted: shows its parcels, grants every request.
  carriers::FetchResult ordinary_answer(const Asked& asked) const;

  /// Every answer differs in something that says nothing of a parcel.
  void set_volatile_envelope(bool is_volatile) { volatile_envelope_ = is_volatile; }
  void set_latency(std::chrono::microseconds latency) { latency_ = latency; }
  std::chrono::microseconds latency() const { return latency_; }

  carriers::FetchResult receive(const carriers::HttpRequest& request, Instant now);

  const std::vector<SentRequest>& sent() const { return sent_; }
  std::vector<SentRequest> creates() const;
  /// When the carrier was asked about this remito.
  std::vector<Instant> asked_at(std::string_view carrier, std::string_view remito) const;
  void forget_sent() { sent_.clear(); }

 private:
  std::map<std::pair<std::string, std::string>, std::vector<WireEvent>> parcels_;
  std::map<std::string, std::deque<Answer>> scripts_;
  std::map<std::string, Answer> always_;
  Service service_;
  std::vector<SentRequest> sent_;
  std::chrono::microseconds latency_ = std::chrono::milliseconds{100};
  bool volatile_envelope_ = false;
};

/// The wire between one daemon and the carriers: an answer comes when the carriers' latency is over.
class VirtualTransport final : public carriers::HttpTransport {
 public:
  VirtualTransport(VirtualRuntime& runtime, VirtualCarriers& carriers) : runtime_(runtime), carriers_(carriers) {}
  void submit(carriers::HttpRequest request, Done done) override;
  std::size_t in_flight() const { return in_flight_; }
  std::size_t in_flight_max() const { return in_flight_max_; }  ///< since the start

 private:
  VirtualRuntime& runtime_;
  VirtualCarriers& carriers_;
  std::size_t in_flight_ = 0, in_flight_max_ = 0;
};

}  // namespace remitod::test
