// Numbers that carriers give ahead. Taking one is counting `taken` up in the transaction that uses it, so a number is
// gone exactly when its use is committed, and an abandoned transaction puts it back.
#include "db/json_rows.h"
#include "db/session.h"
#include "db/stores.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace remitod::db {
namespace {

using nlohmann::json;

// Of two overlapping ranges neither transaction would see the other's. The number is arbitrary, ours alone ("ranges" on
// a telephone keypad).
constexpr Sql lock_ranges_sql{"", "select pg_advisory_xact_lock(726437)"};

constexpr Sql stated_sql{
    R"(select id, carrier, first_number, last_number from remito_ranges where accepted_at is null
       order by id limit :limit)",
    R"(select id, carrier, first_number, last_number from remito_ranges where accepted_at is null
       order by id limit :limit::bigint for update skip locked)"};

// Numbers of one length compare as texts, character by character, as they do as numbers.
constexpr Sql overlapping_sql{
    R"(select first_number || ' to ' || last_number from remito_ranges
       where carrier = :carrier and accepted_at is not null and error = ''
         and length(first_number) = length(:first) and first_number <= :last and last_number >= :first
       order by id limit 1)",
    R"(select first_number || ' to ' || last_number from remito_ranges
       where carrier = :carrier::text and accepted_at is not null and error = ''
         and length(first_number) = length(:first::text)
         and first_number <= :last::text collate "C" and last_number >= :first::text collate "C"
       order by id limit 1)"};

constexpr Sql accept_sql{
    "update remito_ranges set accepted_at = :now, numbers = :numbers, error = :error "
    "where id = :id and accepted_at is null",
    "update remito_ranges set accepted_at = :now::bigint, numbers = :numbers::bigint, error = :error::text "
    "where id = :id::bigint and accepted_at is null"};

constexpr Sql insert_sql{
    R"(insert into remito_ranges (carrier, first_number, last_number, stated_at, accepted_at, numbers)
       values (:carrier, :first, :last, :now, :now, :numbers))",
    R"(insert into remito_ranges (carrier, first_number, last_number, stated_at, accepted_at, numbers)
       values (:carrier, :first, :last, :now::bigint, :now::bigint, :numbers::bigint))"};

constexpr Sql left_sql{
    "select coalesce(sum(numbers - taken), 0) from remito_ranges where carrier = :carrier and taken < numbers",
    "select cast(coalesce(sum(numbers - taken), 0) as bigint) from remito_ranges "
    "where carrier = :carrier and taken < numbers"};

// Another worker that takes at the same time waits for our commit and then sees what we took.
constexpr Sql open_ranges_sql{
    R"(select id, first_number, taken, numbers from remito_ranges
       where carrier = :carrier and taken < numbers order by id limit :limit)",
    R"(select id, first_number, taken, numbers from remito_ranges
       where carrier = :carrier and taken < numbers order by id limit :limit::bigint for update)"};

constexpr Sql take_sql{
    R"(update remito_ranges set taken = t.taken
       from (select value ->> 'id' as id, value ->> 'taken' as taken from json_each(:taken)) as t
       where remito_ranges.id = t.id)",
    R"(update remito_ranges set taken = t.taken
       from jsonb_to_recordset(:taken::jsonb) as t (id bigint, taken bigint)
       where remito_ranges.id = t.id)"};

constexpr Sql used_sql{
    R"(select remito from shipments where carrier = :carrier and remito in (select value from json_each(:remitos)))",
    R"(select remito from shipments
       where carrier = :carrier and remito in (select value from jsonb_array_elements_text(:remitos::jsonb)))"};

constexpr Sql claim_refill_sql{
    R"(insert into remito_refills (carrier, next_try_at) values (:carrier, :until)
       on conflict (carrier) do update set next_try_at = :until where remito_refills.next_try_at <= :now
       returning failures)",
    R"(insert into remito_refills (carrier, next_try_at) values (:carrier, :until::bigint)
       on conflict (carrier) do update set next_try_at = :until::bigint
         where remito_refills.next_try_at <= :now::bigint
       returning failures)"};

constexpr Sql end_refill_sql{
    R"(update remito_refills
       set next_try_at = :next_try_at, error = :error, failures = case :error when '' then 0 else failures + 1 end
       where carrier = :carrier and next_try_at = :claimed_until)",
    R"(update remito_refills
       set next_try_at = :next_try_at::bigint, error = :error::text,
           failures = case :error::text when '' then 0 else failures + 1 end
       where carrier = :carrier and next_try_at = :claimed_until::bigint)"};

