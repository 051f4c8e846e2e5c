// What people decide about remito requests reaches the order as if the carrier had answered.
#include <utility>

#include "daemon/log.h"
#include "daemon/remito_worker.h"

namespace remitod::daemon {

void RemitoWorker::settle_by_operator(db::OperatorSettlement settlement,
                                      std::move_only_function<void(OperatorResult)> done) {
  using Settled = std::expected<db::OperatorSettled, db::NotSettled>;
  executor_.run<Settled>([settlement, now = runtime_.now()](
                             db::Session& session) { return db::settle_by_operator(session, settlement, now); },
                         [this, by = settlement.operator_name, done = std::move(done)](OperatorResult result) mutable {
                           if (result && *result) {
                             const db::OperatorSettled& settled = **result;
                             log(Level::warning, "remito_settled_by_operator",
                                 {{"carrier", settled.request.carrier},
                                  {"order", settled.request.order_number},
                                  {"request_id", settled.request.request_id},
                                  {"request_key", settled.request.request_key},
                                  {"state", settled.request.state},
                                  {"remito", settled.request.remito},
                                  {"operator", by},
                                  {"action", settled.request.operator_action}});
                             if (settled.shipment) hooks_.shipment_granted(*settled.shipment);
                             hooks_.transitions_written();
                             wake();
                           }
                           done(std::move(result));
                         });
}

}  // namespace remitod::daemon
