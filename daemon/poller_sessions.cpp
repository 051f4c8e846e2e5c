// Polls that take more than one request: a login before, further pages after.

#include <algorithm>
#include <utility>

#include "carriers/request.h"
#include "daemon/poller.h"
#include "daemon/poller_carrier.h"

namespace remitod::daemon {

using carriers::HttpAnswer;
using scheduler::Batch;
using scheduler::BatchOutcome;
using scheduler::Slot;

namespace {

// An alarm that rings later than it should is no rest.
constexpr std::chrono::seconds page_late{1};

// The last page with the bodies of all, and where those before it end: as the answer is kept.
std::pair<HttpAnswer, std::vector<std::size_t>> in_one(std::vector<HttpAnswer> pages) {
  std::string body;
  std::vector<std::size_t> ends;
  for (const HttpAnswer& page : pages) {
    if (&page != &pages.front()) ends.push_back(body.size());
    body += page.body;
  }
  HttpAnswer all = std::move(pages.back());
  all.body = std::move(body);
  return {std::move(all), std::move(ends)};
}

}  // namespace

// The poll keeps its place in the lane while it waits. Where it is the breaker's probe, the login is what is tried; and
// where that fails, the lane rests until the next login may be tried, so that nothing is asked without one.
void Poller::send_after_login(Carrier& carrier, Batch batch) {
  carrier.access->enter(
      [this, &carrier, taken = runtime_.now(), batch = std::move(batch)](CarrierAccess::Entered session) mutable {
        if (session) {
          carrier.lane.sent_late(taken, runtime_.now());
          send_in(*session, carrier, std::move(batch));
          return;
        }
        const carriers::Session::Failed& why = session.error();
        const auto rest = std::chrono::ceil<std::chrono::seconds>(why.retry_at - runtime_.now());
        failed(carrier, batch, carriers::name(why.trouble.kind), why.trouble.message,
               {BatchOutcome::Kind::failed, rest, false});
      });
}

// Page after page is asked for, and only then read: what is told on several pages is one report.
void Poller::map_pages(Carrier& carrier, Asking asking, HttpAnswer answer) {
  asking.pages->answers.push_back(std::move(answer));
  AskedShipments asked(carrier.lane, asking.batch);
  mapper_.run(
      carrier.name,
      [this, &carrier, profile = carrier.profile, asked = std::move(asked),
       asking = std::move(asking)]() mutable -> Runtime::Task {
        Asking::Pages& pages = *asking.pages;
        auto next = carriers::next_page(*profile, carriers::PagedOperation::track, pages.last, pages.answers.back(),
                                        pages.position);
        if (next && *next) {
          pages.position = **std::move(next);
          return [this, &carrier, asking = std::move(asking)]() mutable { plan_next_page(carrier, std::move(asking)); };
        }
        auto track = next ? carriers::map_track_pages(*profile, pages.answers, asked.items())
                          : std::unexpected(std::move(next.error()));
        auto [all, page_ends] = in_one(std::move(pages.answers));
        return [this, &carrier,
                result = Mapped{std::move(asking.batch), std::move(asking.session), std::move(all), std::move(track),
                                std::move(page_ends)}]() mutable { mapped(carrier, std::move(result)); };
      });
}

// A page is a request like any other to the carrier: it waits until the rate has room for it, and while the carrier
// wants to be left alone. (A probe's own pages are no exception: the rest is over when the probe goes.)
void Poller::plan_next_page(Carrier& carrier, Asking asking) {
  asking.pages->planned_at = runtime_.now();
  asking.pages->due = carrier.lane.spend_request(asking.pages->planned_at, scheduler::Lane::Purpose::polls);
  carrier.pages_due.push_back(std::move(asking));
  ask_due_pages(carrier);
}

void Poller::ask_due_pages(Carrier& carrier) {
  const Instant now = runtime_.now();
  carrier.spare_requests(now);  // a clock that was set back ends rests sooner: the lane is to hear of it first
  while (!carrier.pages_due.empty()) {
    Asking::Pages& next = *carrier.pages_due.front().pages;
    // It takes the page's moment with it: a poll that waits holds a place of its carrier.
    next.due -= std::max(next.planned_at - now, Instant::duration{0});
    next.planned_at = std::min(next.planned_at, now);
    if (next.due + page_late < now && !stopping_) next.due = carrier.lane.spend_again(now);
    const Instant due = std::max(next.due, carrier.lane.resting_until());
    if (due > now) return stopping_ ? abandon_due_pages(carrier) : carrier.page_alarm->set(due);
    carrier.lane.planned_sent(next.planned_at, now);
    Asking asking = std::move(carrier.pages_due.front());
    carrier.pages_due.pop_front();
    ask_next_page(carrier, std::move(asking));
  }
}

void Poller::ask_next_page(Carrier& carrier, Asking asking) {
  carriers::Call call = carrier.call(asking.session, runtime_.now());
  call.page = asking.pages->position;
  auto request = carriers::build_track(*carrier.profile, AskedShipments(carrier.lane, asking.batch).items(), call);
  if (!request)
    return failed(carrier, asking.batch, "request", request.error().field + ": " + request.error().message,
                  {BatchOutcome::Kind::unaskable, {}});
  submit(carrier, std::move(asking), std::move(*request));
}

// A page may be due hours from now, which nobody who stops waits for.
void Poller::abandon_due_pages(Carrier& carrier) {
  carrier.page_alarm->cancel();
  for (const Asking& asking : std::exchange(carrier.pages_due, {}))
    finish(carrier, asking.batch, {BatchOutcome::Kind::abandoned, {}});
}

}  // namespace remitod::daemon
