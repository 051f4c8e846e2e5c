#include "daemon/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <sstream>

namespace remitod::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using View = Poller::CarrierView;

// Seconds. Prompt carriers publish within minutes; others at the end of the day, and once a week where it is a holiday.
const prometheus::Histogram::BucketBoundaries delay_buckets{
    60, 300, 900, 1800, 3600, 7200, 4 * 3600, 8 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 96 * 3600, 168 * 3600};

double seconds_of(Instant::duration time) {
  return std::chrono::duration<double>(time).count();
}
double timestamp(Instant at) {
  return seconds_of(at.time_since_epoch());
}
template <class Number>
double number(Number value) {
  return static_cast<double>(value);
}

class Families {
 public:
  MetricFamily& add(const char* name, const char* help, MetricType type) {
    return families_.emplace_back(MetricFamily{name, help, type, {}});
  }
  MetricFamily& gauge(const char* name, const char* help) { return add(name, help, MetricType::Gauge); }
  MetricFamily& counter(const char* name, const char* help) { return add(name, help, MetricType::Counter); }
  void gauge(const char* name, const char* help, double value);
  void counter(const char* name, const char* help, double value);
  /// Without those that have nothing to say.
  std::vector<MetricFamily> take();

 private:
  std::deque<MetricFamily> families_;  ///< not moved by those that come after
};

void put(MetricFamily& family, Labels labels, double value) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

std::vector<MetricFamily> Families::take() {
  std::vector<MetricFamily> taken;
  for (MetricFamily& family : families_)
    if (!family.metric.empty()) taken.push_back(std::move(family));
  return taken;
}

void Families::gauge(const char* name, const char* help, double value) {
  put(gauge(name, help), {}, value);
}
void Families::counter(const char* name, const char* help, double value) {
  put(counter(name, help), {}, value);
}

struct CarrierMetric {
  const char* name;
  const char* help;
  MetricType type;
  double (*value)(const View& carrier, const scheduler::LaneStatus& lane);
};
constexpr auto counted = MetricType::Counter;
constexpr auto measured = MetricType::Gauge;
const CarrierMetric carrier_metrics[] = {
    {"remitod_requests_total", "Requests of polls that were sent to the carrier.", counted,
     [](const View& c, const auto&) { return number(c.counters.requests); }},
    {"remitod_polls_total", "Shipments that the carrier was asked about and answered.", counted,
     [](const View& c, const auto&) { return number(c.counters.polls); }},
    {"remitod_unchanged_polls_total", "Polls whose answer had no news.", counted,
     [](const View& c, const auto&) { return number(c.counters.unchanged); }},
    {"remitod_unmapped_events_total", "Events whose code the carrier's profile does not know.", counted,
     [](const View& c, const auto&) { return number(c.counters.unmapped); }},
    {"remitod_wrong_rows_total", "Parts of answers that could not be understood and were left out.", counted,
     [](const View& c, const auto&) { return number(c.counters.wrong_rows); }},
    {"remitod_missing_shipments_total", "Shipments that were asked for and missing in the answer.", counted,
     [](const View& c, const auto&) { return number(c.counters.missing); }},
    {"remitod_lane_shipments", "Open shipments in the carrier's lane.", measured,
     [](const View&, const auto& lane) { return number(lane.shipments); }},
    {"remitod_lane_due", "Shipments that are due and wait to be asked about.", measured,
     [](const View&, const auto& lane) { return number(lane.due); }},
    {"remitod_lane_in_flight", "Requests under way.", measured,
     [](const View&, const auto& lane) { return number(lane.in_flight); }},
    {"remitod_lane_resync_left", "Shipments marked by hand that were not answered yet.", measured,
     [](const View&, const auto& lane) { return number(lane.resync_left); }},
    {"remitod_reports_waiting_for_commit", "Changed reports that wait for the database.", measured,
     [](const View& c, const auto&) { return number(c.waiting_for_commit); }},
    {"remitod_breaker_open", "1 while the carrier rests after failures, or is being tried again.", measured,
     [](const View&, const auto& lane) { return lane.is_failing() ? 1.0 : 0.0; }},
    {"remitod_failures_in_row", "Failed requests since the last good one.", measured,
     [](const View&, const auto& lane) { return number(lane.failures_in_row); }},
    {"remitod_login_failing", "1 while the carrier does not let us in.", measured,
     [](const View& c, const auto&) { return c.access.login_trouble().empty() ? 0.0 : 1.0; }},
};

