// The daemon's metrics, for Prometheus. What is counted already is read where it is; only how long transitions took to
// be detected is counted here. No label names a shipment, so that their number grows with the carriers alone. Belongs
// to the deciding thread; spelling them out is any thread's work.
#pragma once

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/status_report.h"
#include "daemon/status_sampler.h"
#include "db/executor.h"
#include "db/gauges.h"

namespace remitod::daemon {

/// What the last SIGHUP came to.
struct LastReload {
  bool ok = true;
  Instant at{};  ///< of the configuration that works now: when it began to
};

class Metrics {
 public:
  void detected(std::span<const db::Detection> detections);

  struct Sources {
    const StatusSources& status;
    const StatusSampler& sampler;
    const db::Executor& executor;
    LastReload reload;
  };
  std::vector<prometheus::MetricFamily> collect(const Sources& sources) const;

 private:
  std::map<std::string, std::unique_ptr<prometheus::Histogram>, std::less<>> delays_;  ///< by carrier
  std::map<std::pair<std::string, std::string>, std::uint64_t> transitions_;           ///< by carrier and status
};

/// Prometheus' text format, and what it is called.
inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";
std::string metrics_text(const std::vector<prometheus::MetricFamily>& families);

}  // namespace remitod::daemon
