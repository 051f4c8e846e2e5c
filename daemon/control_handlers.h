// What the control socket answers: GET /status, GET /explain, POST /resync, GET /resync, POST /try, POST /settle,
// POST /requests, POST /replay, POST /reread and the rest that README.md of this folder lists.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/control_server.h"
#include "daemon/intake.h"
#include "daemon/outbox.h"
#include "daemon/poller.h"
#include "daemon/remito_worker.h"
#include "daemon/reread.h"
#include "daemon/resync.h"
#include "daemon/runtime.h"
#include "daemon/sinks.h"
#include "daemon/status_report.h"
#include "daemon/try_carrier.h"

namespace remitod::daemon {

/// A ControlServer::Handler.
class ControlHandlers {
 public:
  struct Parts {
    Runtime& runtime;
    db::Executor& executor;
    Poller& poller;
    RemitoWorker& worker;
    const Outbox& outbox;
    const Resync& resync;
    Intake& intake;
    CarrierTrials& trials;
    Sinks& sinks;
    Reread& reread;
    std::string engine;
    Instant started_at;
    std::function<std::optional<Trouble>()> listener_trouble = [] { return std::nullopt; };
    std::function<std::vector<Trouble>()> files_trouble = [] { return std::vector<Trouble>{}; };
  };
  explicit ControlHandlers(Parts parts)
      : parts_(std::make_shared<const Parts>(std::move(parts))), readers_(std::make_shared<StatusReaders>()) {}
  void operator()(const ControlRequest& request, const ControlServer::Reply& reply) const;

  /// What a status report is made of, beside what the database says.
  StatusSources sources() const;
  /// Somebody wanted the database, and it did not answer.
  bool database_trouble() const;

 private:
  struct StatusReader {
    ControlServer::Reply reply;  ///< empty once it was called: it holds the connection
    std::unique_ptr<Alarm> patience;
  };
  struct StatusReaders {
    std::vector<std::shared_ptr<StatusReader>> waiting;
    bool reading = false;
  };
  void status(const ControlServer::Reply& reply) const;
  void answer_status(StatusReader& reader, const StatusRows* rows) const;
  void read_status() const;
  void shipments(const std::string& target, const ControlServer::Reply& reply) const;
  void forget(const ControlRequest& request, const ControlServer::Reply& reply) const;
  void explain(const std::string& target, const ControlServer::Reply& reply) const;
  void resync(const ControlRequest& request, const ControlServer::Reply& reply) const;
  void try_carrier(const ControlRequest& request, const ControlServer::Reply& reply) const;
  void resync_progress(const ControlRequest& request, const ControlServer::Reply& reply) const;

  std::shared_ptr<const Parts> parts_;
  std::shared_ptr<StatusReaders> readers_;
};

}  // namespace remitod::daemon
