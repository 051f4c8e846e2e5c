// Rules broken on purpose, at the simulation's own edge: each has to be caught, and by the check that names it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace remitod::sim {

enum class Mutation : std::uint8_t {
  none,
  send_creates_twice,  ///< the wire re-sends what asks for a shipment
  ignore_rate,         ///< the lane is told thrice the carrier's rate
  ignore_concurrency,  ///< likewise, its concurrency
  ignore_quota,        ///< the lane is told nothing of the carrier's requests an hour
  poll_what_ended,     ///< a shipment that is over is put back into its lane
  forget_shipment,     ///< one is taken out of its lane
  tell_twice,          ///< a transition is copied
  lose_transition,     ///< one is deleted before it gets its seq
  skip_seq,            ///< a seq is left out
  swap_seqs,           ///< two transitions of a shipment change places
  lose_event,          ///< a tracking event is deleted
  wrong_status,        ///< a shipment is said to be elsewhere
  false_grant,         ///< a granted request has another number than the carrier's
  grant_again,         ///< a settled request is put back
  stuck_request,       ///< a request waits for a time that does not come
  lose_letter,         ///< the webhook is told to be delivered, and was not sent
  reorder_letters,     ///< a letter is kept back until the next one of its order is
                       ///< out
  send_cancels_twice,  ///< the wire re-sends what asks to cancel a shipment
  stuck_cancel,        ///< a cancellation waits for an answer that does not come
  false_cancel,        ///< one that the carrier refused is said to be done
  refuse_again,        ///< an order that was cancelled is not let ask again
  move_cancelled,      ///< a cancelled shipment is said to move
  ask_person,          ///< a person is asked to decide what is clear
  tell_late,           ///< a transition is marked as late
  lose_attempt,        ///< a failed attempt is told as something else
  never_ready,         ///< an order is not told to be ready
  forget_at_the_end,   ///< a shipment is taken out of its lane just before the end
  date_plans_back,     ///< carriers date what they plan as if it had happened
  read_a_clock,        ///< latencies depend on the wall's clock
};

struct MutationCase {
  Mutation mutation;
  std::string_view name;
  std::string_view caught_by;  ///< the check, or "hash": two runs of a seed differ
};
std::span<const MutationCase> mutations();
constexpr bool breaks_at_the_end(Mutation mutation) {
  return mutation == Mutation::lose_attempt || mutation == Mutation::forget_at_the_end;
}
std::optional<Mutation> mutation_from(std::string_view name);

}  // namespace remitod::sim
