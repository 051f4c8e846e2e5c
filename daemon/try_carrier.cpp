#include "daemon/try_carrier.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "carriers/mapping.h"
#include "carriers/paging.h"
#include "carriers/request.h"
#include "carriers/trial.h"
#include "db/reconcile.h"

namespace remitod::daemon {
namespace {

using carriers::PagedOperation;
using carriers::PagePosition;
using carriers::TrialPage;
using nlohmann::json;

constexpr std::chrono::milliseconds look_for_room{100};

/// By the clock that nobody sets.
std::chrono::microseconds end_of_patience(const Runtime& runtime) {
  const Instant now = runtime.now(), end = runtime.in(trial_patience);
  return runtime.steady() + (end - now);
}

/// Something is read of the shipment. That it is not known yet is an answer, too; a history of which every line was
/// left out is none.
bool is_told(const json& read, const std::string& remito) {
  if (read["reports"].empty()) return false;
  const json& report = read["reports"].front();
  return report["kind"] != "events" || !report["events"].empty() ||
         std::ranges::none_of(read["errors"], [&](const json& error) { return error["remito"] == remito; });
}

}  // namespace

/// Callbacks may come after its owner has let go of it, so they hold it; the alarm and the session's queue, which it
/// holds itself, do not.
class CarrierTrials::Trial : public std::enable_shared_from_this<Trial> {
 public:
  Trial(CarrierTrials& owner, std::shared_ptr<CarrierAccess> access, std::string remito, Done done)
      : owner_(owner),
        access_(std::move(access)),
        remito_(std::move(remito)),
        done_(std::move(done)),
        patience_ends_(end_of_patience(owner.runtime_)),
        room_(owner.runtime_.alarm(
            [this] { owner_.runtime_.post([self = shared_from_this()] { self->next_(*self); }); })) {}

  void begin() {
    if (!logins_before_) logins_before_ = access_->logins();
    if (!has_room()) return wait([](Trial& trial) { trial.begin(); });
    access_->enter([weak = weak_from_this()](CarrierAccess::Entered session) {
      const std::shared_ptr<Trial> self = weak.lock();
      if (!self) return;
      if (!session) return self->turned_away(session.error().trouble);
      self->session_ = *std::move(session);
      self->ask();
    });
  }

  void turn_away() { fail("no_room", "enough carriers are being tried at the moment"); }

 private:
  const std::string& carrier() const { return access_->profile()->name(); }
  bool has_room() const { return owner_.limits_.spare_requests(carrier()) != 0; }
  bool is_patient() const {
    return owner_.runtime_.steady() < patience_ends_ ||
           (owner_.limits_.room_is_sure && owner_.limits_.room_is_sure(carrier()));
  }

  void wait(void (*next)(Trial&)) {
    if (!is_patient())
      return fail("no_room", "the carrier's limits, or a rest after failures, leave no room for a request now");
    next_ = next;
    room_->set(owner_.runtime_.in(look_for_room));
  }

  void ask() {
    // After a login, which took a request of its own, and between pages.
    if (!has_room()) return wait([](Trial& trial) { trial.ask(); });
    asked_at_ = owner_.runtime_.now();
    carriers::Call call = call_in(session_, asked_at_, access_->random());
    call.page = position_;
    const carriers::TrackItem item = asked();
    auto request = carriers::build_track(*access_->profile(), std::span(&item, 1), call);
    if (!request) return fail("not_asked", request.error().field + ": " + request.error().message);
    pages_.push_back({*request, {}});
    owner_.limits_.request_sent(carrier());
    owner_.transport_.submit(*std::move(request), [self = shared_from_this()](carriers::FetchResult result) {
      self->answered(std::move(result));
      self->owner_.limits_.request_answered(self->carrier());
    });
  }

  void answered(carriers::FetchResult result) {
    if (!result)
      return fail("no_answer", std::string(carriers::name(result.error().kind)) + ": " + result.error().message);
    pages_.back().answer = *std::move(result);
    owner_.mapper_.run(carrier(), [self = shared_from_this(), redactor = access_->redactor()]() -> Runtime::Task {
      auto seen = std::make_unique<Seen>(self->look(*redactor));
      return [self, seen = std::move(seen)] { self->looked(*seen); };
    });
  }

