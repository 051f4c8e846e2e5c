// What happens to one poll. The steps stand in poller.cpp in the order in which they happen:
//
//   wake      the lane says which shipments may be asked now (scheduler/lane.h)
//   send      profile + shipments -> HTTP request -> carrier (carriers/request.h, transport.h); at a carrier that wants
//             a login the first poll waits for one (carrier_access.h), and no other is taken meanwhile
//   answered  the bytes that are known (a request for one shipment only): finish
//   map       answer -> reports (carriers/mapping.h): a small answer about one shipment here, others on the mapping
//             thread. Of one that comes in pages the next is asked for, until all are there
//   mapped    equal reports: finish. What is new waits for the next commit (wait_for_commit)
//   commit    one transaction for the waiting reports, on the database's thread: compare with what is there
//             (db/reconcile.h), write, make transitions (db/stores.h)
//   committed for each answer: settle: fingerprints advance, who is at an end leaves the lane. Transitions go on from
//             Hooks::transitions_written to the outbox (outbox.h), which numbers and tells them
//   finish    the end of every way: the lane plans the next turn of the shipments, and wake
//
// What can go wrong, how the lane takes it (scheduler::BatchOutcome), and when the shipments are asked anew:
//
//   no request can be made         unaskable  at their next turn, as all that follows where nothing else is said
//   no answer                      failed     after 5 to 10 minutes; several in a row open the breaker
//   none to login                  failed     likewise, and the carrier rests until a login may be tried again
//   session not taken              abandoned  after a new login (carriers/session.h says how often one is tried),
//                                             later failed
//   429, Retry-After               throttled  when the carrier has had its rest
//   bad status, format, business   failed     after 5 to 10 minutes; the answer is kept raw (carriers/answer_rules.h
//                                             says what is bad)
//   not found yet, or gone         answered   a report without events; nothing is written
//   parts not understood           answered   kept raw; the rest of the answer counts
//   unmapped code                  answered   stored, counted, logged, kept raw
//   database away                  (waits)    what waits is committed 1 to 30 s later (db/error.h says what passes)
//   database refuses a report      answered   found by going one by one; logged, kept raw
//   we stop                        abandoned  as they were due
//
// Quotas are in poller_quotas.cpp, logins and pages in poller_sessions.cpp, what goes wrong on the way in
// poller_trouble.cpp, who is asked at all in poller_lanes.cpp, what adaptive schedules learn in poller_learning.cpp.
//
// What is new waits a moment, so that changes that come together are committed together; while a thousand changed
// reports of a carrier wait, no further poll of it begins (pages, and what others ask, go on). So a slow or lost
// database pauses by itself what it would have to store, and nothing is lost.
//
// All functions are called on the deciding thread, and all callbacks come back on it and hold the poller: it lives
// until that thread's loop has ended, after which none runs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/profile.h"
#include "carriers/tracking.h"
#include "carriers/transport.h"
#include "daemon/carrier_access.h"
#include "daemon/order_hooks.h"
#include "daemon/raw_keeper.h"
#include "daemon/runtime.h"
#include "db/executor.h"
#include "db/stores.h"
#include "scheduler/lane.h"

