#include "tests/support/postgres.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace remitod::test {
namespace {

/// Debian keeps the server's programs out of PATH.
std::string program(const std::string& name) {
  std::vector<std::filesystem::path> found;
  if (const std::filesystem::path versions = "/usr/lib/postgresql"; std::filesystem::exists(versions))
    for (const auto& version : std::filesystem::directory_iterator(versions))
      if (std::filesystem::exists(version.path() / "bin" / name)) found.push_back(version.path() / "bin" / name);
  return found.empty() ? name : std::ranges::max(found).string();
}

/// The server refuses to run as root; and it is to end with us, even when we are killed.
std::vector<std::string> as_server(std::vector<std::string> command) {
  std::vector<std::string> whole{"setpriv", "--pdeathsig=QUIT"};
  if (::geteuid() == 0) whole.insert(whole.end(), {"--reuid=postgres", "--regid=postgres", "--init-groups"});
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

/// Starts a program with both outputs in a pipe, whose reading end is the second of the pair.
std::pair<pid_t, int> spawn(std::vector<std::string> command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_t process = -1;
  const int error = ::posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) throw std::runtime_error("cannot start " + command[0]);
  return {process, ends[0]};
}

/// Reads until `wanted` has come or there is no more. Gives up after a minute of silence.
std::string read_until(int from, std::string_view wanted) {
  std::string text;
  char buffer[4096];
  while (!text.contains(wanted) || wanted.empty()) {
    pollfd polled{from, POLLIN, 0};
    if (::poll(&polled, 1, 60'000) <= 0) break;
    const ssize_t count = ::read(from, buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

void run(const std::vector<std::string>& command) {
  const auto [process, output] = spawn(command);
  const std::string text = read_until(output, "");
  ::close(output);
  int status = 0;
  ::waitpid(process, &status, 0);
  if (status != 0) throw std::runtime_error("PostgreSQL cannot be set up: " + text);
}

/// Whoever still holds a connection (a watcher, a lock) has nothing to do there any more.
constexpr const char* empty_database = R"(
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid();
    do $$
    declare
      name text;
    begin
      for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
        execute format('drop schema %I cascade', name);
      end loop;
      create schema public;
    end $$)";

}  // namespace

Postgres& Postgres::server() {
  static Postgres server;
  return server;
}

Postgres::Postgres() {
  if (::geteuid() == 0) {
    const passwd* user = ::getpwnam("postgres");
    if (!user) throw std::runtime_error("there is no user postgres to run the server as");
    if (::chown(folder_.path().c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown failed");
  }
  start();
}

void Postgres::start() {
  const std::string data = folder_.path() / "data";
  run(as_server({program("initdb"), "--pgdata=" + data, "--username=remitod", "--auth=trust", "--encoding=UTF8",
                 "--no-locale", "--no-sync"}));
  std::tie(process_, log_) =
      spawn(as_server({program("postgres"), "-D", data, "-k", folder_.path(), "-c", "listen_addresses=", "-c",
                       "log_min_messages=log", "-c", "log_checkpoints=off"}));
  constexpr std::string_view ready = "ready to accept connections";
  const std::string text = read_until(log_, ready);
  if (!text.contains(ready)) throw std::runtime_error("PostgreSQL cannot be started: " + text);
}

Postgres::~Postgres() {
  if (process_ > 0) {
    ::kill(process_, SIGQUIT);  // at once: nobody wants the data any more, so why write them out
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (log_ >= 0) ::close(log_);
}

void Postgres::stand_still() const {
  signal_all(SIGSTOP);
}

void Postgres::go_on() const {
  signal_all(SIGCONT);
}

// The server first: then it starts no further process. Each of these is in a group of its own.
void Postgres::signal_all(int number) const {
  ::kill(process_, number);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream status(entry.path() / "stat");
    std::string pid, program, state;
    pid_t parent = 0;
    if (status >> pid >> program >> state >> parent && parent == process_) ::kill(std::stoi(pid), number);
  }
}

std::string Postgres::connect(const std::string& database) const {
  return "host=" + folder_.path().string() + " user=remitod dbname=" + database;
}

void Postgres::execute(const std::string& database, const std::string& sql) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(connect(database).c_str()), &PQfinish);
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(PQerrorMessage(connection.get()));
}

std::string Postgres::take_database() {
  if (!idle_.empty()) {
    const std::string url = std::move(idle_.back());
    idle_.pop_back();
    execute(url.substr(url.rfind('=') + 1), empty_database);
    return url;
  }
  const std::string name = "test" + std::to_string(++databases_);
  execute("postgres", "create database " + name);
  return "postgresql:" + connect(name);
}

void Postgres::give_back(const std::string& url) {
  idle_.push_back(url);
}

}  // namespace remitod::test
