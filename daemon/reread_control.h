// What the control socket answers about reading kept answers again: POST /reread, GET /reread?id=N.
#pragma once

#include "daemon/control_server.h"
#include "daemon/reread.h"

namespace remitod::daemon {

/// {"carrier": "...", "since": "...", "dry_run": false}
void begin_reread(Reread& reread, const ControlRequest& request, const ControlServer::Reply& reply);
void reread_progress(const Reread& reread, const ControlRequest& request, const ControlServer::Reply& reply);

}  // namespace remitod::daemon
