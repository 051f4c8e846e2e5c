// What the control socket answers about remito requests: POST /settle, POST /requests, POST /requests/view.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

#include "daemon/control_server.h"
#include "daemon/intake.h"
#include "daemon/remito_worker.h"
#include "db/executor.h"
#include "db/stores.h"

namespace remitod::daemon {

/// {"request": "KEY or id", "by": "NAME"} and one of "adopt": "REMITO", "refuse": "WHY", "resend": true.
void settle_request(RemitoWorker& worker, const ControlRequest& request, const ControlServer::Reply& reply);
/// {"requests": [{"request_key": ..., ...}]}: inserts them, and tells of each whether it is new.
void insert_requests(db::Executor& executor, Intake& intake, Instant now, const ControlRequest& request,
                     const ControlServer::Reply& reply);
/// {"keys": [...]}: what became of each.
void view_requests(db::Executor& executor, const ControlRequest& request, const ControlServer::Reply& reply);

/// The Spanish label of a request's state; empty for any other word.
std::string_view request_label(std::string_view state);
nlohmann::json request_report(const db::RequestView& view);
/// What to type about a request that needs a person, with what is known of it.
std::string settle_hint(const db::RequestView& view);

}  // namespace remitod::daemon
