#include "db/instance_lock.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "db/libpq.h"

namespace remitod::db {
namespace {

DbError held_elsewhere(const std::string& where) {
  return {DbError::Kind::busy, "", "another remitod already serves this database (" + where + ")"};
}

/// One name for each database, whatever links lead to it.
std::string real_path(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path file = path;
  // Before the first start what a link leads to is not there yet.
  if (const fs::path target = fs::read_symlink(file, error); !error) file = file.parent_path() / target;
  const fs::path real = fs::weakly_canonical(file, error);
  return error ? path : real.string();
}

class FileLock final : public InstanceLock {
 public:
  explicit FileLock(int file) : file_(file) {}
  ~FileLock() override { ::close(file_); }
  bool still_held() override { return true; }

  static DbResult<std::unique_ptr<InstanceLock>> acquire(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return std::unexpected(error(path));
    auto lock = std::make_unique<FileLock>(file);
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
    return std::unexpected(errno == EWOULDBLOCK ? held_elsewhere(path) : error(path));
  }

 private:
  // As SQLite would say it of the database itself.
  static std::string code_of(int error) {
    switch (error) {
      case EROFS:
        return std::to_string(SQLITE_READONLY);
      case ENOENT:
      case ENOTDIR:
      case EISDIR:
      case EACCES:
      case EPERM:
        return std::to_string(SQLITE_CANTOPEN);
      default:
        return {};
    }
  }
  static DbError error(const std::string& path) {
    const int number = errno;
    return {DbError::Kind::disk, code_of(number), path + ": " + std::generic_category().message(number)};
  }
  int file_;
};

class AdvisoryLock final : public InstanceLock {
 public:
  explicit AdvisoryLock(const std::string& connect) : connection_(PQconnectdb(connect.c_str()), &PQfinish) {}
  bool still_held() override { return still_connected(connection_.get()); }

  static DbResult<std::unique_ptr<InstanceLock>> acquire(const std::string& connect) {
    auto lock = std::make_unique<AdvisoryLock>(connect);
    PGconn* connection = lock->connection_.get();
    if (PQstatus(connection) != CONNECTION_OK) return std::unexpected(error(connection));
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection, "select pg_try_advisory_lock(hashtext('remitod instance'))"), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return std::unexpected(error(connection));
    if (*PQgetvalue(result.get(), 0, 0) != 't') return std::unexpected(held_elsewhere(PQdb(connection)));
    return lock;
  }

 private:
  static DbError error(PGconn* connection) { return {DbError::Kind::connection, "", PQerrorMessage(connection)}; }
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace

DbResult<std::unique_ptr<InstanceLock>> InstanceLock::acquire(const DatabaseUrl& url) {
  if (url.engine == DatabaseUrl::Engine::sqlite) return FileLock::acquire(real_path(url.connect) + ".lock");
  return AdvisoryLock::acquire(url.connect);
}

}  // namespace remitod::db
