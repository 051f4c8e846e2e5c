// Letters that go back to a sink because somebody says so, and sinks that do.
#include <algorithm>
#include <charconv>

#include "db/session.h"
#include "db/sinks.h"

namespace remitod::db {
namespace {

constexpr Sql lock_sql{"select cursor_seq from sinks where name = :sink",
                       "select cursor_seq from sinks where name = :sink for update"};

constexpr Sql counts_sql{
    R"(select (select count(*) from sink_letters where sink = :sink and state = 'waiting'),
              (select count(*) from sink_letters where sink = :sink and state = 'dead'))"};

constexpr Sql dead_again_sql{
    R"(update sink_letters set state = 'waiting', attempts = 0, next_try_at = :now
       where sink = :sink and seq in
         (select seq from sink_letters where sink = :sink and state = 'dead' order by seq limit :limit))",
    R"(update sink_letters set state = 'waiting', attempts = 0, next_try_at = :now::bigint
       where sink = :sink and seq in
         (select seq from sink_letters where sink = :sink and state = 'dead' order by seq limit :limit::bigint))"};

constexpr Sql waiting_now_sql{
    "update sink_letters set attempts = 0, next_try_at = :now where sink = :sink and state = 'waiting'",
    "update sink_letters set attempts = 0, next_try_at = :now::bigint where sink = :sink and state = 'waiting'"};

constexpr Sql in_range_sql{
    R"(select count(*), (select count(*) from sink_letters
                         where sink = :sink and seq between :first and :last and state = 'waiting')
       from transitions where seq between :first and :last)",
    R"(select count(*), (select count(*) from sink_letters
                         where sink = :sink and seq between :first::bigint and :last::bigint and state = 'waiting')
       from transitions where seq between :first::bigint and :last::bigint)"};

constexpr Sql range_again_sql{
    R"(insert into sink_letters (sink, seq, state, attempts, next_try_at)
       select :sink, seq, 'waiting', 0, :now from transitions where seq between :first and :last
       order by seq limit :limit
       on conflict (sink, seq) do update set state = 'waiting', attempts = 0, next_try_at = excluded.next_try_at)",
    R"(insert into sink_letters (sink, seq, state, attempts, next_try_at)
       select :sink::text, seq, 'waiting', 0, :now::bigint from transitions
       where seq between :first::bigint and :last::bigint order by seq limit :limit::bigint
       on conflict (sink, seq) do update set state = 'waiting', attempts = 0, next_try_at = excluded.next_try_at)"};

constexpr Sql revise_sql{"update sinks set revision = revision + 1 where name = :sink"};

constexpr Sql enable_sql{
    "update sinks set disabled_at = null, disabled_why = '', revision = revision + 1 "
    "where name = :sink and disabled_at is not null"};

std::optional<std::int64_t> parse_seq(std::string_view text) {
  std::int64_t seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc{} || end != text.data() + text.size() || seq < 1) return std::nullopt;
  return seq;
}

std::int64_t room_beside(std::int64_t waiting) {
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(sink_letters_max) - waiting);
}

Replayed replay_range(Session& session, std::string_view sink, std::int64_t first, std::int64_t last,
                      std::int64_t waiting, Instant now) {
  std::int64_t wanted = 0, waiting_already = 0;
  session.query_row(in_range_sql, {{"sink", sink}, {"first", first}, {"last", last}}, {&wanted, &waiting_already});
  const std::int64_t letters = std::min(wanted, room_beside(waiting) + waiting_already);
  session.execute(range_again_sql,
                  {{"sink", sink}, {"first", first}, {"last", last}, {"limit", letters}, {"now", now}});
  return {letters, wanted - letters};
}

}  // namespace

std::optional<ReplayTarget> ReplayTarget::parse(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "dead") return ReplayTarget{};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return ReplayTarget{Kind::sink, std::string(text), 0, 0};
  const std::string_view range = text.substr(colon + 1);
  const std::size_t dots = range.find("..");
  if (colon == 0 || dots == std::string_view::npos) return std::nullopt;
  const auto first = parse_seq(range.substr(0, dots)), last = parse_seq(range.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  return ReplayTarget{Kind::range, std::string(text.substr(0, colon)), *first, *last};
}

DbResult<Replayed> replay_letters(Session& session, std::string_view sink, const ReplayTarget& target, Instant now) {
  std::int64_t cursor = 0, waiting = 0, dead = 0;
  if (!session.query_row(lock_sql, {{"sink", sink}}, {&cursor})) return Replayed{};
  session.query_row(counts_sql, {{"sink", sink}}, {&waiting, &dead});
  Replayed replayed;
  if (target.kind == ReplayTarget::Kind::range) {
    replayed = replay_range(session, sink, target.first_seq, std::min(target.last_seq, cursor), waiting, now);
  } else {
    replayed.letters = session.execute(dead_again_sql,
                                       {{"sink", sink}, {"limit", std::min(dead, room_beside(waiting))}, {"now", now}});
    replayed.left = dead - replayed.letters;
    if (target.kind == ReplayTarget::Kind::sink)
      replayed.letters = session.execute(waiting_now_sql, {{"sink", sink}, {"now", now}});
  }
  session.execute(revise_sql, {{"sink", sink}});
  return replayed;
}

DbResult<bool> enable_sink(Session& session, std::string_view sink) {
  return session.execute(enable_sql, {{"sink", sink}}) == 1;
}

}  // namespace remitod::db
