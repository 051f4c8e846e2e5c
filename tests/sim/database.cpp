#include "tests/sim/database.h"

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "tests/support/paths.h"

namespace remitod::sim {
namespace {

using db::DbError;

constexpr std::size_t queue_max = 1024;  // db/executor.cpp's
std::filesystem::path make_folder() {
  const std::filesystem::path memory = "/dev/shm";
  const auto parent = std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
  std::string pattern = (parent / "remitod-sim-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
  return pattern;
}

std::unique_ptr<db::Session> open_session(const db::DatabaseUrl& url) {
  // Locks between the connections of this process, without a system call for each.
  [[maybe_unused]] static const int once = sqlite3_vfs_register(sqlite3_vfs_find("unix-excl"), 1);
  // Nothing waits for a lock: its holder would have to have its turn first.
  auto session = db::open_session(url, std::chrono::milliseconds{0});
  if (!session) throw std::runtime_error(session.error().message);
  (*session)->run_script("pragma synchronous = off");  // a crash loses what the process held, not
                                                       // what it wrote
  return std::move(*session);
}

db::DatabaseUrl url_of(const std::filesystem::path& file) {
  return db::DatabaseUrl::parse("sqlite:" + file.string()).value();
}

/// A migrated file, made once: a copy costs a tenth of the migrations.
const std::string& migrated() {
  static const std::string bytes = [] {
    const std::filesystem::path folder = make_folder();
    {
      const auto session = open_session(url_of(folder / "new.db"));
      if (auto done = db::migrate(*session); !done) throw std::runtime_error(done.error().message);
      session->run_script("pragma wal_checkpoint(truncate)");
    }
    std::string result = test::read_file(folder / "new.db");
    std::filesystem::remove_all(folder);
    return result;
  }();
  return bytes;
}

}  // namespace

// ------------------------------------------------------------------ the file

Database::Database() : folder_(make_folder()), url_(url_of(folder_ / "remitod.db")) {
  test::write_file(folder_ / "remitod.db", migrated());
  own_ = open_session(url_);
}

Database::~Database() {
  own_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Database::sql(const std::string& script) {
  const auto done = db::transact(session(), [&]() -> db::DbResult<void> {
    session().run_script(script);
    return {};
  });
  if (!done) throw std::runtime_error(done.error().message + ": " + script);
}

// ------------------------------------------------------------------ the
// executor

SimExecutor::SimExecutor(test::VirtualRuntime& runtime, Database& database, const HostFaults& faults, Dice dice,
                         Hooks hooks)
    : runtime_(runtime), database_(database), faults_(faults), dice_(dice), hooks_(std::move(hooks)) {
  open();
}

void SimExecutor::open() {
  commits_.reset();
  session_.reset();
  test::DeniedCommits::notice_connections();
  session_ = open_session(database_.url());
  commits_.emplace();
  sqlite3_update_hook(
      commits_->connection(),
      [](void* wrote, int, const char*, const char* table, sqlite3_int64) {
        if (std::string_view(table) == "transitions") *static_cast<bool*>(wrote) = true;
      },
      &wrote_transitions_);
  if (disk_full_) set_disk_full(true);
}

void SimExecutor::use_pages(const char* at_most) const {
  sqlite3_exec(commits_->connection(), (std::string("pragma max_page_count = ") + at_most).c_str(), nullptr, nullptr,
               nullptr);
}

void SimExecutor::set_disk_full(bool full) {
  disk_full_ = full;
  use_pages(full ? "1" : "1073741823");  // one: as many as there are
}

void SimExecutor::set_condition(Condition condition) {
  condition_ = condition;
  begin_next();
}

void SimExecutor::end_faults() {
  calm_ = true;
  set_disk_full(false);
  set_condition(Condition::well);
}

void SimExecutor::enqueue(RawWork work) {
  if (queue_.size() >= queue_max) {
    const DbError full{DbError::Kind::busy, "", "too much work waits for the database"};
    hooks_.trouble("queue full");
    return runtime_.post(work(nullptr, &full));
  }
  queue_.push_back(std::move(work));
  begin_next();
}

void SimExecutor::begin_next() {
  if (running_ || queue_.empty() || condition_ == Condition::frozen) return;
  running_ = true;
  runtime_.after(dice_.time(std::chrono::microseconds{100}, std::chrono::milliseconds{5}), [this] { perform_next(); });
}

void SimExecutor::perform_next() {
  running_ = false;
  if (condition_ == Condition::frozen) return;
  RawWork work = std::move(queue_.front());
  queue_.pop_front();
  runtime_.post(perform(work));
  begin_next();
}

std::move_only_function<void()> SimExecutor::perform(RawWork& work) {
  if (condition_ == Condition::refusing) {
    const DbError away{DbError::Kind::connection, "", "the database is away"};
    hooks_.trouble("away");
    return work(nullptr, &away);
  }
  const double fate = calm_ ? 1 : dice_.share();
  if (fate < faults_.busy) return perform_locked_out(work);
  commits_->deny(fate < faults_.busy + faults_.unclear_commit ? 1 : 0);
  const int denied_before = commits_->denied();
  const auto before = sqlite3_total_changes64(commits_->connection());
  wrote_transitions_ = false;
  auto answer = work(session_.get(), nullptr);
  commits_->deny(0);
  if (commits_->denied() != denied_before) hooks_.trouble("commit denied");
  if (disk_full_) hooks_.trouble("disk full");
  if (sqlite3_total_changes64(commits_->connection()) != before) hooks_.written(wrote_transitions_);
  if (!session_->usable()) open();
  return answer;
}

std::move_only_function<void()> SimExecutor::perform_locked_out(RawWork& work) {
  database_.session().begin();
  auto answer = work(session_.get(), nullptr);
  database_.session().rollback();
  hooks_.trouble("busy");
  return answer;
}

}  // namespace remitod::sim
