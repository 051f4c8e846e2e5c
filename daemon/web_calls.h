// What the listener's calls are answered, once the gate has let them in. Runs on the deciding thread. What the control
// socket has too is answered by the same handlers; the overview is taken from a sample (status_sampler.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/activity_log.h"
#include "daemon/control_handlers.h"
#include "daemon/metrics.h"
#include "daemon/status_sampler.h"
#include "daemon/web_listener.h"

namespace remitod::daemon {

class WebCalls {
 public:
  struct Parts {
    ControlHandlers handlers;
    db::Executor& executor;
    const Poller& poller;
    const StatusSampler& sampler;
    const Metrics& metrics;
    const ActivityLog& activity;
    /// Why the daemon does not do its work (yet, or any more), the database aside; empty: it does.
    std::function<std::vector<std::string>()> not_working;
    std::function<LastReload()> last_reload;
  };
  explicit WebCalls(Parts parts) : parts_(std::move(parts)), lookups_(std::make_shared<std::size_t>(0)) {}
  void operator()(const WebRequest& request, const WebListener::Reply& reply) const;

 private:
  WebAnswer readiness() const;
  WebAnswer overview() const;
  WebAnswer metrics() const;
  WebAnswer activity(const WebRequest& request) const;
  // These ask the database: so many at a time.
  void find(const WebRequest& request, const WebListener::Reply& reply) const;
  void answers(const WebRequest& request, const WebListener::Reply& reply) const;
  bool may_look_up(const WebListener::Reply& reply) const;

  Parts parts_;
  std::shared_ptr<std::size_t> lookups_;  ///< calls that are with the database
};

}  // namespace remitod::daemon
