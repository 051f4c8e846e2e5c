#include "db/fold.h"

#include <array>
#include <string_view>

namespace remitod::db {
namespace {

// Rows: the present status. Columns, in the same order: the status that the next event claims.
//   '>' step   '=' repeat   '.' noise
// The rules behind it:
//   - Before the end everything goes, also back to the hub, but registered and picked_up are where a shipment starts:
//     after anything else they are bookkeeping.
//   - While it returns, in_transit, out_for_delivery and available_for_pickup speak of the way back to the sender.
//   - delivered is taken back by what cannot be told of a parcel that the buyer holds; scans uploaded late are noise.
//   - returned is taken back by delivered alone.
//   - cancelled is taken back by any movement: carriers cancel on paper and ship all the same.
//   - expired is our own guess for want of news. Any news is better, and no event can claim it.
constexpr std::array<std::string_view, status_count - 1> verdicts{
    // registered, picked_up, in_transit, out_for_delivery, available_for_pickup, attempt_failed,
    //       delivered, returning, returned, exception, cancelled, expired
    "=>>>>>>>>>>.",  // registered
    ".=>>>>>>>>>.",  // picked_up
    "..=>>>>>>>>.",  // in_transit
    "..>=>>>>>>>.",  // out_for_delivery
    "..>>=>>>>>>.",  // available_for_pickup
    "..>>>>>>>>>.",  // attempt_failed
    ".....>=>>>..",  // delivered
    ".....>>=>>>.",  // returning
    "......>.=...",  // returned
    "..>>>>>>>=>.",  // exception
    ".>>>>>>>>.=.",  // cancelled
    ".>>>>>>>>>>.",  // expired
};

/// What a shipment cannot be without having travelled. The marketplace shows En Tránsito even where the carrier skips
/// it.
bool implies_transit(Status status) {
  switch (status) {
    case Status::out_for_delivery:
    case Status::available_for_pickup:
    case Status::attempt_failed:
    case Status::delivered:
    case Status::returning:
    case Status::returned:
      return true;
    default:
      return false;
  }
}

class Folder {
 public:
  void apply(std::size_t entry, const TrackingEvent& event) {
    if (event.status == Status::unmapped) return;
    switch (verdict_on(event)) {
      case Verdict::step:
        if (implies_transit(event.status) && !has_travelled_) infer_transit(entry, event);
        take_step(entry, event);
        break;
      case Verdict::noise:
        folded_.noise.push_back(entry);
        break;
      case Verdict::repeat:
        if (given_up_ && verdict(Status::expired, event.status) == Verdict::step) revive(entry);
        break;
    }
  }

  void expire() { given_up_ = !is_terminal(folded_.status); }

  Folded take() && {
    if (given_up_) {
      folded_.status = Status::expired;
      folded_.reason = Reason::none;
      folded_.status_at.reset();
    }
    return std::move(folded_);
  }

 private:
  Status present() const { return given_up_ ? Status::expired : folded_.status; }

  /// What we gave up is judged by where it stood: a scan that was noise then is no sign of life now.
  Verdict verdict_on(const TrackingEvent& event) const {
    const bool other_exception =
        event.status == Status::exception && folded_.status == Status::exception && event.reason != folded_.reason;
    return other_exception ? Verdict::step : verdict(folded_.status, event.status);
  }

  void infer_transit(std::size_t entry, const TrackingEvent& cause) {
    move({.entry = entry, .from = present(), .to = Status::in_transit, .inferred = true}, cause);
  }

  void take_step(std::size_t entry, const TrackingEvent& event) {
    const int attempt = event.status == Status::attempt_failed ? ++folded_.attempts_failed : 0;
    move({.entry = entry, .from = present(), .to = event.status, .reason = event.reason, .attempt = attempt}, event);
  }

  void move(const Step& step, const TrackingEvent& cause) {
    folded_.steps.push_back(step);
    folded_.status = step.to;
    folded_.reason = step.reason;
    folded_.status_at = cause.occurred_at;
    has_travelled_ = has_travelled_ || step.to == Status::in_transit;
    given_up_ = false;
  }

  /// It stands where it stood before we gave it up, since when it did.
  void revive(std::size_t entry) {
    folded_.steps.push_back({.entry = entry, .from = Status::expired, .to = folded_.status, .reason = folded_.reason});
    given_up_ = false;
  }

  Folded folded_;               ///< as if nobody ever gave up
  bool has_travelled_ = false;  ///< in_transit was told or inferred; picked_up alone is not En Tránsito
  bool given_up_ = false;
};

}  // namespace

Verdict verdict(Status present, Status claimed) {
  switch (verdicts.at(static_cast<std::size_t>(present)).at(static_cast<std::size_t>(claimed))) {
    case '>':
      return Verdict::step;
    case '=':
      return Verdict::repeat;
    default:
      return Verdict::noise;
  }
}

Folded fold(std::span<const HistoryEntry> history, std::optional<std::size_t> expired_before) {
  Folder folder;
  for (std::size_t entry = 0; entry < history.size(); ++entry) {
    if (entry == expired_before) folder.expire();
    folder.apply(entry, history[entry].known.event);
  }
  if (history.size() == expired_before) folder.expire();
  return std::move(folder).take();
}

}  // namespace remitod::db
