// The listener of the running daemon: wires the gate (who may ask), the calls (what is answered) and the listener
// (how). Belongs to the deciding thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/activity_log.h"
#include "daemon/listen_config.h"
#include "daemon/runtime.h"
#include "daemon/status_sampler.h"
#include "daemon/trouble.h"
#include "daemon/web_calls.h"
#include "daemon/web_gate.h"
#include "daemon/web_listener.h"

namespace remitod::daemon {

class WebService {
 public:
  struct Settings {
    ListenConfig listen;
    std::string token;                 ///< what listen.token names
    std::optional<int> passed_socket;  ///< listens already, and goes before the address
  };
  struct Parts {
    ControlHandlers handlers;
    const Poller& poller;
    // As WebCalls::Parts has them.
    std::function<std::vector<std::string>()> not_working;
    std::function<LastReload()> last_reload;
  };
  WebService(Runtime& runtime, db::Executor& executor, Settings settings, Parts parts);

  /// Without an address and a socket it does nothing. An address that cannot be had is logged and tried again: a page
  /// that nobody sees is no reason not to poll.
  void start();

  /// "nobody listens on ADDRESS: WHY", which the listener cannot tell itself; nothing: somebody does, or nobody is
  /// wanted.
  const std::optional<Trouble>& trouble() const { return trouble_; }

  /// WebListener::take_leave(), with `then` on the deciding thread.
  void take_leave(std::function<void()> then);

 private:
  void listen();
  void note_activity();
  std::expected<std::unique_ptr<WebListener>, std::string> open();
  void asked(WebRequest request, WebListener::Reply reply);

  Runtime& runtime_;
  const Poller& poller_;
  Settings settings_;
  std::string address_;
  std::optional<Trouble> trouble_;
  WebGate gate_;
  Metrics metrics_;
  StatusSampler sampler_;
  ActivityLog activity_;
  WebCalls calls_;
  std::unique_ptr<Alarm> retry_, note_;
  std::unique_ptr<WebListener> listener_;
};

}  // namespace remitod::daemon
