// Reports that came unasked for, in a file or a feed: which of them are of shipments that are followed here.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "db/stores.h"

namespace remitod::daemon {

struct ToldReport {
  std::string remito;
  db::AppliedReport applied;
};
/// Reconciles those of shipments that are open, in the caller's one transaction. The others are left out.
db::DbResult<std::vector<ToldReport>> apply_told_reports(db::Session& session, const db::ApplyRules& rules,
                                                         std::span<const Report> reports, Instant now);

}  // namespace remitod::daemon
