#include "carriers/curl_transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "carriers/curl_transfer.h"
#include "carriers/transport_gate.h"
#include "carriers/transport_queue.h"

namespace remitod::carriers {
namespace {

using std::chrono::milliseconds;

/// Transfers that crawl are looked for so often.
constexpr milliseconds look_interval{500};

/// The loop, and all that only its thread touches.
class Loop {
 public:
  Loop(std::shared_ptr<TransportGate> gate, CURLM* multi, std::size_t in_flight_max)
      : gate_(std::move(gate)), multi_(multi), queue_(in_flight_max) {}

  void run() {
    while (take_submissions()) {
      queue_.expire(now_, completions_);
      while (std::optional<TransportQueue::Next> next = queue_.pop()) start(std::move(*next));
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      drop_slow();
      deliver();
      if (!queue_.can_pop() && gate_->fall_asleep()) curl_multi_poll(multi_, nullptr, 0, sleep_ms(), nullptr);
    }
    abandon();
    deliver();
  }

 private:
  /// The handles of one TransportOptions.
  struct Handles {
    std::shared_ptr<const TransportOptions> options;
    std::vector<std::unique_ptr<CurlTransfer>> all;
    std::vector<CurlTransfer*> idle;
  };

  bool take_submissions() {
    const bool go_on = gate_->take(taken_);
    now_ = std::chrono::steady_clock::now();
    for (Submission& submission : taken_) queue_.push(std::move(submission), now_);
    return go_on;
  }

  void start(TransportQueue::Next&& next) {
    Handles& handles = handles_of(next.submission.request.options);
    if (handles.idle.empty())
      handles.idle.push_back(handles.all.emplace_back(std::make_unique<CurlTransfer>(*handles.options)).get());
    CurlTransfer& transfer = *handles.idle.back();
    const auto time_left = std::chrono::duration_cast<milliseconds>(next.deadline - now_);
    if (auto loaded = transfer.load(std::move(next.submission), time_left, now_); !loaded) {
      completions_.push_back(transfer.unload(std::unexpected(std::move(loaded.error()))));
      queue_.release(*handles.options);
      return;
    }
    handles.idle.pop_back();
    curl_multi_add_handle(multi_, transfer.easy());
  }

  Handles& handles_of(const std::shared_ptr<const TransportOptions>& options) {
    if (const auto known = handles_.find(options.get()); known != handles_.end()) return known->second;
    // Options that nobody else holds any more are of a profile that was replaced.
    std::erase_if(handles_, [](const auto& entry) {
      const Handles& old = entry.second;
      return old.idle.size() == old.all.size() && old.options.use_count() == 1;
    });
    return handles_.emplace(options.get(), Handles{.options = options, .all = {}, .idle = {}}).first->second;
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      const CURLcode code = message->data.result;  // removing the handle frees the message
      auto& transfer = *static_cast<CurlTransfer*>(curl_info<void*>(message->easy_handle, CURLINFO_PRIVATE));
      curl_multi_remove_handle(multi_, transfer.easy());
      completions_.push_back(transfer.finish(code));
      retire(transfer);
    }
  }

  void drop_slow() {
    if (now_ < next_look_) return;
    next_look_ = now_ + look_interval;
    for (auto& [options, handles] : handles_) {
      for (const std::unique_ptr<CurlTransfer>& transfer : handles.all) {
        if (!transfer->loaded() || !transfer->is_too_slow(now_)) continue;
        curl_multi_remove_handle(multi_, transfer->easy());  // and closes its connection
        completions_.push_back(transfer->unload(std::unexpected(transfer->too_slow())));
        retire(*transfer);
      }
    }
  }

  void retire(CurlTransfer& transfer) {
    handles_.at(&transfer.options()).idle.push_back(&transfer);
    queue_.release(transfer.options());
  }

  void deliver() { gate_->deliver(completions_); }

  int sleep_ms() const {
    constexpr milliseconds idle{60'000};
    const milliseconds longest = queue_.in_flight() == 0 ? idle : look_interval;
    const auto expiry = queue_.next_expiry();
    if (!expiry) return static_cast<int>(longest.count());
    const auto until = std::chrono::ceil<milliseconds>(*expiry - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp(until, milliseconds{0}, longest).count());
  }

  void abandon() {
    queue_.stop(completions_);
    for (auto& [options, handles] : handles_) {
      for (const std::unique_ptr<CurlTransfer>& transfer : handles.all) {
        if (!transfer->loaded()) continue;
        curl_multi_remove_handle(multi_, transfer->easy());
        completions_.push_back(transfer->unload(std::unexpected(transfer->stopped())));
      }
    }
  }

  const std::shared_ptr<TransportGate> gate_;
  CURLM* const multi_;
  TransportQueue queue_;
  std::unordered_map<const TransportOptions*, Handles> handles_;
  std::vector<Submission> taken_;
  std::vector<Completion> completions_;
  TransportQueue::Time now_{};        ///< of this turn
  TransportQueue::Time next_look_{};  ///< for slow transfers
};

}  // namespace

CurlTransport::CurlTransport(Post post, const Options& options) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) std::abort();
  const std::shared_ptr<CURLM> multi(curl_multi_init(), curl_multi_cleanup);
  if (!multi) std::abort();
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, options.connections_max);
  gate_ = std::make_shared<TransportGate>(std::move(post), [multi] { curl_multi_wakeup(multi.get()); });
  thread_ = std::thread([gate = gate_, multi, in_flight_max = options.in_flight_max] {
    // The process's signals are for other threads, and a TLS peer that hangs up raises SIGPIPE in this one.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Loop(gate, multi.get(), in_flight_max).run();
  });
}

CurlTransport::~CurlTransport() {
  gate_->stop();
  thread_.join();
}

void CurlTransport::submit(HttpRequest request, Done done) {
  gate_->submit({.request = std::move(request), .done = std::move(done)});
}

}  // namespace remitod::carriers
