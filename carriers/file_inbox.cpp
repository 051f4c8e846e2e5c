#include "carriers/file_inbox.h"

#include <algorithm>
#include <utility>

namespace remitod::carriers {

FileInbox::Plan FileInbox::look(std::span<const ListedFile> listing, Instant now) {
  Plan plan;
  std::map<std::string, Seen, std::less<>> seen;
  for (const ListedFile& file : listing) {
    const auto before = seen_.find(file.name);
    const bool unchanged = before != seen_.end() && before->second.file == file;
    const Seen& one =
        seen.insert_or_assign(file.name, unchanged ? before->second : Seen{.file = file, .since = now}).first->second;
    if (was_read(file)) {
      plan.done.push_back(file);
    } else if (now < one.since + settle_ || !unchanged) {
      const Instant complete = one.since + settle_;
      plan.next_complete = std::min(plan.next_complete.value_or(complete), complete);
    } else if (!one.refused) {
      plan.read.push_back(file);
    }
  }
  seen_ = std::move(seen);
  for (auto& [name, remembered] : remembered_) remembered.was_gone |= !seen_.contains(name);
  std::ranges::sort(plan.read, {}, &ListedFile::name);
  return plan;
}

void FileInbox::remember(const RememberedFile& remembered) {
  const auto [place, is_new] = remembered_.try_emplace(remembered.file.name);
  if (!is_new) forget_content(place->second.read.content);
  place->second = {.read = remembered};
  contents_.insert(remembered.content);
}

void FileInbox::taken_away(std::string_view name) {
  if (const auto remembered = remembered_.find(name); remembered != remembered_.end())
    remembered->second.was_gone = true;
  if (const auto seen = seen_.find(name); seen != seen_.end()) seen_.erase(seen);
}

void FileInbox::refuse(const ListedFile& file) {
  const auto seen = seen_.find(file.name);
  if (seen != seen_.end() && seen->second.file == file) seen->second.refused = true;
}

std::vector<std::string> FileInbox::forgettable() const {
  if (remembered_.size() < remembered_files_max) return {};
  std::vector<const RememberedFile*> gone;
  for (const auto& [name, remembered] : remembered_)
    if (!seen_.contains(name)) gone.push_back(&remembered.read);
  std::ranges::sort(gone, {}, &RememberedFile::read_at);
  gone.resize(std::min(gone.size(), remembered_.size() + 1 - remembered_files_max));
  std::vector<std::string> names;
  for (const RememberedFile* const each : gone) names.push_back(each->file.name);
  return names;
}

void FileInbox::forget(std::span<const std::string> names) {
  for (const std::string& name : names) {
    const auto place = remembered_.find(name);
    if (place == remembered_.end()) continue;
    forget_content(place->second.read.content);
    remembered_.erase(place);
  }
}

std::size_t FileInbox::refused() const {
  return static_cast<std::size_t>(std::ranges::count_if(seen_, [](const auto& one) { return one.second.refused; }));
}

bool FileInbox::was_read(const ListedFile& file) const {
  const auto found = remembered_.find(file.name);
  return found != remembered_.end() && !found->second.was_gone && found->second.read.file == file;
}

void FileInbox::forget_content(const std::string& content) {
  if (const auto one = contents_.find(content); one != contents_.end()) contents_.erase(one);
}

}  // namespace remitod::carriers
