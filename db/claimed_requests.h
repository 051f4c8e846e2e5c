// Claimed requests as rows: the columns are the same wherever one is claimed.
#pragma once

#include <initializer_list>
#include <vector>

#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {

/// A statement that returns id, request_key, order_number, parcel_group, carrier, service, payload, client_ref,
/// attempts, fencing_token, proposed_remito, confirm_until, accepted_at, first_sent_at, unclear_at, unclear_calls,
/// looks, numbers_refused, refusal_text. In the order of their ids.
std::vector<RemitoRequest> query_claimed(Session& session, const Sql& sql, std::initializer_list<Parameter> parameters);

}  // namespace remitod::db
