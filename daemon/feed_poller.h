// Carriers that list what changed in a window of time: asked for it now and then, what they tell brought to the
// database.
//
//   recall     up to when was it asked before?
//   look       from then, less the overlap, until now: one window, or several of window_max, the oldest first
//   ask        waits until the carrier's limits, hours and rests have room for a request, and for a session
//   answered   of an answer that comes in pages the next is asked for, until all are there
//   map        answers -> reports (carriers/paging.h)
//   commit     the reports go in by parts, those of shipments that are open here; the last part remembers the window's
//              end (told_commit.h)
//   read       the next window; when all are done, rest until the next look
//
// The end of a window is remembered in the transaction of the last of its reports: whatever cuts this short, the window
// is asked again, and what was known already changes nothing. Nothing is believed of a window of which a page failed.
//
// What goes wrong on the way is tried again after a minute, then after twice as long each time, up to the interval or
// an hour; not before the carrier's Retry-After. A window that may have been too much for one answer is then half as
// long. A session that is refused is renewed once, and the window asked anew.
//
// All functions are called on the deciding thread, and all callbacks come back on it. They hold the poller: it has to
// outlive the work of `mapper`, the transport and the executor.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/profile.h"
#include "carriers/transport.h"
#include "daemon/carrier_access.h"
#include "daemon/poller.h"
#include "daemon/raw_keeper.h"
#include "daemon/runtime.h"
#include "daemon/told_commit.h"
#include "daemon/trouble.h"
#include "db/executor.h"
#include "db/stores.h"

namespace remitod::daemon {

/// Counted since the start.
struct FeedCounters {
  std::uint64_t looks = 0;
  std::uint64_t requests = 0;  ///< pages
  std::uint64_t windows = 0;   ///< read
  std::uint64_t failures = 0;  ///< windows and reports
  std::uint64_t reports = 0;   ///< of shipments that are open here
  std::uint64_t extra = 0;     ///< of others: ignored
  std::uint64_t wrong_rows = 0;
  std::uint64_t unmapped = 0;
  std::uint64_t transitions = 0;
  Instant last_read_at{};
  std::string last_error;
  Instant last_error_at{};
};

class FeedPoller {
 public:
  /// The carriers are also those of `poller`, whose rate, concurrency, hours and rests they share.
  FeedPoller(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor,
             RawKeeper& raw, Poller& poller, std::function<void()> transitions_written);
  ~FeedPoller();

  /// The profile has a feed_schedule().
  void add_carrier(std::shared_ptr<CarrierAccess> access, bool shadow = false);
  /// How far each has come is read from the database; then the first look.
  void start();
  /// What was asked is still read, unless it has further pages; nothing more is asked.
  void stop();
  bool idle() const;  ///< nothing is under way

  struct CarrierView {
    const carriers::Profile& profile;
    const FeedCounters& counters;
    std::optional<Instant> asked_until;
  };
  std::vector<CarrierView> carriers() const;
  /// What a person should look at: carriers of which the last window failed.
  std::vector<Trouble> trouble() const;

 private:
  struct Carrier;
  struct Window;
  struct Failure;
  void recall(Carrier& carrier);
  void look(Carrier& carrier);
  void begin_window(Carrier& carrier);
  void ask(Carrier& carrier);
  void entered(Carrier& carrier, CarrierAccess::Entered session);
  void answered(Carrier& carrier, carriers::FetchResult result);
  void mapped(Carrier& carrier, std::expected<carriers::TrackAnswer, carriers::CarrierTrouble> answer);
  void commit(Carrier& carrier, std::vector<Report> reports);
  void read(Carrier& carrier, const ToldSums& told);
  void rest(Carrier& carrier, Instant until);
  void failed(Carrier& carrier, const Failure& failure);
  void note_failure(Carrier& carrier, std::string_view remito, std::string_view kind, std::string_view message);
  static void note_imperfections(Carrier& carrier, const carriers::TrackAnswer& answer);
  static void note_oddities(Carrier& carrier, std::span<const ToldReport> told);

  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  Offload& mapper_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Poller& poller_;
  std::function<void()> transitions_written_;
  std::vector<std::unique_ptr<Carrier>> carriers_;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
