#include "tests/sim/transport.h"

#include <algorithm>
#include <utility>

namespace remitod::sim {
namespace {

using carriers::FetchError;
using carriers::FetchResult;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* html_page = "<!DOCTYPE html><html><body><h1>Sitio en mantenimiento</h1></body></html>";

milliseconds deadline_of(const carriers::HttpRequest& request) {
  return request.timeout.count() != 0 ? request.timeout : request.options->total_timeout;
}

FetchResult cut_short(FetchResult answer) {
  return test::http_answer(200, answer->body.substr(0, answer->body.size() / 2), answer->content_type);
}

}  // namespace

Wire::Wire(const FaultPlan& plan, Dice dice, Trace& trace, WireHooks hooks)
    : plan_(plan),
      dice_(dice),
      trace_(trace),
      hooks_(std::move(hooks)),
      receiver_(plan.receiver, dice.fork("receiver")) {}

Carrier& Wire::add(std::unique_ptr<Carrier> carrier) {
  Carrier& added = *carrier;
  carriers_[added.name()] = std::move(carrier);
  return added;
}

void Wire::end_faults() {
  calm_ = true;
  outages_.clear();
  receiver_.end_faults();
}

void Wire::connections_lost() {
  for (const auto& [name, carrier] : carriers_) carrier->watch().connections_lost();
}

microseconds Wire::latency() {
  const auto most = calm_ ? microseconds{milliseconds{200}} : plan_.wire.latency_max;
  microseconds drawn = dice_.time(milliseconds{1}, most);
  if (dice_.chance(0.9)) drawn = std::min(drawn, microseconds{milliseconds{300}});
  if (reads_a_clock_) drawn += microseconds{std::chrono::steady_clock::now().time_since_epoch().count() % 1000};
  return drawn;
}

FetchResult Wire::throttled() {
  FetchResult answer = test::http_answer(429, "", "text/plain");
  answer->retry_after = seconds{dice_.between(1, 900)};
  return answer;
}

Wire::Happening Wire::act(Carrier& carrier, const Request& request, Instant now) {
  const bool is_create = request.kind == Request::Kind::create, is_cancel = request.kind == Request::Kind::cancel;
  if ((creates_twice_ && is_create) || (cancels_twice_ && is_cancel)) carrier.act(request, now);
  Carrier::Reply reply = carrier.act(request, now);
  // That it wants a login first tells as little as no answer does: it may want one again after that, and then its lane
  // rests.
  const bool well = reply.to_the_point;
  return {std::move(reply.result), latency(), well, well ? "answered" : "login wanted", !well};
}

Wire::Happening Wire::happen(Carrier& carrier, const Request& request, milliseconds deadline, Instant now) {
  Happening happening = draw(carrier, request, deadline, now);
  if (happening.after >= deadline) {
    happening.result = test::fetch_error(FetchError::Kind::timeout);
    happening.after = deadline;
    happening.well = false;
    happening.what = "timeout";
    happening.wants_login = false;
  }
  return happening;
}

Wire::Happening Wire::draw(Carrier& carrier, const Request& request, milliseconds deadline, Instant now) {
  const auto unsent = [&] { return test::fetch_error(FetchError::Kind::connect, true); };
  const auto broken_off = [&] { return test::fetch_error(FetchError::Kind::transport); };
  const auto error = [&] { return test::http_answer(dice_.chance(0.5) ? 500 : 503, "Error", "text/plain"); };
  switch (outages_[request.carrier]) {
    case Outage::none:
      break;
    case Outage::unreachable:
      return {unsent(), latency(), false, "unreachable"};
    case Outage::broken:
      return {error(), latency(), false, "out of order"};
    case Outage::throttled:
      return {throttled(), latency(), false, "throttled"};
  }
  const WireFaults& faults = plan_.wire;
  double fate = calm_ ? 1 : dice_.share();
  const auto happens = [&](double chance) {
    fate -= chance;
    return fate < 0;
  };
  if (happens(faults.no_connection)) return {unsent(), latency(), false, "no connection"};
  if (happens(faults.lost_request)) return {broken_off(), latency(), false, "lost request"};
  if (happens(faults.throttled)) return {throttled(), latency(), false, "throttled"};
  if (happens(faults.error_before)) return {error(), latency(), false, "error before"};
  if (!calm_ && dice_.chance(faults.login_expired)) carrier.forget_sessions();
  Request heard = request;
  const bool partial = !calm_ && request.remitos.size() > 1 && dice_.chance(faults.partial_batch);
  if (partial) heard.remitos.at(0) = "XX000000000BR";
  Happening acted = act(carrier, heard, now);
  const auto instead = [&](FetchResult result, const char* what) {
    return Happening{std::move(result), acted.after, false, what};
  };
  if (partial) return acted;
  if (happens(faults.lost_answer)) return instead(broken_off(), "lost answer");
  if (happens(faults.timeout)) return {broken_off(), deadline, false, "timeout"};
  if (happens(faults.error_after)) return instead(error(), "error after");
  if (happens(faults.html_page)) return instead(test::http_answer(200, html_page, "text/html"), "page");
  if (happens(faults.truncated)) return instead(cut_short(std::move(acted.result)), "truncated");
  return acted;
}

void SimTransport::submit(carriers::HttpRequest http, Done done) {
  if (http.url == Receiver::url) return to_receiver(http, std::move(done));
  const Request request = read_request(http);
  Carrier& carrier = wire_.carrier(request.carrier);
  const Instant now = runtime_.true_now();
  wire_.hooks_.asked(request);
  carrier.watch().begun(now, carrier.name(), request.kind == Request::Kind::login);
  Wire::Happening happening = wire_.happen(carrier, request, deadline_of(http), now);
  wire_.trace_.add(now, happening.what, request.in_words());
  if (!happening.well) wire_.hooks_.unclear(request);
  if (happening.result) test::compare(http.known, *happening.result);
  // A poll goes back to its lane, and is sent in its turn.
  const bool is_sent_again = happening.wants_login && request.kind != Request::Kind::track;
  runtime_.after(happening.after, [this, &carrier, request, now, well = happening.well, is_sent_again,
                                   result = std::move(happening.result), done = std::move(done)]() mutable {
    carrier.watch().ended(runtime_.true_now(), request.kind == Request::Kind::login);
    if (is_sent_again) carrier.watch().is_sent_again(runtime_.true_now());
    wire_.hooks_.answered(request, now, well);
    done(std::move(result));
  });
}

void SimTransport::to_receiver(const carriers::HttpRequest& letter, Done done) {
  auto answer = wire_.receiver_.receive(letter);
  const auto after = answer ? wire_.latency() : microseconds{deadline_of(letter)};
  wire_.trace_.add(runtime_.true_now(), "letter", answer && *answer ? std::to_string((*answer)->status) : "lost");
  if (!answer) answer = test::fetch_error(FetchError::Kind::timeout);
  runtime_.after(after, [answer = std::move(*answer), done = std::move(done)]() mutable { done(std::move(answer)); });
}

}  // namespace remitod::sim
