// Those whom a listener serves, and how it takes leave of them: whoever was let in has his answer before the listener
// goes, or a restart would refuse people though systemd holds the address meanwhile. Belongs to the listener's thread.
#pragma once

#include <boost/system/error_code.hpp>

#include <chrono>
#include <functional>
#include <set>
#include <utility>

namespace remitod::daemon {

/// Longer than this a listener that goes waits for nobody.
inline constexpr std::chrono::seconds leave_taking{1};

/// Nothing has come from there that was not read yet.
template <typename Buffer, typename Stream>
bool is_quiet(const Buffer& read_ahead, Stream& stream) {
  boost::system::error_code ignored;
  return read_ahead.size() == 0 && stream.socket().available(ignored) == 0;
}

/// `Session` has `idle()`, which says that its client waits for nothing, and `hang_up()`, which does not destroy it at
/// once.
template <typename Session>
class Guests {
 public:
  void came(Session& session) { sessions_.insert(&session); }
  void went(Session& session) {
    sessions_.erase(&session);
    if (sessions_.empty()) hurry();
  }

  /// Calls `then` once everyone has gone, at once if nobody is there; maybe from a session's destructor.
  void take_leave(std::function<void()> then) {
    leaving_ = true;
    then_ = std::move(then);
    for (Session* const session : sessions_)
      if (session->idle()) session->hang_up();
    if (sessions_.empty()) hurry();
  }
  /// Calls it now, if it waits to be called.
  void hurry() {
    if (const auto then = std::exchange(then_, {})) then();
  }
  /// The listener goes: nobody waits any more for who is still there.
  void forget() { then_ = {}; }
  /// Then answers end their connections.
  bool leaving() const { return leaving_; }

 private:
  std::set<Session*> sessions_;
  std::function<void()> then_;
  bool leaving_ = false;
};

}  // namespace remitod::daemon
