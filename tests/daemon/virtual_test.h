// What the tests on the virtual clock share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "tests/support/virtual_daemon.h"

namespace remitod::test {

using namespace std::chrono_literals;

/// In no stretch of time more than rate * time + burst requests.
inline void expect_rate(std::span<const SentRequest> sent, double per_second) {
  const double burst = std::max(1.0, per_second);
  for (std::size_t first = 0; first < sent.size(); ++first)
    for (std::size_t last = first; last < std::min(first + 500, sent.size()); ++last) {
      const double seconds = std::chrono::duration<double>(sent[last].at - sent[first].at).count();
      const auto requests = static_cast<double>(last - first + 1);
      ASSERT_LE(requests, per_second * seconds + burst + 1e-6)
          << "from " << to_iso8601(sent[first].at) << " to " << to_iso8601(sent[last].at);
    }
}

inline std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

/// An answer whose body is changed.
inline carriers::FetchResult with_body(carriers::FetchResult answer, std::string body) {
  answer->body = std::move(body);
  return answer;
}

}  // namespace remitod::test