namespace remitod::daemon {

/// Counted since the start, for --status.
struct PollCounters {
  std::uint64_t requests = 0;   ///< sent
  std::uint64_t polls = 0;      ///< shipments asked about and answered, those missing in the answer included
  std::uint64_t mapped = 0;     ///< answers that were read, not only compared
  std::uint64_t unchanged = 0;  ///< of `polls`: same bytes or same reports
  std::uint64_t transitions = 0;
  std::map<std::string, std::uint64_t, std::less<>> failures = {};  ///< failed_requests by kind
  std::uint64_t failed_requests = 0;  ///< and shipments that could not be asked, and reports that the database refused
  std::uint64_t wrong_rows = 0;       ///< parts of answers left out
  std::uint64_t missing = 0;          ///< asked for, not in the answer
  std::uint64_t extra = 0;            ///< in the answer, not asked for
  std::uint64_t unmapped = 0;
  std::uint64_t too_old = 0;     ///< events of an earlier use of a number
  std::uint64_t ahead = 0;       ///< events that the carrier dates in the future
  std::uint64_t over_limit = 0;  ///< events past what is kept of a report or a shipment (db/reconcile.h)
  std::uint64_t noise = 0;       ///< events stored without effect
  Instant last_answer_at{};
  std::string last_error;
  Instant last_error_at{};
};

class Poller {
 public:
  struct Hooks {
    std::function<void()> transitions_written;  ///< the outbox may look
    /// Shipments for which nobody who asked by hand waits longer: answered, missing in the answer, impossible to ask,
    /// or gone. May name one twice, and one that nobody asked for.
    std::function<void(std::span<const std::int64_t>)> resync_answered;
  };
  Poller(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor, RawKeeper& raw,
         Hooks hooks);
  ~Poller();

  /// In shadow, transitions are recorded and told to nobody.
  void add_carrier(std::shared_ptr<CarrierAccess> access, scheduler::LaneConfig config, bool shadow = false);
  /// Carriers that are not configured are counted (orphans) and otherwise left alone.
  void add_shipments(std::span<const db::OpenShipment> shipments);
  void add_shipment(const db::OpenShipment& shipment, Instant last_asked);
  void remove(std::string_view carrier, std::span<const std::int64_t> shipment_ids);
  /// Returns how many of them are in their lanes here.
  std::size_t mark_resync(std::span<const db::ResyncScope> scope);
  // What adaptive schedules have learned, to and from the database (scheduler/lane.h).
  std::optional<scheduler::Lane::Lessons> lessons(std::string_view carrier);
  void lessons_lost(std::string_view carrier);
  bool restore_lessons(std::string_view carrier, const scheduler::Lane::Lessons& lessons);
  void restore_wishes(std::string_view carrier, const scheduler::Lane::Wishes& wishes, Instant saved_at);

  // Logins, requests for remitos and cancellations share the carrier's rate, concurrency and rests with the polls.
  std::size_t spare_requests(std::string_view carrier);     ///< that may go out now
  std::size_t spare_for_remitos(std::string_view carrier);  ///< likewise, where those about orders do not rest
  Instant orders_rest_until(std::string_view carrier);      ///< when that ends; the past or epoch: they do not
  std::size_t spare_for_cancels(std::string_view carrier);  ///< likewise, less what is left to requests for remitos
  /// Polls and cancellations leave so many of what comes free to requests for remitos, until it is said anew: a
  /// merchant waits for a remito, and polls that are late would take everything.
  void reserve_requests(std::string_view carrier, std::size_t requests);
  void reserve_for_cancels(std::string_view carrier, std::size_t requests);  ///< polls leave so many to these
  void reserve_for_feed(std::string_view carrier, std::size_t requests);     ///< likewise
  /// A request of the feed leaves to others what polls leave to them. Nothing: it may go out now; else when to ask
  /// again.
  std::optional<Instant> feed_waits_until(std::string_view carrier);
  void request_sent(std::string_view carrier, scheduler::Lane::Purpose purpose = scheduler::Lane::Purpose::others);
  void request_answered(std::string_view carrier);
  OrderHooks order_hooks();                     ///< for those who send requests about orders, instead of the two above
  void login_failed(std::string_view carrier);  ///< and everybody who waited for it knows: others may try their luck

  /// No further polls begin; those under way are finished, but for pages that would have to wait. Called before the
  /// transport stops, which then answers what is still out with FetchError::Kind::stopped.
  void stop();
  bool idle() const;  ///< nothing is in flight or waits for a commit

  struct CarrierView {
    const carriers::Profile& profile;
    const scheduler::Lane& lane;
    const PollCounters& counters;
    const CarrierAccess& access;
    std::size_t waiting_for_commit;
    db::ApplyRules rules;
  };
  std::vector<CarrierView> carriers() const;
  std::optional<CarrierView> carrier(std::string_view name) const;
  const scheduler::Lane* lane(std::string_view carrier) const;
  std::size_t orphans() const { return orphans_.size(); }
  bool database_trouble() const;

