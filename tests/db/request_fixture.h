// What the tests of the remito queue share: rows as a platform inserts them, and the daemon's steps in one word each.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/db/store_fixture.h"

namespace remitod::test {

inline constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + std::chrono::hours{12};

class RequestStoreTest : public StoreTest {
 protected:
  struct Row {
    std::string order = "1001";
    std::string carrier = "oca";
    int parcel_group = 1;
    std::string key = {};  ///< empty: one that nobody else has
    std::string payload = R"({"notes": "it''s fragile"})";
  };
  static std::string insert(const Row& row) {
    static int keys = 0;
    const std::string key = row.key.empty() ? "key-" + std::to_string(++keys) : row.key;
    return "insert into remito_requests (request_key, order_number, parcel_group, carrier, payload) values ('" + key +
           "', '" + row.order + "', " + std::to_string(row.parcel_group) + ", '" + row.carrier + "', '" + row.payload +
           "');";
  }
  void ask(const Row& row) { sql(insert(row)); }

  std::size_t accept(Instant now = noon, std::size_t limit = 100) {
    return run<std::size_t>([=](db::Session& at) { return db::accept_new_requests(at, now, limit); });
  }
  std::vector<db::RemitoRequest> claim(std::vector<std::string> carriers = {"oca"}, Instant now = noon,
                                       std::size_t limit = 100) {
    return run<std::vector<db::RemitoRequest>>(
        [=](db::Session& at) { return db::claim_requests(at, carriers, now, now + std::chrono::minutes{2}, limit); });
  }
  /// Inserted, accepted and claimed.
  db::RemitoRequest claimed(const Row& row) {
    ask(row);
    accept();
    return claim({row.carrier}).at(0);
  }
  static db::RequestOutcome outcome(const db::RemitoRequest& request, db::RequestOutcome::Kind kind) {
    db::RequestOutcome result;
    result.request_id = request.request_id;
    result.fencing_token = request.fencing_token;
    result.kind = kind;
    return result;
  }
  static db::RequestOutcome granted(const db::RemitoRequest& request, const std::string& remito) {
    db::RequestOutcome result = outcome(request, db::RequestOutcome::Kind::granted);
    result.remito = remito;
    result.request_hash = "hash";
    return result;
  }
  static db::RequestOutcome refused(const db::RemitoRequest& request, const std::string& text) {
    db::RequestOutcome result = outcome(request, db::RequestOutcome::Kind::refused);
    result.code = "17";
    result.text = text;
    return result;
  }
  std::vector<db::SettledRequest> settle(std::vector<db::RequestOutcome> outcomes, Instant now = noon) {
    return run<std::vector<db::SettledRequest>>(
        [=](db::Session& at) { return db::settle_requests(at, outcomes, now); });
  }
  std::vector<db::Transition> dispatch(std::size_t limit = 100) {
    return run<std::vector<db::Transition>>([=](db::Session& at) { return db::dispatch_transitions(at, noon, limit); });
  }
  std::vector<db::RequestView> view(const std::string& order = "1001") {
    return run<std::vector<db::RequestView>>([=](db::Session& at) { return db::view_requests(at, order); });
  }
};

}  // namespace remitod::test
