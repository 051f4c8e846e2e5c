#include "db/operator_settlement.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using Action = OperatorSettlement::Action;

constexpr std::string_view key_prefix = "key:", id_prefix = "id:";

// Those not taken in yet, too: the number that is the key of one of them may be meant as that.
constexpr Sql find_sql{
    R"(select id, request_key, order_number, carrier, state, case when accepted_at is null then 0 else 1 end
       from remito_requests where request_key in (:request, :key) or id = :id order by id)",
    R"(select id, request_key, order_number, carrier, state, case when accepted_at is null then 0 else 1 end
       from remito_requests where request_key in (:request::text, :key::text) or id = :id::bigint
       order by id for update)"};

// From here on it is the person's: whoever else holds a claim has an old token.
constexpr Sql claim_sql{
    R"(update remito_requests
       set state = 'unknown', fencing_token = fencing_token + 1, next_step = '', retry_at = null, confirm_at = null,
           operator = :operator, operator_at = :now, operator_action = :action
       where id = :id and state in ('needs_operator', 'unknown', 'accepted')
       returning fencing_token)",
    R"(update remito_requests
       set state = 'unknown', fencing_token = fencing_token + 1, next_step = '', retry_at = null, confirm_at = null,
           operator = :operator::text, operator_at = :now::bigint, operator_action = :action::text
       where id = :id::bigint and state in ('needs_operator', 'unknown', 'accepted')
       returning fencing_token)"};

// What a person has sent anew is a new story: its calls are counted from the beginning.
constexpr Sql begin_anew_sql{
    "update remito_requests set unclear_calls = 0, attempts = 0, numbers_refused = 0, proposed_remito = '' where id = "
    ":id",
    "update remito_requests set unclear_calls = 0, attempts = 0, numbers_refused = 0, proposed_remito = '' where id = "
    ":id::bigint"};

struct Found {
  std::int64_t request_id = 0;
  std::string request_key, order_number, carrier, state;
  bool is_taken_in = false;
};

/// 0, which is nobody's: the text is none.
std::int64_t id_from(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

/// All that the text may mean: one request, unless the key of one is the id of another.
std::vector<Found> find(Session& session, const std::string& request) {
  const std::string_view text = request;
  const std::string key = storable(text.starts_with(key_prefix) ? text.substr(key_prefix.size()) : text);
  const std::int64_t id = id_from(text.starts_with(id_prefix) ? text.substr(id_prefix.size()) : text);
  std::vector<Found> all;
  Found row;
  session.query(find_sql, {{"request", storable(request)}, {"key", key}, {"id", id}},
                {&row.request_id, &row.request_key, &row.order_number, &row.carrier, &row.state, &row.is_taken_in},
                [&] { all.push_back(row); });
  return all;
}

NotSettled several(const std::string& request, const std::vector<Found>& all) {
  std::string names;
  for (const Found& one : all)
    names += (names.empty() ? "" : " and ") + std::string(key_prefix) + one.request_key + " (id " +
             std::to_string(one.request_id) + ", order " + one.order_number + ")";
  return {NotSettled::Why::ambiguous, request + " is the key of one remito request and the id of another: " + names +
                                          ". Name the one that is meant"};
}

/// The one that is meant, or why there is none.
std::expected<Found, NotSettled> find_one(Session& session, const std::string& request) {
  const std::vector<Found> all = find(session, request);
  if (all.size() > 1) return std::unexpected(several(request, all));
  if (all.empty() || !all.front().is_taken_in)
    return std::unexpected(NotSettled{NotSettled::Why::unknown_request, "there is no remito request " + request});
  return all.front();
}

std::string in_words(const OperatorSettlement& settlement) {
  switch (settlement.action) {
    case Action::adopt:
      return "adopted remito " + settlement.text;
    case Action::refuse:
      return "refused: " + settlement.text;
    case Action::resend:
      return "to be sent anew";
  }
  std::unreachable();
}

RequestOutcome outcome_of(const OperatorSettlement& settlement, std::int64_t request_id, std::int64_t token,
                          Instant now) {
  RequestOutcome outcome;
  outcome.request_id = request_id;
  outcome.fencing_token = token;
  switch (settlement.action) {
    case Action::adopt:
      outcome.kind = RequestOutcome::Kind::granted;
      outcome.remito = settlement.text;
      break;
    case Action::refuse:
      outcome.kind = RequestOutcome::Kind::refused;
      outcome.code = "operator";
      outcome.text = settlement.text;
      break;
    case Action::resend:
      outcome.kind = RequestOutcome::Kind::not_made;
      outcome.retry_at = now;
      break;
  }
  return outcome;
}

}  // namespace

std::string unmistakable(const std::string& request_key) {
  const bool may_be_more = id_from(request_key) != 0 || request_key.starts_with(key_prefix) ||
                           request_key.starts_with(id_prefix) || request_key.starts_with('-');
  return may_be_more ? std::string(key_prefix) + request_key : request_key;
}

DbResult<std::expected<OperatorSettled, NotSettled>> settle_by_operator(Session& session,
                                                                        const OperatorSettlement& settlement,
                                                                        Instant now) {
  using Result = std::expected<OperatorSettled, NotSettled>;
  const auto found = find_one(session, settlement.request);
  if (!found) return Result(std::unexpected(found.error()));
  if (found->state != "needs_operator" && found->state != "unknown" && found->state != "accepted")
    return Result(std::unexpected(NotSettled{
        NotSettled::Why::wrong_state, "request " + settlement.request + " is " + found->state +
                                          ": only one that needs_operator, is unknown or accepted can be settled"}));
  if (settlement.action == Action::adopt) {
    const auto open = find_open_shipments(session, found->carrier, std::span{&settlement.text, 1});
    if (!open) return std::unexpected(open.error());
    // What was cancelled is not in use: a person may know that the carrier has taken it up again.
    if (std::ranges::any_of(*open, [](const OpenShipment& one) { return one.status != Status::cancelled; }))
      return Result(
          std::unexpected(NotSettled{NotSettled::Why::remito_in_use,
                                     "another open shipment of " + found->carrier + " has remito " + settlement.text +
                                         ": remitod --status " + found->carrier + ":" + settlement.text}));
  }
  std::int64_t token = 0;
  const bool ours = session.query_row(claim_sql,
                                      {{"id", found->request_id},
                                       {"operator", storable(settlement.operator_name)},
                                       {"action", storable(in_words(settlement))},
                                       {"now", now}},
                                      {&token});
  if (!ours)
    return Result(std::unexpected(
        NotSettled{NotSettled::Why::wrong_state, "request " + settlement.request + " has just been taken up"}));
  const RequestOutcome outcome = outcome_of(settlement, found->request_id, token, now);
  const auto settled = settle_requests(session, std::span{&outcome, 1}, now);
  if (!settled) return std::unexpected(settled.error());
  // Somebody else's shipment has come in between: as if nothing had been done.
  if (settled->front().remito_in_use)
    return std::unexpected(DbError{DbError::Kind::busy, "", "remito " + settlement.text + " has just been taken"});
  if (settlement.action == Action::resend) session.execute(begin_anew_sql, {{"id", found->request_id}});
  const auto views = view_requests(session, found->order_number);
  if (!views) return std::unexpected(views.error());
  return Result(OperatorSettled{*std::ranges::find(*views, found->request_id, &RequestView::request_id),
                                settled->front().shipment});
}

}  // namespace remitod::db
