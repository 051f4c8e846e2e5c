#include "tests/support/virtual_database.h"

#include <stdexcept>
#include <utility>

namespace remitod::test {
namespace {

template <class T>
T value_of(db::DbResult<T> result) {
  if (!result) throw std::runtime_error(std::string(db::name(result.error().kind)) + ": " + result.error().message);
  return std::move(*result);
}

}  // namespace

VirtualDatabase::VirtualDatabase() {
  const auto url = db::DatabaseUrl::parse("sqlite:" + (folder_.path() / "remitod.db").string());
  DeniedCommits::notice_connections();
  own_ = value_of(db::OwnSession::open(url.value()));
  commits_.emplace();
  // What survives here is what was committed, not what a power cut would leave: no need to wait for the disk.
  session().run_script("pragma synchronous = off");
  value_of(own_->transact<int>([](db::Session& session) { return db::migrate(session); }));
}

void VirtualDatabase::sql(const std::string& script) {
  value_of(own_->transact<bool>([&](db::Session& session) -> db::DbResult<bool> {
    session.run_script(script);
    return true;
  }));
}

std::int64_t VirtualDatabase::number(const std::string& query) {
  std::int64_t result = 0;
  if (!session().query_row(db::Sql{query.c_str()}, {}, {&result})) throw std::runtime_error("no row: " + query);
  return result;
}

std::string VirtualDatabase::text(const std::string& query) {
  std::string result;
  if (!session().query_row(db::Sql{query.c_str()}, {}, {&result})) throw std::runtime_error("no row: " + query);
  return result;
}

void VirtualExecutor::fail(int works, db::DbError::Kind kind) {
  failures_left_ = works;
  error_ = {kind, "", "injected trouble"};
}

void VirtualExecutor::enqueue(RawWork work) {
  ++works_;
  runtime_.after(latency_, [this, work = std::move(work)]() mutable {
    const bool fails = failures_left_ != 0;
    if (failures_left_ > 0) --failures_left_;
    runtime_.post(fails ? work(nullptr, &error_) : work(&database_.session(), nullptr));
  });
}

}  // namespace remitod::test