void collect_carriers(Families& families, const StatusSources& status) {
  const std::vector<View> carriers = status.poller.carriers();
  std::vector<scheduler::LaneStatus> lanes;
  lanes.reserve(carriers.size());
  for (const View& carrier : carriers) lanes.push_back(carrier.lane.status(status.now));
  const auto name_of = [](const View& carrier) { return Labels{{"carrier", carrier.lane.config().carrier}}; };
  for (const CarrierMetric& metric : carrier_metrics) {
    MetricFamily& family = families.add(metric.name, metric.help, metric.type);
    family.metric.reserve(carriers.size());
    for (std::size_t i = 0; i < carriers.size(); ++i)
      put(family, name_of(carriers[i]), metric.value(carriers[i], lanes[i]));
  }
  MetricFamily& failures =
      families.counter("remitod_failures_total", "Requests and shipments that failed, by the kind of failure.");
  for (const View& carrier : carriers)
    for (const auto& [kind, count] : carrier.counters.failures) {
      Labels labels = name_of(carrier);
      labels.push_back({"kind", kind});
      put(failures, std::move(labels), number(count));
    }
  MetricFamily& held = families.gauge("remitod_lane_held", "1 while this keeps due shipments from being asked about.");
  for (std::size_t i = 0; i < carriers.size(); ++i)
    if (lanes[i].hold.kind != scheduler::Hold::Kind::none) {
      Labels labels = name_of(carriers[i]);
      labels.push_back({"why", std::string(scheduler::name(lanes[i].hold.kind))});
      put(held, std::move(labels), 1);
    }
  MetricFamily& used = families.gauge("remitod_budget_requests_used",
                                      "Requests that an adaptive schedule spent in the last 18 to 24 hours.");
  MetricFamily& left = families.gauge("remitod_budget_requests_left",
                                      "Requests that the schedule's budget allowed in that time and that were not "
                                      "spent; below 0: overspent, which later hours make up for.");
  MetricFamily& quota_left = families.gauge("remitod_quota_requests_left",
                                            "Requests that are left of what the carrier allows in an hour or a day.");
  MetricFamily& quota =
      families.gauge("remitod_quota_requests", "Requests that the carrier allows in an hour or a day.");
  for (std::size_t i = 0; i < carriers.size(); ++i) {
    if (const auto& budget = lanes[i].budget) {
      put(used, name_of(carriers[i]), budget->used);
      if (budget->allowed) put(left, name_of(carriers[i]), *budget->allowed - budget->used);
    }
    for (const scheduler::QuotaLeft& of_period : lanes[i].quotas) {
      Labels labels = name_of(carriers[i]);
      labels.push_back({"period", std::string(scheduler::name(of_period.period))});
      put(quota, labels, number(of_period.requests_max));
      put(quota_left, std::move(labels), number(of_period.left));
    }
  }
  MetricFamily& answered = families.gauge("remitod_last_answer_timestamp_seconds",
                                          "When the carrier last gave an answer that could be read.");
  MetricFamily& sessions = families.gauge("remitod_session_age_seconds", "Time since the login at the carrier.");
  for (const View& carrier : carriers) {
    if (carrier.counters.last_answer_at != Instant{})
      put(answered, name_of(carrier), timestamp(carrier.counters.last_answer_at));
    if (const auto since = carrier.access.logged_in_at())
      put(sessions, name_of(carrier), seconds_of(status.now - *since));
  }
}

