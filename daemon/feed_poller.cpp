#include "daemon/feed_poller.h"

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>

#include "carriers/paging.h"
#include "daemon/feed_poller_carrier.h"
#include "daemon/log.h"
#include "db/feed_positions.h"

namespace remitod::daemon {
namespace {

using carriers::CarrierTrouble;
using carriers::FetchError;
using carriers::FetchResult;
using carriers::HttpAnswer;
using carriers::PagedOperation;
using carriers::TrackAnswer;
using std::chrono::seconds;

constexpr seconds retry_first{60}, retry_max{3600}, retry_after_max{6 * 3600};
// No shorter than this part of window_max: an outage looks like a window that is too much, and after it each is a
// request.
constexpr int window_parts_max = 64;
// Of the imperfections of one answer, so many are logged one by one.
constexpr std::size_t lines_per_answer = 10;

/// Of what an answer says where the question was too long for it, and else.
bool may_be_too_much(CarrierTrouble::Kind kind) {
  using enum CarrierTrouble::Kind;
  return kind == http_status || kind == malformed || kind == business;
}
bool may_be_too_much(FetchError::Kind kind) {
  return kind == FetchError::Kind::timeout || kind == FetchError::Kind::too_large;
}

/// All pages in one; as much of them as the database keeps.
db::RawAnswer raw_of(std::string_view carrier, const std::vector<HttpAnswer>& pages) {
  db::RawAnswer raw{.carrier = std::string(carrier),
                    .operation = "feed",
                    .remito = "",
                    .why = "something new",
                    .http_status = pages.back().status,
                    .content_type = pages.back().content_type,
                    .body = ""};
  for (const HttpAnswer& page : pages) {
    if (&page != &pages.front()) raw.page_ends.push_back(raw.body.size());
    const std::size_t room = db::raw_body_bytes_max - raw.body.size();
    raw.body.append(page.body, 0, room);
    raw.whole = raw.whole && page.body.size() <= room;
  }
  return raw;
}

}  // namespace

FeedPoller::FeedPoller(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, db::Executor& executor,
                       RawKeeper& raw, Poller& poller, std::function<void()> transitions_written)
    : runtime_(runtime),
      transport_(transport),
      mapper_(mapper),
      executor_(executor),
      raw_(raw),
      poller_(poller),
      transitions_written_(std::move(transitions_written)) {}

FeedPoller::~FeedPoller() = default;

void FeedPoller::add_carrier(std::shared_ptr<CarrierAccess> access, bool shadow) {
  Carrier& added = *carriers_.emplace_back(std::make_unique<Carrier>(*this, std::move(access), shadow));
  added.look_alarm = runtime_.alarm([this, &added] { look(added); });
  added.room_alarm = runtime_.alarm([this, &added] {
    added.waits_for_room = false;
    ask(added);
  });
}

void FeedPoller::start() {
  for (const auto& carrier : carriers_) recall(*carrier);
}

void FeedPoller::stop() {
  stopping_ = true;
  for (const auto& carrier : carriers_) {
    carrier->look_alarm->cancel();
    carrier->room_alarm->cancel();
    const bool recalls = carrier->recall_retry.stop();
    const bool commits = carrier->told.stop();
    if (recalls || commits || std::exchange(carrier->waits_for_room, false)) carrier->busy = false;
  }
}

bool FeedPoller::idle() const {
  return std::ranges::none_of(carriers_, [](const auto& carrier) { return carrier->busy; });
}

std::vector<FeedPoller::CarrierView> FeedPoller::carriers() const {
  std::vector<CarrierView> views;
  for (const auto& carrier : carriers_) views.push_back({*carrier->profile, carrier->counters, carrier->asked_until});
  return views;
}

std::vector<Trouble> FeedPoller::trouble() const {
  std::vector<Trouble> found;
  for (const auto& carrier : carriers_)
    if (!carrier->trouble.empty())
      found.push_back({"carrier", carrier->name(), "feed: " + carrier->trouble, 0,
                       "carrier " + carrier->name() + " fails: feed: " + carrier->trouble});
  return found;
}

// ------------------------------------------------------------------ a look

void FeedPoller::recall(Carrier& carrier) {
  carrier.busy = true;
  executor_.run<std::optional<Instant>>(
      [name = carrier.name()](db::Session& session) { return db::load_feed_position(session, name); },
      [this, &carrier](const db::DbResult<std::optional<Instant>>& asked_until) {
        if (!asked_until) {
          log(Level::error, "feed_position_not_loaded",
              {{"carrier", carrier.name()}, {"error", asked_until.error().message}});
          if (stopping_) return rest(carrier, {});
          return carrier.recall_retry.wait();
        }
        carrier.busy = false;
        carrier.asked_until = *asked_until;
        look(carrier);
      });
}

void FeedPoller::look(Carrier& carrier) {
  if (stopping_) return;
  carrier.busy = true;
  ++carrier.counters.looks;
  const Instant now = runtime_.now();
  const carriers::FeedSchedule& feed = carrier.feed;
  // What lies ahead was asked under a clock that was wrong, and says nothing of what was told since.
  if (!carrier.asked_until || *carrier.asked_until > now) carrier.asked_until = now - feed.window_max + feed.overlap;
  // What is older than give_up_after is of shipments that nobody follows any more.
  carrier.since = std::max(*carrier.asked_until - feed.overlap, now - carrier.profile->give_up_after());
  carrier.until = now;
  begin_window(carrier);
}

void FeedPoller::begin_window(Carrier& carrier) {
  carrier.window = std::make_unique<Window>();
  carrier.window->asked = {carrier.since, carrier.end_of_window()};
  ask(carrier);
}

void FeedPoller::rest(Carrier& carrier, Instant until) {
  carrier.busy = false;
  carrier.window.reset();
  poller_.reserve_for_feed(carrier.name(), 0);
  if (!stopping_) carrier.look_alarm->set(until);
}

// ------------------------------------------------------------------ a request

// Where polls are late they would take whatever comes free: they leave one to it while it waits.
void FeedPoller::ask(Carrier& carrier) {
  if (stopping_) return rest(carrier, {});
  if (const std::optional<Instant> again = poller_.feed_waits_until(carrier.name())) {
    carrier.waits_for_room = true;
    poller_.reserve_for_feed(carrier.name(), 1);
    return carrier.room_alarm->set(*again);
  }
  carrier.access->enter([this, &carrier](CarrierAccess::Entered session) { entered(carrier, std::move(session)); });
}

void FeedPoller::entered(Carrier& carrier, CarrierAccess::Entered session) {
  if (stopping_) return rest(carrier, {});
  if (!session) {
    const carriers::Session::Failed& why = session.error();
    return failed(
        carrier,
        {.kind = carriers::name(why.trouble.kind), .message = why.trouble.message, .not_before = why.retry_at});
  }
  Window& window = *carrier.window;
  if (window.pages.empty()) {  // it may have waited for long; but no window more for a few seconds
    const Instant now = runtime_.now();
    if (now <= carrier.since + carrier.window_length) carrier.until = std::max(carrier.until, now);
    window.asked.until = carrier.end_of_window();
  }
  carriers::Call call = call_in(*session, runtime_.now(), carrier.access->random());
  call.page = window.page;
  auto request = carriers::build_feed(*carrier.profile, window.asked, call);
  if (!request)
    return failed(carrier, {.kind = "request", .message = request.error().field + ": " + request.error().message});
  window.session = std::move(*session);
  window.last.url = request->url;
  window.last.options = request->options;
  ++carrier.counters.requests;
  poller_.request_sent(carrier.name());
  poller_.reserve_for_feed(carrier.name(), 0);
  transport_.submit(std::move(*request),
                    [this, &carrier](FetchResult result) { answered(carrier, std::move(result)); });
}

void FeedPoller::answered(Carrier& carrier, FetchResult result) {
  poller_.request_answered(carrier.name());
  if (!result) {
    const FetchError& error = result.error();
    if (error.kind == FetchError::Kind::stopped) return rest(carrier, {});
    return failed(
        carrier,
        {.kind = carriers::name(error.kind), .message = error.message, .may_be_too_much = may_be_too_much(error.kind)});
  }
  carrier.window->pages.push_back(std::move(*result));
  mapper_.run(
      carrier.name(),
      [this, &carrier, profile = carrier.profile, window = std::move(carrier.window)]() mutable -> Runtime::Task {
        auto next =
            carriers::next_page(*profile, PagedOperation::feed, window->last, window->pages.back(), window->page);
        if (next && *next) {
          window->page = **std::move(next);
          return [this, &carrier, window = std::move(window)]() mutable {
            carrier.window = std::move(window);
            ask(carrier);
          };
        }
        auto answer = next ? carriers::map_feed(*profile, window->pages) : std::unexpected(std::move(next.error()));
        return [this, &carrier, window = std::move(window), answer = std::move(answer)]() mutable {
          carrier.window = std::move(window);
          mapped(carrier, std::move(answer));
        };
      });
}

void FeedPoller::mapped(Carrier& carrier, std::expected<TrackAnswer, CarrierTrouble> answer) {
  Window& window = *carrier.window;
  if (!answer) {
    const CarrierTrouble& trouble = answer.error();
    if (trouble.kind == CarrierTrouble::Kind::auth && carrier.access->refused(window.session) &&
        !std::exchange(window.is_renewed, true)) {
      window.pages.clear();
      window.page = {};
      return ask(carrier);
    }
    window.raw = raw_of(carrier.name(), window.pages);
    window.raw->why = trouble.message;
    raw_.keep(*std::move(window.raw));
    return failed(carrier, {.kind = carriers::name(trouble.kind),
                            .message = trouble.message,
                            .may_be_too_much = may_be_too_much(trouble.kind),
                            .retry_after = window.pages.back().retry_after});
  }
  note_imperfections(carrier, *answer);
  // Only the reports are needed from here on.
  window.raw = raw_of(carrier.name(), window.pages);
  if (!answer->errors.empty()) {
    window.imperfect = true;
    window.raw->remito = answer->errors.front().remito;
    window.raw->why = answer->errors.front().message;
  }
  window.pages = {};
  commit(carrier, std::move(answer->reports));
}

// ------------------------------------------------------------------ what it told

void FeedPoller::commit(Carrier& carrier, std::vector<Report> reports) {
  const Instant asked_until = std::max(carrier.window->asked.until, *carrier.asked_until);
  carrier.told.begin({.rules = carrier.rules(),
                      .reports = std::move(reports),
                      .remember = [name = carrier.name(), asked_until](
                                      db::Session& session, std::size_t,
                                      Instant) { return db::save_feed_position(session, name, asked_until); },
                      .told = [&carrier](std::span<const ToldReport> told) { note_oddities(carrier, told); },
                      .left_out =
                          [this, &carrier](const Report& refused, const db::DbError& error) {
                            note_failure(carrier, refused.remito, "database", error.message);
                            carrier.window->raw->why =
                                "the database refused the report of " + refused.remito + ": " + error.message;
                            carrier.window->imperfect = true;
                          },
                      .delayed =
                          [&carrier](const db::DbError& error) {
                            log(Level::error, "commit_delayed",
                                {{"carrier", carrier.name()}, {"feed", true}, {"error", error.message}});
                          },
                      .done =
                          [this, &carrier, asked_until](const std::expected<ToldSums, db::DbError>& told) {
                            if (!told && told.error().retryable()) return rest(carrier, {});  // stopped meanwhile
                            if (!told) {
                              transitions_written_();  // those of the parts before
                              return failed(carrier, {.kind = "database", .message = told.error().message});
                            }
                            carrier.asked_until = asked_until;
                            read(carrier, *told);
                          }});
}

void FeedPoller::read(Carrier& carrier, const ToldSums& told) {
  const std::unique_ptr<Window> window = std::move(carrier.window);
  window->raw->received_at = told.committed_at;
  if (window->imperfect)
    raw_.keep(*std::move(window->raw), told.news != 0 || told.failed_before);
  else if (window->raw->whole && (told.news != 0 || told.failed_before))
    raw_.keep_changed(*std::move(window->raw));
  FeedCounters& counters = carrier.counters;
  ++counters.windows;
  counters.reports += told.shipments;
  counters.extra += told.extra;
  counters.transitions += told.transitions;
  counters.last_read_at = runtime_.now();
  carrier.trouble.clear();
  carrier.backoff = {};
  log(told.news != 0 ? Level::info : Level::debug, "feed_read",
      {{"carrier", carrier.name()},
       {"since", to_iso8601(window->asked.since)},
       {"until", to_iso8601(window->asked.until)},
       {"reports", told.reports},
       {"shipments", told.shipments},
       {"extra", told.extra},
       {"transitions", told.transitions}});
  // What failed before may have been committed all the same, and had nothing left to write then.
  if (told.transitions != 0 || told.failed_before) transitions_written_();
  carrier.since = window->asked.until;
  if (carrier.since < carrier.until) return begin_window(carrier);
  // Not sooner: a look that fails begins with the overlap again, and has to come further than that.
  carrier.window_length = std::min<std::chrono::microseconds>(carrier.window_length * 2, carrier.feed.window_max);
  rest(carrier, runtime_.now() + carrier.feed.interval);
}

// ------------------------------------------------------------------ what is wrong

void FeedPoller::failed(Carrier& carrier, const Failure& failure) {
  note_failure(carrier, "", failure.kind, failure.message);
  carrier.trouble = carrier.counters.last_error;
  const carriers::FeedWindow asked = carrier.window->asked;
  if (failure.may_be_too_much)
    carrier.window_length = std::max<std::chrono::microseconds>(
        (asked.until - asked.since) / 2, std::chrono::microseconds(carrier.feed.window_max) / window_parts_max);
  carrier.backoff =
      std::clamp(carrier.backoff * 2, retry_first, std::clamp(carrier.feed.interval, retry_first, retry_max));
  const seconds pause = std::max(carrier.backoff, std::min(failure.retry_after.value_or(seconds{0}), retry_after_max));
  rest(carrier, std::max(runtime_.now() + pause, failure.not_before));
}

void FeedPoller::note_failure(Carrier& carrier, std::string_view remito, std::string_view kind,
                              std::string_view message) {
  const std::string shown = carrier.access->redact(std::string(message));
  ++carrier.counters.failures;
  carrier.counters.last_error = std::string(kind) + ": " + printable(shown);
  carrier.counters.last_error_at = runtime_.now();
  log(Level::warning, "feed_failed",
      {{"carrier", carrier.name()},
       {"remito", remito},
       {"since", to_iso8601(carrier.window->asked.since)},
       {"until", to_iso8601(carrier.window->asked.until)},
       {"kind", kind},
       {"error", shown}});
}

void FeedPoller::note_imperfections(Carrier& carrier, const TrackAnswer& answer) {
  carrier.counters.wrong_rows += answer.errors.size();
  for (const carriers::RowError& error : answer.errors | std::views::take(lines_per_answer))
    log(Level::warning, "feed_row_left_out",
        {{"carrier", carrier.name()}, {"remito", error.remito}, {"error", carrier.access->redact(error.message)}});
}

// The answer is kept as one that was not understood. A new code comes with many shipments at once; the table of
// unmapped codes counts them all.
void FeedPoller::note_oddities(Carrier& carrier, std::span<const ToldReport> told) {
  Window& window = *carrier.window;
  for (const ToldReport& one : told) {
    if (one.applied.ahead != 0 && !carrier.profile->can_track() && window.ahead_logged++ < lines_per_answer)
      log(Level::warning, "events_ahead",
          {{"carrier", carrier.name()}, {"remito", one.remito}, {"events_taken", one.applied.ahead}});
    if (one.applied.unmapped.empty()) continue;
    carrier.counters.unmapped += one.applied.unmapped.size();
    if (!window.imperfect) window.raw->why = "a code that the profile does not know";
    window.imperfect = true;
    for (const TrackingEvent& event : one.applied.unmapped)
      if (window.unmapped_logged++ < lines_per_answer)
        log(Level::warning, "unmapped_code",
            {{"carrier", carrier.name()},
             {"remito", one.remito},
             {"code", carrier.access->redact(event.code)},
             {"text", carrier.access->redact(event.text)}});
  }
}

}  // namespace remitod::daemon
