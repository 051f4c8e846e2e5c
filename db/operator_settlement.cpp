#include "db/operator_settlement.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "db/json_rows.h"
#include "db/session.h"

namespace remitod::db {
namespace {

using Action = OperatorSettlement::Action;

// A key that looks like a number is a key first.
constexpr Sql find_sql{
    R"(select id, order_number, carrier, state from remito_requests
       where accepted_at is not null and (request_key = :request or id = :id)
       order by case when request_key = :request then 0 else 1 end limit 1)",
    R"(select id, order_number, carrier, state from remito_requests
       where accepted_at is not null and (request_key = :request::text or id = :id::bigint)
       order by case when request_key = :request::text then 0 else 1 end limit 1 for update)"};

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
    "update remito_requests set unclear_calls = 0, attempts = 0, proposed_remito = '' where id = :id",
    "update remito_requests set unclear_calls = 0, attempts = 0, proposed_remito = '' where id = :id::bigint"};

struct Found {
  std::int64_t request_id = 0;
  std::string order_number, carrier, state;
};

std::optional<Found> find(Session& session, const std::string& request) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(request.data(), request.data() + request.size(), id);
  if (error != std::errc{} || end != request.data() + request.size()) id = 0;
  Found found;
  if (!session.query_row(find_sql, {{"request", storable(request)}, {"id", id}},
                         {&found.request_id, &found.order_number, &found.carrier, &found.state}))
    return std::nullopt;
  return found;
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

DbResult<std::expected<OperatorSettled, NotSettled>> settle_by_operator(Session& session,
                                                                        const OperatorSettlement& settlement,
                                                                        Instant now) {
  using Result = std::expected<OperatorSettled, NotSettled>;
  const auto found = find(session, settlement.request);
  if (!found)
    return Result(std::unexpected(
        NotSettled{NotSettled::Why::unknown_request, "there is no remito request " + settlement.request}));
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
