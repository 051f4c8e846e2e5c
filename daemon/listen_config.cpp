#include "daemon/listen_config.h"

#include <algorithm>

#include "carriers/table_reader.h"
#include "daemon/web_listener.h"

namespace remitod::daemon {
namespace {

constexpr std::size_t token_bytes_min = 16, token_bytes_max = 512;

bool is_visible_ascii(char c) {
  return c > ' ' && c <= '~';
}

}  // namespace

ListenConfig read_listen(carriers::TableReader& root) {
  ListenConfig listen;
  auto reader = root.table("listen");
  if (!reader) return listen;
  listen.address = reader->text("address").value_or("");
  const auto local = is_local_address(listen.address);
  if (!listen.address.empty() && !local)
    reader->error("address", R"(expected an address and a port such as "127.0.0.1:9470", or the path of a socket)");
  listen.token = reader->text("token").value_or("");
  listen.token_line = reader->line_of("token");
  if (local == false && listen.token.empty())
    reader->error("token", "is missing: other machines reach this address, so it answers only who knows a token");
  listen.names = reader->texts("names");
  reader->refuse_other_keys();
  return listen;
}

std::string token_problem(const std::string& token) {
  if (token.size() < token_bytes_min) return "is shorter than 16 characters: openssl rand -hex 24 makes one";
  if (token.size() > token_bytes_max) return "is longer than 512 characters";
  if (!std::ranges::all_of(token, is_visible_ascii)) return "has blanks or other characters that no header can hold";
  return "";
}

}  // namespace remitod::daemon
