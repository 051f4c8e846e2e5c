// One GET of a server on this machine.
#pragma once

#include <string>

namespace remitod::test {

/// The body of http://127.0.0.1:PORT + target. Throws where the answer is not 200.
std::string http_get(int port, const std::string& target);

}  // namespace remitod::test
