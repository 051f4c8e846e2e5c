// All XPaths that are asked of an answer about shipments, for those who judge what reading one costs. Private to
// carriers/.
#pragma once

#include <functional>
#include <string>

#include "carriers/compiled.h"

namespace remitod::carriers {

/// `key` is the expression's, from the operation's table on: "answer.shipments", "event.time", "status.3.when".
/// `per_node`: it is asked of every shipment or event, not once of the document.
using VisitExpression = std::function<void(const std::string& key, const Query& query, bool per_node)>;
void visit_expressions(const ReportRules& rules, const VisitExpression& visit);

/// One of them has a quadratic_part (xpath_cost.h).
bool has_quadratic_part(const ReportRules& rules);

/// One of them, asked of the rows of a table (CSV, fixed width), looks at more than one row: at a neighbour, at the
/// whole document, or at where among the others a row stands. A guess from the text, which finds too many rather than
/// too few.
bool looks_beyond_rows(const ReportRules& rules);

}  // namespace remitod::carriers
