#include "tests/sim/mutation.h"

#include <array>

namespace remitod::sim {
namespace {

constexpr std::array cases{
    MutationCase{Mutation::send_creates_twice, "send_creates_twice", "duplicate_shipment"},
    MutationCase{Mutation::ignore_rate, "ignore_rate", "rate"},
    MutationCase{Mutation::ignore_concurrency, "ignore_concurrency", "concurrency"},
    MutationCase{Mutation::ignore_quota, "ignore_quota", "quota"},
    MutationCase{Mutation::poll_what_ended, "poll_what_ended", "polled_after_end"},
    MutationCase{Mutation::forget_shipment, "forget_shipment", "waited_too_long"},
    MutationCase{Mutation::tell_twice, "tell_twice", "told_twice"},
    MutationCase{Mutation::lose_transition, "lose_transition", "chain"},
    MutationCase{Mutation::skip_seq, "skip_seq", "seq"},
    MutationCase{Mutation::swap_seqs, "swap_seqs", "seq"},
    MutationCase{Mutation::lose_event, "lose_event", "events_are_true"},
    MutationCase{Mutation::wrong_status, "wrong_status", "status_is_true"},
    MutationCase{Mutation::false_grant, "false_grant", "remitos_are_true"},
    MutationCase{Mutation::grant_again, "grant_again", "settled_again"},
    MutationCase{Mutation::stuck_request, "stuck_request", "requests_are_settled"},
    MutationCase{Mutation::lose_letter, "lose_letter", "letters_arrived"},
    MutationCase{Mutation::reorder_letters, "reorder_letters", "receiver_order"},
    MutationCase{Mutation::send_cancels_twice, "send_cancels_twice", "cancelled_twice"},
    MutationCase{Mutation::stuck_cancel, "stuck_cancel", "cancellations_are_settled"},
    MutationCase{Mutation::false_cancel, "false_cancel", "cancellations_are_true"},
    MutationCase{Mutation::refuse_again, "refuse_again", "order_may_ask_again"},
    MutationCase{Mutation::move_cancelled, "move_cancelled", "moved_after_cancel"},
    MutationCase{Mutation::ask_person, "ask_person", "people_are_asked_rightly"},
    MutationCase{Mutation::tell_late, "tell_late", "status_is_told"},
    MutationCase{Mutation::lose_attempt, "lose_attempt", "attempts_are_told"},
    MutationCase{Mutation::never_ready, "never_ready", "ready_once"},
    MutationCase{Mutation::forget_at_the_end, "forget_at_the_end", "lanes_are_complete"},
    MutationCase{Mutation::date_plans_back, "date_plans_back", "events_are_true"},
    MutationCase{Mutation::read_a_clock, "read_a_clock", "hash"},
};

}  // namespace

std::span<const MutationCase> mutations() {
  return cases;
}

std::optional<Mutation> mutation_from(std::string_view name) {
  for (const MutationCase& one : cases)
    if (one.name == name) return one.mutation;
  return std::nullopt;
}

}  // namespace remitod::sim
