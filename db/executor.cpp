#include "db/executor.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "db/session.h"

namespace remitod::db {
namespace {

constexpr std::size_t queue_max = 1024;

/// A session that is opened when it is needed and opened anew when it was lost.
class Connection {
 public:
  Connection(DatabaseUrl url, std::chrono::milliseconds busy_timeout)
      : url_(std::move(url)), busy_timeout_(busy_timeout) {}

  /// Runs a piece of work; gives what is to be posted. Adds what it sent to `statements` before that.
  template <class RawWork>
  std::move_only_function<void()> perform(RawWork& work, std::atomic<std::uint64_t>& statements) {
    if (session_ && !session_->usable()) session_.reset();
    if (!session_) {
      DbResult<std::unique_ptr<Session>> opened = open_session(url_, busy_timeout_);
      if (!opened) return work(nullptr, &opened.error());
      session_ = std::move(*opened);
    }
    const std::uint64_t before = session_->statements();
    auto answer = work(session_.get(), nullptr);
    statements += session_->statements() - before;
    return answer;
  }

 private:
  DatabaseUrl url_;
  std::chrono::milliseconds busy_timeout_;
  std::unique_ptr<Session> session_;
};

class ThreadedExecutor final : public Executor {
 public:
  ThreadedExecutor(Options options, Post post) : post_(std::move(post)) {
    for (int i = 0; i < options.threads; ++i)
      threads_.emplace_back([this, connection = Connection(options.url, options.busy_timeout)]() mutable {
        while (std::optional<RawWork> work = next()) post_(connection.perform(*work, statements_));
      });
  }

  ~ThreadedExecutor() override {
    std::deque<RawWork> dropped;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      dropped.swap(queue_);
    }
    ready_.notify_all();
    threads_.clear();  // joins
    for (RawWork& work : dropped) refuse(work, {DbError::Kind::connection, "", "the database is being closed"});
  }

  std::uint64_t statements() const override { return statements_; }
  std::size_t waiting() const override {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  void enqueue(RawWork work) override {
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() < queue_max) {
        queue_.push_back(std::move(work));
        ready_.notify_one();
        return;
      }
    }
    refuse(work, {DbError::Kind::busy, "", "too much work waits for the database"});
  }

  void refuse(RawWork& work, const DbError& error) { post_(work(nullptr, &error)); }

  /// Empty: stop.
  std::optional<RawWork> next() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return std::nullopt;
    RawWork work = std::move(queue_.front());
    queue_.pop_front();
    return work;
  }

  const Post post_;
  std::atomic<std::uint64_t> statements_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<RawWork> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

class InlineExecutor final : public Executor {
 public:
  explicit InlineExecutor(Options options) : connection_(std::move(options.url), options.busy_timeout) {}
  std::uint64_t statements() const override { return statements_; }
  std::size_t waiting() const override { return 0; }

 private:
  void enqueue(RawWork work) override { connection_.perform(work, statements_)(); }

  Connection connection_;
  std::atomic<std::uint64_t> statements_ = 0;
};

}  // namespace

DbResult<void> transact(Session& session, std::move_only_function<DbResult<void>()> body) {
  DbResult<void> outcome;
  try {
    session.begin();
    outcome = body();
    if (outcome) {
      session.commit();
      return outcome;
    }
  } catch (const std::exception& exception) {
    outcome = std::unexpected(to_error(exception));
  }
  session.rollback();
  // Not every connection that is of no use is lost: a server that became a standby goes on answering on it for ever.
  if (outcome.error().kind == DbError::Kind::connection) session.give_up();
  return outcome;
}

DbResult<std::unique_ptr<Session>> open_session(const DatabaseUrl& url, std::chrono::milliseconds busy_timeout) {
  try {
    return Session::open(url, busy_timeout);
  } catch (const std::exception& exception) {
    DbError error = to_error(exception);
    if (!error.retryable()) error.kind = DbError::Kind::connection;
    return std::unexpected(std::move(error));
  }
}

std::unique_ptr<Executor> Executor::threaded(Options options, Post post) {
  return std::make_unique<ThreadedExecutor>(std::move(options), std::move(post));
}

std::unique_ptr<Executor> Executor::inline_mode(Options options) {
  return std::make_unique<InlineExecutor>(std::move(options));
}

DbResult<void> Executor::in_transaction(Session& session, std::move_only_function<DbResult<void>()> body) {
  return transact(session, std::move(body));
}

OwnSession::OwnSession(std::unique_ptr<Session> session) : session_(std::move(session)) {}
OwnSession::OwnSession(OwnSession&&) noexcept = default;
OwnSession& OwnSession::operator=(OwnSession&&) noexcept = default;
OwnSession::~OwnSession() = default;

DbResult<OwnSession> OwnSession::open(const DatabaseUrl& url, std::chrono::seconds busy_timeout) {
  DbResult<std::unique_ptr<Session>> opened = open_session(url, busy_timeout);
  if (!opened) return std::unexpected(std::move(opened.error()));
  return OwnSession(std::move(*opened));
}

Session& OwnSession::session() {
  return *session_;
}

DbResult<void> OwnSession::transact_void(std::move_only_function<DbResult<void>()> body) {
  return db::transact(*session_, std::move(body));
}

}  // namespace remitod::db
