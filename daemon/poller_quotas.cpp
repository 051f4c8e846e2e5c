// Requests of an hour and of a day are reserved in the database before they are sent: what the lane asks for is done
// there, and the lane told.

#include <optional>
#include <string>
#include <vector>

#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/poller_carrier.h"
#include "db/quota_store.h"

namespace remitod::daemon {
namespace {

using scheduler::QuotaPeriod;
using scheduler::QuotaRecord;
using scheduler::QuotaWork;

db::RequestQuota to_row(const QuotaRecord& record) {
  db::RequestQuota row{std::string(scheduler::name(record.period)), record.revision, {}};
  for (const scheduler::QuotaSlot& slot : record.slots) row.slots.push_back({slot.from, slot.requests});
  return row;
}

QuotaRecord to_record(const db::RequestQuota& row) {
  const bool is_hour = row.period == scheduler::name(QuotaPeriod::hour);
  QuotaRecord record{is_hour ? QuotaPeriod::hour : QuotaPeriod::day, row.revision, {}};
  for (const db::RequestQuota::Slot& slot : row.slots) record.slots.push_back({slot.from, slot.requests});
  return record;
}

template <class From, class To>
std::vector<To> each(const std::vector<From>& all, To (*convert)(const From&)) {
  std::vector<To> result;
  result.reserve(all.size());
  for (const From& one : all) result.push_back(convert(one));
  return result;
}

}  // namespace

void Poller::keep_quotas(Carrier& carrier) {
  if (stopping_) return;
  std::optional<QuotaWork> work = carrier.lane.quota_work(runtime_.now());
  if (!work) return;
  if (work->kind == QuotaWork::Kind::load) return load_quotas(carrier);
  executor_.run<bool>([name = carrier.name, rows = each(work->records, to_row), now = runtime_.now()](
                          db::Session& session) { return db::save_request_quotas(session, name, rows, now); },
                      [this, &carrier](const db::DbResult<bool>& reserved) {
                        if (!reserved)
                          quota_failed(carrier, reserved.error());
                        else if (*reserved)
                          carrier.lane.quota_reserved();
                        else
                          carrier.lane.quota_conflicted(runtime_.now());
                        wake(carrier);
                      });
}

void Poller::load_quotas(Carrier& carrier) {
  using Rows = std::vector<db::RequestQuota>;
  executor_.run<Rows>([name = carrier.name](db::Session& session) { return db::load_request_quotas(session, name); },
                      [this, &carrier](const db::DbResult<Rows>& rows) {
                        if (rows)
                          carrier.lane.quota_loaded(each(*rows, to_record), runtime_.now());
                        else
                          quota_failed(carrier, rows.error());
                        wake(carrier);
                      });
}

// Nothing goes out that is not reserved: the carrier waits for the database.
void Poller::quota_failed(Carrier& carrier, const db::DbError& error) {
  log(Level::error, "quota_not_reserved", {{"carrier", carrier.name}, {"error", error.message}});
  carrier.lane.quota_failed(runtime_.now());
}

}  // namespace remitod::daemon