  struct Seen {
    bool session_refused = false;
    std::optional<PagePosition> next;
    json trial;
  };
  /// On the mapper's thread; nothing else of this trial is under way meanwhile.
  Seen look(const carriers::Redactor& redactor) const {
    const carriers::Profile& profile = *access_->profile();
    Seen seen;
    std::string paging_problem;
    if (auto next =
            carriers::next_page(profile, PagedOperation::track, pages_.back().request, pages_.back().answer, position_))
      seen.next = *std::move(next);
    else
      paging_problem = next.error().message;
    seen.trial = carriers::describe_trial(profile, redactor, pages_, asked(), asked_at_);
    seen.trial["events_until"] = to_iso8601(asked_at_ + db::event_ahead_max);
    const json& read = seen.trial["read"];
    const bool is_trouble = read.contains("trouble");
    seen.session_refused =
        is_trouble && read["trouble"].value("kind", "") == carriers::name(carriers::CarrierTrouble::Kind::auth);
    seen.trial["outcome"] = is_trouble ? "trouble" : is_told(read, remito_) ? "read" : "not_told";
    if (!paging_problem.empty()) {
      seen.trial["outcome"] = "trouble";
      seen.trial["problem"] = redactor.redact(std::move(paging_problem));
    }
    return seen;
  }

  void looked(Seen& seen) {
    if (seen.session_refused && !std::exchange(asked_again_, true) && access_->refused(session_)) {
      pages_.clear();
      position_ = {};
      return begin();
    }
    if (seen.next) {
      position_ = *std::move(seen.next);
      return ask();
    }
    finish(std::move(seen.trial));
  }

  /// No login is to be had: the carrier says no, or it says nothing.
  void turned_away(const carriers::CarrierTrouble& trouble) {
    shows_login_ = true;
    kind_of_trouble_ = carriers::name(trouble.kind);
    const auto& steps = access_->last_login();
    fail(!steps.empty() && !steps.back().result ? "no_answer" : "no_login", trouble.message);
  }

  void fail(const char* outcome, std::string problem) {
    json pages = json::array();
    for (const TrialPage& page : pages_)
      pages.push_back(carriers::describe_request(*access_->redactor(), page.request));
    json trial{{"carrier", carrier()},
               {"remito", remito_},
               {"outcome", outcome},
               {"problem", access_->redact(std::move(problem))},
               {"pages", std::move(pages)}};
    if (!kind_of_trouble_.empty()) trial["kind"] = kind_of_trouble_;
    finish(std::move(trial));
  }

  void finish(json trial) {
    if (shows_login_ || access_->logins() != logins_before_.value_or(access_->logins()))
      trial["login"] = carriers::describe_login(*access_->profile(), *access_->redactor(), access_->last_login());
    const std::shared_ptr<Trial> self = shared_from_this();
    std::erase(owner_.trials_, self);
    done_(trial.dump(-1, ' ', false, json::error_handler_t::replace));
  }

  /// Some carriers want the day on which a shipment was registered; today is as good as any for one that is tried.
  carriers::TrackItem asked() const { return {remito_, asked_at_}; }

  CarrierTrials& owner_;
  const std::shared_ptr<CarrierAccess> access_;
  const std::string remito_;
  Done done_;
  const std::chrono::microseconds patience_ends_;  ///< Runtime::steady()
  const std::unique_ptr<Alarm> room_;
  void (*next_)(Trial&) = nullptr;  ///< once there is room
  SessionPointer session_;
  std::optional<std::uint64_t> logins_before_;  ///< this one
  bool shows_login_ = false;                    ///< though none was made for it: the last one failed
  std::string_view kind_of_trouble_;            ///< why there is no login
  bool asked_again_ = false;
  Instant asked_at_{};
  PagePosition position_{};
  std::vector<TrialPage> pages_;
};

CarrierTrials::CarrierTrials(Runtime& runtime, carriers::HttpTransport& transport, Offload& mapper, Limits limits)
    : runtime_(runtime), transport_(transport), mapper_(mapper), limits_(std::move(limits)) {}
CarrierTrials::~CarrierTrials() = default;

void CarrierTrials::add_carrier(std::shared_ptr<CarrierAccess> access) {
  std::string name = access->profile()->name();
  carriers_.emplace(std::move(name), std::move(access));
}

const carriers::Profile* CarrierTrials::profile(std::string_view carrier) const {
  const auto found = carriers_.find(carrier);
  return found == carriers_.end() ? nullptr : found->second->profile().get();
}

void CarrierTrials::track(std::string_view carrier, std::string remito, Done done) {
  const auto trial =
      std::make_shared<Trial>(*this, carriers_.find(carrier)->second, std::move(remito), std::move(done));
  if (trials_.size() == trials_max) return trial->turn_away();
  trials_.push_back(trial);
  trial->begin();
}

}  // namespace remitod::daemon
