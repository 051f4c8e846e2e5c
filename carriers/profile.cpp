#include "carriers/profile.h"

#include <algorithm>
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
bool Profile::can_find() const {
  return compiled_->find.has_value();
}
bool Profile::can_cancel() const {
  return compiled_->cancel.has_value();
}
bool Profile::can_quote() const {
  return compiled_->quote.has_value();
}
bool Profile::can_feed() const {
  return compiled_->feed.has_value();
}
const FeedSchedule* feed_schedule(const Profile& profile) {
  const auto& feed = profile.compiled().feed;
  return feed ? &feed->schedule : nullptr;
}
bool Profile::has_session() const {
  return compiled_->session.has_value();
}
bool Profile::track_needs_random() const {
  return compiled_->track && compiled_->track->request.uses_uuid;
}
std::chrono::milliseconds Profile::longest_call() const {
  std::chrono::milliseconds longest = compiled_->transport->total_timeout;
  const auto note = [&longest](const auto& operation) {
    if (operation) longest = std::max(longest, operation->request.timeout);
  };
  note(compiled_->track);
  note(compiled_->create);
  note(compiled_->confirm);
  note(compiled_->find);
  note(compiled_->cancel);
  if (compiled_->cancel) note(compiled_->cancel->lookup);
  if (compiled_->create && compiled_->create->range) note(compiled_->create->range->operation);
  if (!compiled_->session) return longest;
  const SessionRules& session = *compiled_->session;
  note(session.refresh);
  for (const LoginStep& step : session.login) longest = std::max(longest, step.request.timeout);
  // A login may have to begin with a refresh that fails.
  const auto requests_of_login = static_cast<int>(session.login.size()) + (session.refresh ? 1 : 0);
  return longest * (2 * (requests_of_login + 1));
}
bool Profile::track_is_costly() const {
  return compiled_->track && compiled_->track->is_costly;
}
const StatedTexts& Profile::publishes() const {
  return compiled_->publishes;
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
