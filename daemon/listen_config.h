// The table [listen] of remitod.toml: where the listener is, and who may do what there.
#pragma once

#include <string>
#include <vector>

namespace remitod::carriers {
class TableReader;
}

namespace remitod::daemon {

struct ListenConfig {
  std::string address;  ///< "127.0.0.1:9470" or a socket's path; empty: only at a socket that systemd passes
  std::string token;    ///< "credential:NAME" or "file:PATH" of it; empty: nobody may do anything but look
  int token_line = 0;
  std::vector<std::string> names;  ///< by which browsers reach it, besides localhost and addresses
};

/// Reports what is wrong.
ListenConfig read_listen(carriers::TableReader& root);

/// Or nothing: what is wrong with a token. It goes into a header, and nobody must guess it.
std::string token_problem(const std::string& token);

}  // namespace remitod::daemon