void collect_sample(Families& families, const StatusSampler::Sample& sample, Instant now) {
  const db::Overview& overview = sample.rows.overview;
  MetricFamily& open = families.gauge("remitod_open_shipments", "Shipments that are followed, by status.");
  for (const db::CarrierCounts& row : overview.open_shipments)
    put(open, {{"carrier", row.carrier}, {"status", row.status}}, number(row.shipments));
  MetricFamily& requests = families.gauge("remitod_remito_requests", "Remito requests without an end, by state.");
  MetricFamily& oldest =
      families.gauge("remitod_remito_request_oldest_age_seconds", "How long the oldest of these requests has waited.");
  for (const db::OpenRequests& row : sample.rows.open_requests) {
    const Labels labels{{"carrier", row.carrier}, {"state", row.state}};
    put(requests, labels, number(row.requests));
    put(oldest, labels, std::max(0.0, seconds_of(now - row.oldest_requested_at)));
  }
  MetricFamily& unmapped = families.gauge("remitod_unmapped_codes", "Codes that the carrier's profile does not know.");
  for (const db::UnmappedCount& row : sample.unmapped) put(unmapped, {{"carrier", row.carrier}}, number(row.codes));
  MetricFamily& removed =
      families.counter("remitod_retention_removed_rows_total", "Old rows that were taken away, ever.");
  MetricFamily& kept =
      families.gauge("remitod_retention_kept_rows", "Rows of each kind when the last clean-up was done with it.");
  MetricFamily& done =
      families.gauge("remitod_retention_done_timestamp_seconds", "When the last clean-up was done with these rows.");
  for (const db::RetentionResult& row : sample.rows.retention) {
    put(removed, {{"kind", row.kind}}, number(row.removed_ever));
    if (!row.done_at) continue;
    put(kept, {{"kind", row.kind}}, number(row.kept));
    put(done, {{"kind", row.kind}}, timestamp(*row.done_at));
  }
  families.gauge("remitod_transitions_without_seq", "Transitions that nobody was told of yet.",
                 number(overview.transitions_without_seq));
  families.gauge("remitod_last_seq", "The seq of the newest transition.", number(overview.last_seq));
  families.gauge("remitod_database_answer_seconds",
                 "How long the database took for the last reading of these, the wait for its turn included.",
                 std::chrono::duration<double>(sample.took).count());
  families.gauge("remitod_sample_age_seconds", "Age of what the database is said to hold here.",
                 seconds_of(now - sample.at));
}

void collect_sinks(Families& families, const StatusSources& status, const StatusSampler::Sample* sample) {
  MetricFamily& delivered = families.counter("remitod_sink_delivered_total", "Transitions that the receiver took.");
  MetricFamily& failed = families.counter("remitod_sink_failed_total", "Attempts that failed.");
  MetricFamily& in_row = families.gauge("remitod_sink_failures_in_row", "Failed attempts since the last good one.");
  for (const auto& worker : status.sinks.workers()) {
    const Labels labels{{"sink", worker->settings().name}};
    put(delivered, labels, number(worker->counters().delivered));
    put(failed, labels, number(worker->counters().failed));
    put(in_row, labels, number(worker->counters().failures_in_row));
  }
  if (!sample) return;
  MetricFamily& behind = families.gauge("remitod_sink_behind", "Transitions that the receiver does not have yet.");
  MetricFamily& dead = families.gauge("remitod_sink_dead_letters", "Transitions that were given up.");
  MetricFamily& lag = families.gauge("remitod_sink_oldest_waiting_age_seconds",
                                     "Age of the oldest transition that the receiver does not have yet.");
  MetricFamily& disabled = families.gauge("remitod_sink_disabled", "1: the receiver is gone for good (410).");
  for (const db::SinkView& view : sample->rows.sinks) {
    if (!status.sinks.has(view.sink)) continue;
    const Labels labels{{"sink", view.sink}};
    const std::int64_t not_begun = std::max<std::int64_t>(0, sample->rows.overview.last_seq - view.cursor_seq);
    put(behind, labels, number(not_begun + view.waiting));
    put(dead, labels, number(view.dead));
    put(lag, labels, view.oldest_waiting_since ? seconds_of(status.now - *view.oldest_waiting_since) : 0);
    put(disabled, labels, view.disabled_at ? 1 : 0);
  }
}

