// What the database knows of sinks: how far each has come, which letters wait or are dead, and which program sends. A
// letter is a transition on its way to one sink. Each function runs inside the transaction of its caller, like those of
// stores.h; the tables are described in README.md of this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/tracking.h"
#include "db/stores.h"

namespace remitod::db {

/// So many letters of a sink wait at most; the transitions after them stay where they are until there is room.
inline constexpr std::size_t sink_letters_max = 10'000;
/// So many dead letters of a sink are remembered, the newest. Older ones can be replayed by their seq.
inline constexpr std::size_t dead_letters_max = 100'000;

/// All that the public columns of `transitions` say.
struct ToldTransition : Transition {
  int cycle = 0;
  std::string code;
  std::string place;
  std::string zone_source;
  bool date_only = false;
};

struct SinkLetter {
  ToldTransition transition;
  int attempts = 0;
  std::optional<Instant> next_try_at;  ///< absent: it has no row yet
};

/// A sink's row, as whoever sends sees it.
struct SinkLease {
  std::int64_t fencing_token = 0;
  std::int64_t cursor_seq = 0;
  std::int64_t revision = 0;  ///< differs from the last one: somebody put letters back or enabled the sink
  std::optional<Instant> disabled_at;
  std::string disabled_why;
};

/// Those that were never seen begin behind the last transition of now. At start, before anything is told: a sink that
/// began with its first claim would miss what is told while the database keeps that waiting. Returns how many are new.
DbResult<std::size_t> begin_sinks(Session& session, std::span<const std::string> sinks);

/// Makes `owner` the one who sends, until `lease_expires_at`; nothing while the lease of another holds. `owner` is the
/// same after a restart, so that a daemon that was killed need not wait for its own lease. A sink that was never seen
/// begins behind the last transition of now.
DbResult<std::optional<SinkLease>> claim_sink(Session& session, std::string_view sink, std::string_view owner,
                                              Instant now, Instant lease_expires_at);
/// For a clean stop: others need not wait for the lease to run out.
DbResult<void> release_sink(Session& session, std::string_view sink, std::int64_t fencing_token);

/// Letters that wait, by seq.
DbResult<std::vector<SinkLetter>> load_waiting_letters(Session& session, std::string_view sink);
/// All transitions after `after_seq`, by seq; those that have a row, waiting or dead, come with their next_try_at.
DbResult<std::vector<SinkLetter>> load_letters_after(Session& session, std::string_view sink, std::int64_t after_seq,
                                                     std::size_t limit);

/// What became of letters since the last time.
struct SinkChanges {
  struct Failed {
    std::int64_t seq = 0;
    bool dead = false;
    int attempts = 0;  ///< 0: it waits behind another
    Instant next_try_at{};
    std::optional<Instant> failed_at;
    std::string error;
    friend bool operator==(const Failed&, const Failed&) = default;
  };
  std::int64_t cursor_seq = 0;
  std::vector<std::int64_t> delivered;  ///< of those that have a row
  std::vector<Failed> failed;
  std::optional<std::string> disabled_why;
  friend bool operator==(const SinkChanges&, const SinkChanges&) = default;
};
struct SavedSink {
  SinkLease lease;
  std::int64_t dead_forgotten = 0;  ///< those over dead_letters_max
};
/// Writes the changes and renews the lease. Nothing, and nothing is written, if the lease has passed to another.
DbResult<std::optional<SavedSink>> save_sink(Session& session, std::string_view sink, std::int64_t fencing_token,
                                             const SinkChanges& changes, Instant now, Instant lease_expires_at);

/// What is to be sent again.
struct ReplayTarget {
  enum class Kind : std::uint8_t {
    dead,   ///< the dead letters of every sink
    sink,   ///< those of one sink; and what waits there is tried now
    range,  ///< transitions of one sink, whatever became of them
  };
  Kind kind = Kind::dead;
  std::string sink;
  std::int64_t first_seq = 0, last_seq = 0;
  /// "dead", "SINK" or "SINK:SEQ..SEQ".
  static std::optional<ReplayTarget> parse(std::string_view text);
};
struct Replayed {
  std::int64_t letters = 0;  ///< that wait now, and are due
  std::int64_t left = 0;     ///< for which there was no room (sink_letters_max)
};
/// Puts letters of this sink back, with all their attempts before them. Transitions after the cursor are left out: they
/// are sent anyway.
DbResult<Replayed> replay_letters(Session& session, std::string_view sink, const ReplayTarget& target, Instant now);

/// False: it was not disabled.
DbResult<bool> enable_sink(Session& session, std::string_view sink);

struct SinkView {
  std::string sink;
  std::int64_t cursor_seq = 0;
  std::int64_t waiting = 0, dead = 0;
  std::optional<Instant> oldest_waiting_since;  ///< when the oldest that the receiver does not have got its seq
  std::optional<Instant> disabled_at;
  std::string disabled_why;
};
DbResult<std::vector<SinkView>> view_sinks(Session& session);

}  // namespace remitod::db
