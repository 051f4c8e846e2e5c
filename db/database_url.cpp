#include <libpq-fe.h>

#include <map>
#include <memory>

#include "db/executor.h"

namespace remitod::db {
namespace {

/// key='value', as libpq reads it back whatever the value holds.
void append_option(std::string& text, std::string_view key, std::string_view value) {
  if (!text.empty()) text += ' ';
  text.append(key).append("='");
  for (const char character : value) {
    if (character == '\'' || character == '\\') text += '\\';
    text += character;
  }
  text += '\'';
}

/// What libpq made of the text, plus what we want where the text says nothing: a server that went away is noticed in
/// half a minute, not in hours.
std::expected<std::string, std::string> postgresql_connect(const std::string& text) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(text.c_str(), &message),
                                                                             &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(message, &PQfreemem);
  if (!options) return std::unexpected(message ? std::string(message) : std::string("out of memory"));
  std::map<std::string, std::string, std::less<>> wanted{
      {"application_name", "remitod"}, {"client_encoding", "UTF8"},  {"connect_timeout", "10"},
      {"keepalives_idle", "15"},       {"keepalives_interval", "5"}, {"keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
  };
  for (const PQconninfoOption* option = options.get(); option->keyword; ++option)
    if (option->val) wanted.insert_or_assign(option->keyword, option->val);
  std::string connect;
  for (const auto& [key, value] : wanted) append_option(connect, key, value);
  return connect;
}

}  // namespace

std::expected<DatabaseUrl, std::string> DatabaseUrl::parse(std::string_view url) {
  constexpr std::string_view sqlite = "sqlite:";
  constexpr std::string_view postgresql = "postgresql:";
  if (url.starts_with(sqlite)) {
    const std::string_view path = url.substr(sqlite.size());
    if (path.empty()) return std::unexpected("sqlite: wants the path of a file");
    if (path.contains('"')) return std::unexpected("the path of a SQLite file must not hold a double quote");
    return DatabaseUrl{Engine::sqlite, std::string(path)};
  }
  if (url.starts_with("postgresql://") || url.starts_with("postgres://") || url.starts_with(postgresql)) {
    const bool is_uri = url.starts_with("postgresql://") || url.starts_with("postgres://");
    auto connect = postgresql_connect(std::string(is_uri ? url : url.substr(postgresql.size())));
    if (!connect) return std::unexpected(std::move(connect.error()));
    return DatabaseUrl{Engine::postgresql, std::move(*connect)};
  }
  return std::unexpected("a database is sqlite:PATH or postgresql://USER@HOST/NAME");
}

}  // namespace remitod::db
