// Something that a person should look at, as --status says it and as the page says it in two languages.
#pragma once

#include <cstdint>
#include <string>

namespace remitod::daemon {

struct Trouble {
  std::string kind;  ///< "database", "login", "carrier", "needs_operator", "sink_disabled", ...: one of each sentence
  std::string subject;     ///< the carrier, the sink or the listener's address; or empty
  std::string why;         ///< in the words of whoever told; or empty
  std::int64_t count = 0;  ///< how many; of "needs_operator": which request
  std::string text;        ///< all of it, in English
};

}  // namespace remitod::daemon
