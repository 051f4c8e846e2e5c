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

}  // namespace remitod::carriers