void lock_ranges(Session& session) {
  if (session.engine() == DatabaseUrl::Engine::postgresql) session.execute(lock_ranges_sql);
}

/// How many numbers a range brings that no other range of the carrier has, or why it cannot be taken in.
std::expected<std::int64_t, std::string> judge(Session& session, std::string_view carrier, const NumberRange& range) {
  auto numbers = count_numbers(range);
  if (!numbers) return numbers;
  std::string other;
  if (session.query_row(overlapping_sql, {{"carrier", carrier}, {"first", range.first}, {"last", range.last}},
                        {&other}))
    return std::unexpected(range.first + " to " + range.last + ": overlaps " + other + ", which is here already");
  return numbers;
}

}  // namespace

DbResult<std::size_t> accept_number_ranges(Session& session, Instant now, std::size_t limit) {
  struct Stated {
    std::int64_t id = 0;
    std::string carrier;
    NumberRange range;
  };
  std::vector<Stated> stated;
  Stated row;
  lock_ranges(session);
  session.query(stated_sql, {{"limit", limit}}, {&row.id, &row.carrier, &row.range.first, &row.range.last},
                [&] { stated.push_back(row); });
  for (const Stated& one : stated) {
    const auto numbers = judge(session, one.carrier, one.range);
    session.execute(accept_sql, {{"id", one.id},
                                 {"now", now},
                                 {"numbers", numbers.value_or(0)},
                                 {"error", numbers ? std::string{} : numbers.error()}});
  }
  return stated.size();
}

DbResult<std::expected<std::int64_t, std::string>> add_number_ranges(Session& session, std::string_view carrier,
                                                                     std::span<const NumberRange> ranges, Instant now) {
  lock_ranges(session);
  std::vector<std::int64_t> counts;
  for (const NumberRange& range : ranges) {
    const auto numbers = judge(session, carrier, range);
    if (!numbers) return numbers;
    counts.push_back(*numbers);
  }
  std::int64_t total = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    session.execute(insert_sql, {{"carrier", carrier},
                                 {"first", ranges[i].first},
                                 {"last", ranges[i].last},
                                 {"numbers", counts[i]},
                                 {"now", now}});
    total += counts[i];
  }
  return total;
}

DbResult<std::int64_t> numbers_left(Session& session, std::string_view carrier) {
  std::int64_t left = 0;
  session.query_row(left_sql, {{"carrier", carrier}}, {&left});
  return left;
}

DbResult<std::vector<std::string>> take_numbers(Session& session, std::string_view carrier, std::size_t count) {
  std::vector<std::string> numbers;
  json ranges = json::array();
  std::string first;
  std::int64_t id = 0, taken = 0, size = 0;
  session.query(open_ranges_sql, {{"carrier", carrier}, {"limit", count}}, {&id, &first, &taken, &size}, [&] {
    const std::int64_t before = taken;
    while (taken < size && numbers.size() < count) numbers.push_back(number_at(first, taken++));
    if (taken != before) ranges.push_back({{"id", id}, {"taken", taken}});
  });
  if (!numbers.empty()) session.execute(take_sql, {{"taken", to_parameter(ranges)}});
  return numbers;
}

DbResult<std::vector<std::string>> remitos_used(Session& session, std::string_view carrier,
                                                std::span<const std::string> remitos) {
  std::vector<std::string> used;
  std::string remito;
  session.query(used_sql, {{"carrier", carrier}, {"remitos", texts_parameter(remitos)}}, {&remito},
                [&] { used.push_back(remito); });
  return used;
}

DbResult<std::optional<int>> claim_refill(Session& session, std::string_view carrier, Instant now, Instant until) {
  int failures = 0;
  if (session.query_row(claim_refill_sql, {{"carrier", carrier}, {"now", now}, {"until", until}}, {&failures}))
    return failures;
  return std::nullopt;
}

DbResult<void> end_refill(Session& session, std::string_view carrier, Instant claimed_until, std::string_view problem,
                          Instant next_try_at) {
  session.execute(end_refill_sql, {{"carrier", carrier},
                                   {"claimed_until", claimed_until},
                                   {"error", storable(problem)},
                                   {"next_try_at", next_try_at}});
  return {};
}

}  // namespace remitod::db