 private:
  struct Carrier;
  struct Asking;
  struct Mapped;
  struct Uncommitted;
  void wake(Carrier& carrier);
  void set_wake_alarm(Carrier& carrier, Instant now);
  bool send(Carrier& carrier, scheduler::Batch batch);  ///< false: there was nothing to send
  bool send_in(const SessionPointer& session, Carrier& carrier, scheduler::Batch batch);
  void submit(Carrier& carrier, Asking asking, carriers::HttpRequest request);
  void answered(Carrier& carrier, Asking asking, carriers::FetchResult result);
  static std::uint64_t known_fingerprint(const Carrier& carrier, const scheduler::Batch& batch);
  void map(Carrier& carrier, Asking asking, carriers::HttpAnswer answer);
  void mapped(Carrier& carrier, Mapped mapped);
  void wait_for_commit(Carrier& carrier, Uncommitted answer);
  void commit(Carrier& carrier);
  void committed(Carrier& carrier, db::DbResult<std::vector<db::AppliedReport>> result);
  void settle(Carrier& carrier, Uncommitted& answer, std::span<const db::AppliedReport> applied);
  void note_raw(const Uncommitted& answer, bool tells_news, bool is_understood);
  void not_committed(Carrier& carrier, const db::DbError& error);
  void leave_out_refused(Carrier& carrier, std::vector<Uncommitted> answers, const db::DbError& error);
  static std::vector<Uncommitted> in_parts(Uncommitted answer);
  // poller_quotas.cpp
  void keep_quotas(Carrier& carrier);
  void load_quotas(Carrier& carrier);
  void quota_failed(Carrier& carrier, const db::DbError& error);
  // poller_learning.cpp
  void keep_learning(Carrier& carrier);
  void learn_next();
  void learned(Carrier& carrier, std::shared_ptr<const scheduler::AdaptivePlan> plan);
  // poller_sessions.cpp
  void send_after_login(Carrier& carrier, scheduler::Batch batch);
  void map_pages(Carrier& carrier, Asking asking, carriers::HttpAnswer answer);
  void plan_next_page(Carrier& carrier, Asking asking);
  void ask_due_pages(Carrier& carrier);
  void ask_next_page(Carrier& carrier, Asking asking);
  void abandon_due_pages(Carrier& carrier);

  void finish(Carrier& carrier, const scheduler::Batch& batch, const scheduler::BatchOutcome& outcome);
  void failed(Carrier& carrier, const scheduler::Batch& batch, std::string_view kind, std::string_view message,
              scheduler::BatchOutcome outcome);
  static void note_breaker(const Carrier& carrier, scheduler::BreakerState before);
  void order_judged(std::string_view carrier, const scheduler::BatchOutcome& outcome, std::uint64_t trial);
  static void note_orders_rest(const Carrier& carrier, Instant before);
  void note_failure(Carrier& carrier, std::string_view remito, std::size_t shipments, std::string_view kind,
                    std::string_view message);
  void leave_out_unaskable(Carrier& carrier, scheduler::Batch& batch, const carriers::Call& call);
  struct Imperfection {
    std::string remito;  ///< whose it is; or empty
    std::string why;
  };
  static std::optional<Imperfection> note_imperfections(Carrier& carrier, const carriers::TrackAnswer& track);
  static db::RawAnswer raw_of(const Carrier& carrier, const Mapped& mapped, std::string remito, std::string why);
  Carrier* find(std::string_view name) const;
  static CarrierView view_of(const Carrier& carrier);

  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  Offload& mapper_;
  db::Executor& executor_;
  RawKeeper& raw_;
  Hooks hooks_;
  std::map<std::string, std::unique_ptr<Carrier>, std::less<>> carriers_;
  std::deque<Carrier*> learners_;  ///< the first one learns now
  std::set<std::int64_t> orphans_;
  bool stopping_ = false;
};

}  // namespace remitod::daemon
