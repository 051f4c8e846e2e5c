// How a carrier is asked something besides the polls: in a session where it wants one, and once more where that has
// ended. Belongs to the deciding thread.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "carriers/request.h"
#include "carriers/session.h"
#include "carriers/transport.h"
#include "daemon/carrier_access.h"
#include "daemon/order_hooks.h"
#include "daemon/runtime.h"
#include "scheduler/lane.h"

namespace remitod::daemon {

/// Why there is no answer: the request cannot be made, no session is to be had, or the transport's trouble.
using NoAnswer = std::variant<carriers::RequestError, carriers::Session::Failed, carriers::FetchError>;
std::string in_words(const NoAnswer& why);
/// The request may have reached the carrier.
bool may_have_arrived(const NoAnswer& why);

class CarrierQuestions {
 public:
  CarrierQuestions(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, OrderHooks hooks);
  void add_carrier(std::shared_ptr<CarrierAccess> access);

  struct Question {
    std::string carrier;
    carriers::OrderOperation operation = carriers::OrderOperation::create;
    /// Called once more where the request is made once more.
    std::function<std::expected<carriers::HttpRequest, carriers::RequestError>(const carriers::Call&)> build;
    std::function<Runtime::Task(carriers::HttpAnswer)> read;  ///< as Offload::Work
    std::function<void(NoAnswer)> unanswered;
  };
  void ask(Question question);
  /// From inside what Question::read returned: what its answer says of the carrier besides.
  void judge(const std::string& carrier, const scheduler::BatchOutcome& outcome);

 private:
  using Pointer = std::shared_ptr<const Question>;
  /// How a question goes out.
  struct Way {
    bool again = false;       ///< made once more, with its place among the carrier's requests
    std::uint64_t trial = 0;  ///< not zero: as the one that tries
  };
  void send(Pointer question, Way way);
  void read(Pointer question, SessionPointer session, std::uint64_t trial, carriers::HttpAnswer answer);
  void session_refused(const Pointer& question, const SessionPointer& session, std::uint64_t trial);
  void unanswered(const Pointer& question, std::uint64_t trial, NoAnswer why);

  Runtime& runtime_;
  carriers::HttpTransport& transport_;
  Offload& mapper_;
  OrderHooks hooks_;
  std::uint64_t trial_read_ = 0;  ///< of the answer that is being taken in
  std::map<std::string, std::shared_ptr<CarrierAccess>, std::less<>> carriers_;
};

}  // namespace remitod::daemon
