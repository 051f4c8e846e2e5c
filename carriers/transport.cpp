#include "carriers/transport.h"

#include <cstdlib>

#include "carriers/tracking.h"

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

void compare(std::string_view body, const KnownBody& known, HttpAnswer& answer) {
  answer.fingerprint =
      known.volatile_spans ? steady_fingerprint(body, *known.volatile_spans) : remitod::fingerprint(body);
  answer.known =
      answer.status == 200 && known.fingerprint != 0 && ((known.fingerprint ^ answer.fingerprint) << 20) == 0;
}

}  // namespace remitod::carriers
