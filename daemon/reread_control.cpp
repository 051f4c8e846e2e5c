#include "daemon/reread_control.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "daemon/control_body.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

json transition_report(const db::PreviewedTransition& transition) {
  return {{"remito", transition.remito},
          {"from", name(transition.from)},
          {"to", name(transition.to)},
          {"label", label(transition.to)},
          {"occurred_at", transition.occurred_at ? json(to_iso8601(*transition.occurred_at)) : json(nullptr)},
          {"late", transition.late}};
}

}  // namespace

void begin_reread(Reread& reread, const ControlRequest& request, const ControlServer::Reply& reply) {
  const auto wanted = parse_control_body(request.body, {"carrier"}, {"since", "dry_run"});
  if (!wanted) return reply(control_failure(400, wanted.error()));
  const std::string& carrier = wanted->text("carrier");
  if (!reread.has(carrier)) return reply(control_failure(400, "no carrier \"" + carrier + "\" is configured"));
  reread.begin(carrier, wanted->since, wanted->dry_run, [reply, carrier](const Reread::Begun& begun) {
    if (!begun) return reply(control_failure(503, begun.error()));
    reply({200, json{{"reread_id", *begun}, {"carrier", carrier}}.dump()});
  });
}

void reread_progress(const Reread& reread, const ControlRequest& request, const ControlServer::Reply& reply) {
  std::int64_t reread_id = 0;
  const auto id = request.query.find("id");
  if (id != request.query.end()) std::from_chars(id->second.data(), id->second.data() + id->second.size(), reread_id);
  const auto progress = reread.progress(reread_id);
  if (!progress) return reply(control_failure(404, "no such reread; the daemon may have been started again since"));
  json report{{"reread_id", progress->reread_id},
              {"carrier", progress->carrier},
              {"dry_run", progress->dry_run},
              {"answers", progress->answers},
              {"done", progress->done},
              {"unread", progress->unread},
              {"not_whole", progress->not_whole},
              {"new_events", progress->new_events},
              {"updated_events", progress->updated_events},
              {"still_unmapped", progress->still_unmapped},
              {"transitions", progress->transitions},
              {"finished", progress->finished},
              {"error", progress->error}};
  if (progress->dry_run) {
    report["would_tell"] = json::array();
    for (const db::PreviewedTransition& transition : progress->listed)
      report["would_tell"].push_back(transition_report(transition));
  }
  reply({200, report.dump(-1, ' ', false, json::error_handler_t::replace)});
}

}  // namespace remitod::daemon
