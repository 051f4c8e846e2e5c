#include "carriers/transport.h"

#include <cstdlib>

namespace remitod::carriers {

std::string_view name(FetchError::Kind kind) {
  switch (kind) {
    case FetchError::Kind::resolve:
      return "resolve";
    case FetchError::Kind::connect:
      return "connect";
    case FetchError::Kind::tls:
      return "tls";
    case FetchError::Kind::timeout:
      return "timeout";
    case FetchError::Kind::transport:
      return "transport";
    case FetchError::Kind::too_large:
      return "too_large";
    case FetchError::Kind::refused:
      return "refused";
    case FetchError::Kind::stopped:
      return "stopped";
  }
  std::abort();
}

void leave_out_known_body(std::uint64_t known_fingerprint, HttpAnswer& answer) {
  answer.known =
      answer.status == 200 && known_fingerprint != 0 && ((known_fingerprint ^ answer.fingerprint) << 20) == 0;
  if (answer.known) answer.body.clear();
}

}  // namespace remitod::carriers
