#include "db/emission.h"

#include <algorithm>
#include <bitset>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace remitod::db {
namespace {

class Teller {
 public:
  Teller(const KnownShipment& known, const History& history, const Folded& folded)
      : known_(known),
        history_(history),
        folded_(folded),
        told_(known.emitted.begin(), known.emitted.end()),
        present_(known.status) {
    for (const EmittedStep& step : known.emitted) mark_told(step.status);
    for (const Step& step : folded.steps)
      if (cause(step).known.baseline) mark_told(step.to);
    find_where_told_ends();
  }

  std::vector<ShipmentTransition> tell() {
    std::vector<ShipmentTransition> transitions;
    for (const Step& step : folded_.steps) {
      if (!is_news(step) || is_told_and_holds(step)) continue;
      transitions.push_back(transition(step));
      mark_told(step.to);
    }
    return transitions;
  }

 private:
  const HistoryEntry& cause(const Step& step) const { return history_[step.entry]; }
  void mark_told(Status status) { told_statuses_.set(static_cast<std::size_t>(status)); }
  bool was_told(Status status) const { return told_statuses_.test(static_cast<std::size_t>(status)); }

  /// The baseline counts as a whole, with the events that moved nothing: what lies within it is history.
  void find_where_told_ends() {
    std::unordered_set<std::string_view> told_keys;
    for (const EmittedStep& step : known_.emitted) told_keys.insert(step.event_key);
    for (std::size_t i = 0; i < history_.size(); ++i)
      if (history_[i].known.baseline || told_keys.contains(history_[i].key)) last_told_ = i;
    // Our giving up was told after all that was known then, with what moved nothing.
    if (known_.status == Status::expired)
      for (std::size_t i = last_told_ ? *last_told_ + 1 : 0; i < history_.size(); ++i)
        if (was_known(history_[i])) last_told_ = i;
    // What holds was told, though another event may say it by now (is_told_and_holds()).
    for (const Step& step : folded_.steps)
      if (step.to == known_.status && was_told(step.to) && was_known(cause(step)))
        last_told_ = std::max(last_told_, std::optional(step.entry));
  }

  /// An event that was told as something else counts as told.
  bool lies_within_told(const Step& step) const { return step.entry <= last_told_; }

  /// The last step is the one that gave the present status. (Where our giving up holds, that did not change.)
  bool changes_present(const Step& step) const {
    return &step == &folded_.steps.back() && folded_.status != known_.status;
  }

  bool is_news(const Step& step) const {
    if (told_.contains({.event_key = cause(step).key, .status = step.to, .inferred = step.inferred})) return false;
    if (changes_present(step)) return true;
    if (cause(step).known.baseline) return false;
    if (step.inferred) return !was_told(step.to);
    return !lies_within_told(step) || step.to == Status::attempt_failed || !was_told(step.to);
  }

  bool is_late(const Step& step) const { return lies_within_told(step) && !changes_present(step); }

  /// Another event says now what was told to be the present status, since the one that did so has another meaning.
  bool is_told_and_holds(const Step& step) const {
    if (is_late(step) || step.to != present_ || !was_told(step.to) || step.to == Status::attempt_failed) return false;
    return step.to != Status::exception || step.reason == known_.reason;
  }

  ShipmentTransition transition(const Step& step) {
    const HistoryEntry& entry = cause(step);
    const TrackingEvent& event = entry.known.event;
    ShipmentTransition transition;
    transition.event_key = entry.key;
    transition.from = step.from;
    transition.to = step.to;
    transition.reason = step.reason;
    transition.attempt = step.attempt;
    transition.occurred_at = event.occurred_at;
    transition.inferred = step.inferred;
    if (!step.inferred) {  // else the carrier's words are about what followed
      transition.code = event.code;
      transition.text = event.text;
      transition.place = event.place;
    }
    transition.late = is_late(step);
    if (!transition.late) {
      // For whoever goes by these alone they make a chain, though the history may know better.
      transition.from = present_;
      present_ = step.to;
    }
    transition.correction = is_terminal(transition.from) || is_terminal(step.from);
    return transition;
  }

  const KnownShipment& known_;
  const History& history_;
  const Folded& folded_;
  std::set<EmittedStep> told_;
  std::bitset<status_count> told_statuses_;
  std::optional<std::size_t> last_told_;  ///< index in the history
  Status present_;                        ///< after what was told and is not late
};

}  // namespace

std::vector<ShipmentTransition> untold_transitions(const KnownShipment& known, const History& history,
                                                   const Folded& folded) {
  return Teller(known, history, folded).tell();
}

}  // namespace remitod::db
