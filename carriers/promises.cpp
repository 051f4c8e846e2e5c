#include "carriers/promises.h"

#include "carriers/compiled.h"
#include "carriers/parcels.h"
#include "carriers/payload.h"

namespace remitod::carriers {

Promises promises(const Profile& profile) {
  const CompiledProfile& compiled = profile.compiled();
  Promises result;
  result.can_find = compiled.find.has_value();
  if (compiled.find) result.visible_after = compiled.find->visible_after;
  if (!compiled.create) return result;
  const CreateOperation& create = *compiled.create;
  result.key_window = create.key_window;
  result.chooses_remito = !create.remito_is_order_number && !create.range;
  result.repeats_by_order = create.key_is_order_number && result.chooses_remito;
  return result;
}

std::optional<int> parcels_of(std::string_view payload) {
  const auto read = read_payload(payload);
  if (!read) return std::nullopt;
  return count_parcels(*read);
}

}  // namespace remitod::carriers
