// What the control socket answers: GET /status, POST /resync, GET /resync. README.md of this folder lists them.
#pragma once

#include <memory>
#include <string>

#include "daemon/control_server.h"
#include "daemon/intake.h"
#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/remito_worker.h"
#include "daemon/resync.h"
#include "daemon/runtime.h"

namespace remitod::daemon {

/// A ControlServer::Handler.
class ControlHandlers {
 public:
  struct Parts {
    const Runtime& runtime;
    db::Executor& executor;
    const Poller& poller;
    const RemitoWorker& worker;
    const Outbox& outbox;
    const Resync& resync;
    Intake& intake;
    std::string engine;
    Instant started_at;
  };
  explicit ControlHandlers(Parts parts) : parts_(std::make_shared<const Parts>(std::move(parts))) {}
  void operator()(const ControlRequest& request, const ControlServer::Reply& reply) const;

 private:
  void status(const ControlServer::Reply& reply) const;
  void shipments(const std::string& target, const ControlServer::Reply& reply) const;
  void resync(const ControlRequest& request, const ControlServer::Reply& reply) const;
  void resync_progress(const ControlRequest& request, const ControlServer::Reply& reply) const;

  std::shared_ptr<const Parts> parts_;
};

}  // namespace remitod::daemon
