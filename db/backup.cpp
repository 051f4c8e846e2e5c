#include "db/backup.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace remitod::db {
namespace {

namespace fs = std::filesystem;

std::unexpected<DbError> failure(DbError::Kind kind, std::string message) {
  return std::unexpected(DbError{kind, "", std::move(message)});
}
std::unexpected<DbError> disk_failure(const std::string& what, const fs::path& file) {
  return failure(DbError::Kind::disk, what + " " + file.string() + ": " + std::strerror(errno));
}

/// is_unusable_file().
std::unexpected<DbError> damage(std::string message) {
  return std::unexpected(DbError{DbError::Kind::disk, std::to_string(SQLITE_CORRUPT), std::move(message)});
}

class ReadOnlyDatabase {
 public:
  static DbResult<ReadOnlyDatabase> open(const fs::path& file, std::chrono::seconds busy_timeout) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    ReadOnlyDatabase database(opened);
    if (code != SQLITE_OK)
      return failure(DbError::Kind::connection, "cannot open " + file.string() + ": " + sqlite3_errstr(code));
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(busy_timeout);
    sqlite3_busy_timeout(opened, static_cast<int>(timeout.count()));
    return database;
  }

  /// The first column of the first row, as text; empty where there is none. `parameter` is the statement's only one.
  DbResult<std::string> run(const char* sql, const std::string* parameter = nullptr) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql, -1, &raw, nullptr) != SQLITE_OK) return error();
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(raw, &sqlite3_finalize);
    if (parameter) sqlite3_bind_text(raw, 1, parameter->c_str(), -1, SQLITE_TRANSIENT);
    const int code = sqlite3_step(raw);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return error();
    if (code == SQLITE_DONE) return std::string{};
    const unsigned char* const text = sqlite3_column_text(raw, 0);
    return text ? std::string(reinterpret_cast<const char*>(text)) : std::string{};
  }

 private:
  explicit ReadOnlyDatabase(sqlite3* database) : database_(database, &sqlite3_close_v2) {}
  std::unexpected<DbError> error() const {
    const int code = sqlite3_errcode(database_.get()) & 0xff;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return damage(sqlite3_errmsg(database_.get()));
    const bool is_busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    return failure(is_busy ? DbError::Kind::busy : DbError::Kind::disk, sqlite3_errmsg(database_.get()));
  }

  std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> database_;
};

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Removes the unfinished copy, unless it got its name.
class Unfinished {
 public:
  explicit Unfinished(fs::path file) : file_(std::move(file)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!file_.empty()) fs::remove(file_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const fs::path& file() const { return file_; }
  void keep() { file_.clear(); }

 private:
  fs::path file_;
};

DbResult<void> sync(const fs::path& path, int flags) {
  const Descriptor opened(::open(path.c_str(), flags | O_CLOEXEC));
  if (opened.get() < 0 || ::fsync(opened.get()) != 0) return disk_failure("cannot sync", path);
  return {};
}

/// Reads every page.
DbResult<void> check_soundness(ReadOnlyDatabase& database) {
  const auto sound = database.run("pragma integrity_check(1)");
  if (!sound) return std::unexpected(sound.error());
  if (*sound != "ok") return damage(*sound);
  const auto stray = database.run("pragma foreign_key_check");
  if (!stray) return std::unexpected(stray.error());
  if (!stray->empty()) return damage("table " + *stray + " refers to rows that are not there");
  return {};
}

/// What is damaged in the copy is so in the database, unless it is sound: then the disk of the copy has failed.
DbResult<void> check(ReadOnlyDatabase& copy, ReadOnlyDatabase& database) {
  const auto sound = check_soundness(copy);
  if (sound || !is_unusable_file(sound.error())) return sound;
  if (auto source = check_soundness(database); !source) return source;
  return failure(DbError::Kind::disk, "the copy is damaged, and the database is not: " + sound.error().message);
}

DbResult<int> schema_version(ReadOnlyDatabase& copy) {
  const auto version = copy.run("select max(version) from schema_migrations");
  if (!version || version->empty())
    return failure(DbError::Kind::connection, "this is no database of remitod: it has no schema version");
  return std::stoi(*version);
}

/// A copy that took this name would be the end of the database.
bool is_of_database(const fs::path& file, const std::string& database) {
  std::error_code ignored;
  const std::string real = fs::canonical(database, ignored).string();  // beside which SQLite has the others
  for (const char* ending : {"", "-wal", "-shm", "-journal", ".lock"})
    if (fs::equivalent(file, real + ending, ignored)) return true;
  return false;
}

/// Copies to `name`, an empty file. Returns the copy's schema version.
DbResult<int> copy_whole(ReadOnlyDatabase& source, const std::string& name) {
  if (const auto copied = source.run("vacuum into ?1", &name); !copied) return std::unexpected(copied.error());
  auto copy = ReadOnlyDatabase::open(name, std::chrono::seconds{1});
  if (!copy) return std::unexpected(copy.error());
  if (const auto sound = check(*copy, source); !sound) return std::unexpected(sound.error());
  return schema_version(*copy);
}

}  // namespace

DbResult<Backup> back_up_sqlite(const DatabaseUrl& url, const fs::path& file, std::chrono::seconds busy_timeout) {
  if (is_of_database(file, url.connect))
    return failure(DbError::Kind::constraint, file.string() + " is the database itself, or belongs to it");
  auto source = ReadOnlyDatabase::open(url.connect, busy_timeout);
  if (!source) return std::unexpected(source.error());
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  // SQLite writes into an empty file that is there already, and leaves its rights as they are.
  std::string name = (folder / (file.filename().string() + ".XXXXXX")).string();
  const Descriptor made(::mkostemp(name.data(), O_CLOEXEC));
  if (made.get() < 0) return disk_failure("cannot make a file in", folder);
  Unfinished copy(name);

  auto version = copy_whole(*source, name);
  if (!version && is_unusable_file(version.error()))
    version.error().message = "the database " + url.connect + " is damaged: " + version.error().message;
  if (!version) return std::unexpected(version.error());
  if (auto synced = sync(copy.file(), O_RDONLY); !synced) return std::unexpected(synced.error());
  if (::rename(copy.file().c_str(), file.c_str()) != 0) return disk_failure("cannot rename the copy to", file);
  copy.keep();
  if (auto synced = sync(folder, O_RDONLY | O_DIRECTORY); !synced) return std::unexpected(synced.error());
  std::error_code ignored;
  return Backup{fs::file_size(file, ignored), *version};
}

std::string pg_dump_command(const DatabaseUrl& url, const fs::path& file) {
  const auto quoted = [](const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
    return result + "'";
  };
  std::string connect;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.connect.c_str(), nullptr), &PQconninfoFree);
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    const std::string_view key = option->keyword;
    if (option->val && (key == "host" || key == "port" || key == "dbname" || key == "user" || key == "sslmode"))
      connect += (connect.empty() ? "" : " ") + std::string(key) + "=" + option->val;
  }
  return "pg_dump --format=custom --schema=remitod --file=" + quoted(file.string()) + " --dbname=" + quoted(connect);
}

}  // namespace remitod::db
