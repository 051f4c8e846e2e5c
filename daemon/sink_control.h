// What the control socket answers about sinks: POST /replay, POST /sinks/enable; and what --status says of them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <vector>

#include "daemon/control_server.h"
#include "daemon/sinks.h"
#include "daemon/trouble.h"

namespace remitod::daemon {

/// {"target": "dead|SINK|SINK:SEQ..SEQ"}
void replay_letters(Sinks& sinks, const ControlRequest& request, const ControlServer::Reply& reply);
/// {"sink": "NAME"}
void enable_sink(Sinks& sinks, const ControlRequest& request, const ControlServer::Reply& reply);

/// One entry for each sink that is configured. `views` is null while the database does not answer.
nlohmann::json sinks_report(const Sinks& sinks, const std::vector<db::SinkView>* views, std::int64_t last_seq);
/// What a person should look at.
std::vector<Trouble> sinks_trouble(const Sinks& sinks, const std::vector<db::SinkView>* views);

}  // namespace remitod::daemon
