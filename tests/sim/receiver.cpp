#include "tests/sim/receiver.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "tests/sim/trace.h"
#include "tests/support/virtual_wire.h"

namespace remitod::sim {

std::optional<carriers::FetchResult> Receiver::receive(const carriers::HttpRequest& letter) {
  using carriers::FetchError;
  if (away_) return test::fetch_error(FetchError::Kind::connect, true);
  double fate = calm_ ? 1 : dice_.share();
  const auto happens = [&](double chance) {
    fate -= chance;
    return fate < 0;
  };
  if (happens(faults_.error)) return test::http_answer(503, "", "text/plain");
  if (happens(faults_.throttled)) {
    auto answer = test::http_answer(429, "", "text/plain");
    answer->retry_after = std::chrono::seconds{dice_.between(1, 120)};
    return answer;
  }
  const bool hangs = happens(faults_.hangs);
  if (!hangs || dice_.chance(0.5)) take(letter.body);
  if (hangs) return std::nullopt;
  if (happens(faults_.error_after)) return test::http_answer(500, "", "text/plain");
  return test::http_answer(204, "", "");
}

// Letters come at least once, and those of one order in their order: what is new has a higher seq than what is known.
void Receiver::take(const std::string& body) {
  const auto event = nlohmann::json::parse(body);
  const std::int64_t id = std::stoll(event.at("id").get<std::string>());
  const auto seq = event.at("data").at("seq").get<std::int64_t>();
  const auto key = event.at("partitionkey").get<std::string>();
  if (!taken_.insert(id).second) return;
  std::int64_t& last = last_seq_[key];
  if (seq <= last)
    broken("receiver_order",
           "order " + key + " was told seq " + std::to_string(seq) + " after " + std::to_string(last));
  last = seq;
}

}  // namespace remitod::sim
