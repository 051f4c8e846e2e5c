#include "carriers/profile.h"

#include <utility>

#include "carriers/compiled.h"

namespace remitod::carriers {

std::string ProfileError::to_string() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (!key.empty()) text += ": " + key;
  return text + ": " + message;
}

Profile::Profile(std::shared_ptr<const CompiledProfile> compiled, std::string name)
    : compiled_(std::move(compiled)), name_(std::move(name)) {}

const std::string& Profile::title() const {
  return compiled_->title;
}
std::uint64_t Profile::revision() const {
  return compiled_->revision;
}
const ProfileLimits& Profile::limits() const {
  return compiled_->limits;
}
const std::string& Profile::zone() const {
  return compiled_->zone;
}
bool Profile::can_create() const {
  return compiled_->create.has_value();
}
bool Profile::can_track() const {
  return compiled_->track.has_value();
}
std::chrono::hours Profile::registration_grace() const {
  return compiled_->registration_grace;
}
std::chrono::hours Profile::give_up_after() const {
  return compiled_->give_up_after;
}
std::chrono::hours Profile::tail() const {
  return compiled_->tail;
}
Verified Profile::verified() const {
  return compiled_->verified;
}
std::shared_ptr<const TransportOptions> Profile::transport_options() const {
  return compiled_->transport;
}

}  // namespace remitod::carriers
