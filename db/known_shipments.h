// What the database holds of some shipments, read in as few statements as there are tables.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "db/reconcile.h"

namespace remitod::db {

class Session;

/// A row of `shipments` with what belongs to it.
struct StoredShipment {
  KnownShipment known;
  std::optional<Instant> status_at;
  std::optional<Instant> terminal_at;
  std::optional<Instant> ended_at;
  std::string remito;
  bool number_is_anothers = false;  ///< the carrier has given it again since: what it says now is of that shipment
  bool erased = false;  ///< its events are gone, or lost what tells one from another: nothing can be reconciled
};

/// Of these ids (a JSON array), the ones that exist. Their rows stay locked until the transaction ends, so that nothing
/// is decided on what somebody else is about to change.
std::map<std::int64_t, StoredShipment> lock_known_shipments(Session& session, const std::string& ids);

/// Every event of these shipments, oldest first.
void load_events(Session& session, const std::string& ids,
                 const std::function<void(std::int64_t shipment_id, KnownEvent event)>& each);

}  // namespace remitod::db
