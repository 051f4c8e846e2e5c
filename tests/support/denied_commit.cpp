#include "tests/support/denied_commit.h"

#include <stdexcept>

namespace remitod::test {
namespace {

constexpr int checkpoint_pages = 1000;  // as SQLite does by itself where nobody else listens to commits

sqlite3* last_opened = nullptr;

int note_opened(sqlite3* connection, char**, const sqlite3_api_routines*) {
  last_opened = connection;
  return SQLITE_OK;
}

}  // namespace

void DeniedCommits::notice_connections() {
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(&note_opened));
}

DeniedCommits::DeniedCommits() : connection_(last_opened) {
  if (!connection_) throw std::runtime_error("no connection was noticed");
  sqlite3_wal_hook(connection_, &DeniedCommits::committed, this);
}

int DeniedCommits::committed(void* denied_commits, sqlite3* connection, const char* schema, int pages) {
  auto& self = *static_cast<DeniedCommits*>(denied_commits);
  if (pages >= checkpoint_pages)
    sqlite3_wal_checkpoint_v2(connection, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (self.left_ == 0) return SQLITE_OK;
  --self.left_;
  ++self.denied_;
  // The statement that committed fails with this; what it committed stays.
  return SQLITE_IOERR;
}

}  // namespace remitod::test