void collect_daemon(Families& families, const Metrics::Sources& sources) {
  const StatusSources& status = sources.status;
  const RemitoCounters& remitos = status.worker.counters();
  MetricFamily& outcomes = families.counter("remitod_remito_outcomes_total", "How calls for a remito ended.");
  put(outcomes, {{"outcome", "granted"}}, number(remitos.granted));
  put(outcomes, {{"outcome", "refused"}}, number(remitos.refused));
  put(outcomes, {{"outcome", "unknown"}}, number(remitos.unknown));
  put(outcomes, {{"outcome", "unsent"}}, number(remitos.unsent));
  put(outcomes, {{"outcome", "needs_operator"}}, number(remitos.needs_operator));
  families.gauge("remitod_database_up", "1 while the database answers.",
                 sources.sampler.database_answers() && !status.database_trouble ? 1 : 0);
  families.counter("remitod_database_statements_total", "SQL statements that were sent.",
                   number(sources.executor.statements()));
  families.gauge("remitod_database_queue", "Pieces of work that wait for the database.",
                 number(sources.executor.waiting()));
  families.gauge("remitod_orphan_shipments", "Open shipments of carriers that are not configured.",
                 number(status.poller.orphans()));
  MetricFamily& files = families.gauge("remitod_files_failing",
                                       "1 where the last look into a carrier's folder or at its feed failed, or a "
                                       "file cannot be read; nothing where all is well.");
  for (const Trouble& trouble : status.files_trouble) put(files, {{"carrier", trouble.subject}}, 1);
  families.gauge("remitod_resyncs_under_way", "Resyncs asked for by hand that are not finished.",
                 number(status.resync.under_way()));
  families.gauge("remitod_last_reload_success",
                 "0: the last reload was refused, and the configuration before it works.", sources.reload.ok ? 1 : 0);
  families.gauge("remitod_configuration_timestamp_seconds", "Since when the configuration that works has worked.",
                 timestamp(sources.reload.at));
  put(families.gauge("remitod_build_info", "The program that runs."), {{"version", REMITOD_VERSION}}, 1);
}

}  // namespace

void Metrics::detected(std::span<const db::Detection> detections) {
  for (const db::Detection& detection : detections) {
    ++transitions_[{detection.carrier, detection.to}];
    if (!detection.says_when) continue;
    auto& delays = delays_[detection.carrier];
    if (!delays) delays = std::make_unique<prometheus::Histogram>(delay_buckets);
    // Clocks of carriers are fast now and then: nothing is detected before it happened.
    delays->Observe(std::max(0.0, seconds_of(detection.detected_at - detection.occurred_at.value())));
  }
}

std::vector<MetricFamily> Metrics::collect(const Sources& sources) const {
  Families families;
  collect_carriers(families, sources.status);
  MetricFamily& transitions =
      families.counter("remitod_transitions_total", "Transitions since the start, by the status that they lead to.");
  for (const auto& [subject, count] : transitions_)
    put(transitions, {{"carrier", subject.first}, {"to", subject.second}}, number(count));
  MetricFamily& delays =
      families.add("remitod_detection_delay_seconds",
                   "From when a change happened, as the carrier says, to when it was detected.", MetricType::Histogram);
  for (const auto& [carrier, histogram] : delays_) {
    ClientMetric metric = histogram->Collect();
    metric.label = {{"carrier", carrier}};
    delays.metric.push_back(std::move(metric));
  }
  const auto& sample = sources.sampler.last();
  if (sample) collect_sample(families, *sample, sources.status.now);
  collect_sinks(families, sources.status, sample ? &*sample : nullptr);
  collect_daemon(families, sources);
  return families.take();
}

std::string metrics_text(const std::vector<MetricFamily>& families) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace remitod::daemon
