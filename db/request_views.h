// Requests as people see them: the columns are the same wherever they are asked for. Private to this folder.
#pragma once

#include <initializer_list>
#include <vector>

#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {

/// A statement that gives id, request_key, order_number, carrier, state, remito, refusal_code, refusal_text,
/// client_ref, operator_action, parcel_group, attempts, requested_at, settled_at.
std::vector<RequestView> query_requests(Session& session, const Sql& sql, std::initializer_list<Parameter> parameters);

}  // namespace remitod::db
