#include "daemon/file_poller.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

#include "daemon/file_poller_carrier.h"
#include "daemon/log.h"

namespace remitod::daemon {
namespace {

using carriers::CarrierTrouble;
using carriers::FetchError;
using carriers::FileFeed;
using carriers::FileListing;
using carriers::ListedFile;
using carriers::TrackAnswer;

// Of the imperfections of one file, so many are logged one by one.
constexpr std::size_t lines_per_file = 10;

// In the archive every file has a name of its own, however often one is sent.
std::string archived_name(const std::string& name, Instant now) {
  std::string stamp = to_iso8601(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp + '-' + name;
}

}  // namespace

FilePoller::FilePoller(Runtime& runtime, Offload& offload, db::Executor& executor, RawKeeper& raw, Hooks hooks)
    : runtime_(runtime), offload_(offload), executor_(executor), raw_(raw), hooks_(std::move(hooks)) {}

FilePoller::~FilePoller() = default;

void FilePoller::add_carrier(std::shared_ptr<const carriers::Profile> profile,
                             std::unique_ptr<carriers::FileTransport> files, bool shadow) {
  Carrier& added = *carriers_.emplace_back(std::make_unique<Carrier>(*this, std::move(profile), std::move(files)));
  added.shadow = shadow;
  added.look_alarm = runtime_.alarm([this, &added] { look(added); });
}

void FilePoller::start() {
  for (const auto& carrier : carriers_) recall(*carrier);
}

void FilePoller::stop() {
  stopping_ = true;
  for (const auto& carrier : carriers_) {
    carrier->look_alarm->cancel();
    carrier->files->stop();
    const bool recalls = carrier->recall_retry.stop();
    const bool commits = carrier->told.stop();
    if (recalls || commits) carrier->busy = false;
  }
}

bool FilePoller::idle() const {
  return std::ranges::none_of(carriers_, [](const auto& carrier) { return carrier->busy; });
}

std::vector<FilePoller::CarrierView> FilePoller::carriers() const {
  std::vector<CarrierView> views;
  for (const auto& carrier : carriers_)
    views.push_back({*carrier->profile, carrier->counters, carrier->inbox.remembered()});
  return views;
}

std::vector<Trouble> FilePoller::trouble() const {
  std::vector<Trouble> found;
  for (const auto& carrier : carriers_) {
    const std::size_t refused = carrier->inbox.refused();
    std::string why = carrier->trouble;
    if (why.empty() && refused != 0)
      why = std::to_string(refused) + " file(s) cannot be read, the last of them " + carrier->refusal;
    if (!why.empty())
      found.push_back({"carrier", carrier->name(), why, 0, "carrier " + carrier->name() + " fails: " + why});
  }
  return found;
}

// ------------------------------------------------------------------ a look

void FilePoller::recall(Carrier& carrier) {
  carrier.busy = true;
  executor_.run<std::vector<db::ReadFile>>(
      [name = carrier.name()](db::Session& session) { return db::load_read_files(session, name); },
      [this, &carrier](db::DbResult<std::vector<db::ReadFile>> files) {
        if (!files) {
          log(Level::error, "read_files_not_loaded", {{"carrier", carrier.name()}, {"error", files.error().message}});
          if (stopping_) return rest(carrier, {});
          return carrier.recall_retry.wait();
        }
        carrier.busy = false;
        for (const db::ReadFile& file : *files)
          carrier.inbox.remember(
              {{file.name, static_cast<std::uint64_t>(file.bytes), file.modified}, file.content, file.read_at});
        look(carrier);
      });
}

void FilePoller::look(Carrier& carrier) {
  if (stopping_) return;
  carrier.busy = true;
  ++carrier.counters.looks;
  offload_.run(carrier.name(), [this, &carrier, files = carrier.files]() -> Runtime::Task {
    auto listing = files->list();
    return [this, &carrier, listing = std::move(listing)]() mutable { looked(carrier, std::move(listing)); };
  });
}

void FilePoller::looked(Carrier& carrier, std::expected<FileListing, FetchError> listing) {
  const Instant now = runtime_.now();
  if (!listing) {
    note_failure(carrier, "", carriers::name(listing.error().kind), listing.error().message);
    return rest(carrier, now + carrier.feed.interval);
  }
  for (const std::string& line : listing->unreadable)
    log(Level::warning, "listing_line_unreadable", {{"carrier", carrier.name()}, {"line", line}});
  if (listing->files.empty() && !listing->unreadable.empty())
    note_failure(carrier, "", "listing", "no line of it is understood: " + listing->unreadable.front());
  std::erase_if(listing->files, [&](const ListedFile& file) { return !takes_file(*carrier.profile, file.name); });
  // Whether a file has stayed as it is for so long is no matter of a clock that somebody sets meanwhile.
  const Instant steady(runtime_.steady());
  carriers::FileInbox::Plan plan = carrier.inbox.look(listing->files, steady);
  carrier.next_complete = plan.next_complete.transform([&](Instant complete) { return now + (complete - steady); });
  carrier.any_read = false;
  for (const ListedFile& file : plan.read)
    if (is_small_enough(carrier, file)) carrier.to_read.push_back(file);
  if (carrier.tidies()) carrier.to_tidy.assign(plan.done.begin(), plan.done.end());
  next_step(carrier);
}

/// Else it is told and refused.
bool FilePoller::is_small_enough(Carrier& carrier, const ListedFile& file) {
  const std::uint64_t bytes_max = carrier.feed.site.file_bytes_max;
  if (file.bytes <= bytes_max) return true;
  refuse(carrier, file, carriers::name(FetchError::Kind::too_large),
         std::to_string(file.bytes) + " bytes; at most " + std::to_string(bytes_max) +
             " are read (transport.body_bytes_max)");
  return false;
}

void FilePoller::next_step(Carrier& carrier) {
  if (!stopping_ && !carrier.to_tidy.empty()) {
    ListedFile file = std::move(carrier.to_tidy.front());
    carrier.to_tidy.pop_front();
    return tidy(carrier, std::move(file));
  }
  if (!stopping_ && !carrier.to_read.empty()) {
    ListedFile file = std::move(carrier.to_read.front());
    carrier.to_read.pop_front();
    return fetch(carrier, std::move(file));
  }
  // What is still coming is looked at when it may be complete, and what was read now is tidied up soon.
  Instant next = runtime_.now() + carrier.feed.interval;
  if (carrier.next_complete) next = std::min(next, std::max(*carrier.next_complete, runtime_.now()));
  if (carrier.any_read && carrier.tidies()) next = std::min(next, runtime_.now() + carrier.feed.settle);
  rest(carrier, next);
}

void FilePoller::rest(Carrier& carrier, Instant until) {
  carrier.busy = false;
  carrier.trouble = std::exchange(carrier.failure, {});
  if (!stopping_) carrier.look_alarm->set(until);
}

void FilePoller::tidy(Carrier& carrier, ListedFile file) {
  const bool archives = carrier.feed.after == FileFeed::After::archive;
  std::string new_name = archives ? archived_name(file.name, runtime_.now()) : "";
  offload_.run(carrier.name(),
               [this, &carrier, files = carrier.files, name = std::move(file.name),
                new_name = std::move(new_name)]() -> Runtime::Task {
                 auto done = new_name.empty() ? files->remove(name) : files->archive(name, new_name);
                 return [this, &carrier, name, done = std::move(done)] {
                   if (done)
                     carrier.inbox.taken_away(name);
                   else
                     note_failure(carrier, name, carriers::name(done.error().kind), done.error().message);
                   next_step(carrier);
                 };
               });
}

// ------------------------------------------------------------------ a file

void FilePoller::fetch(Carrier& carrier, ListedFile file) {
  offload_.run(carrier.name(), [this, &carrier, files = carrier.files, file = std::move(file)]() -> Runtime::Task {
    auto bytes = files->fetch(file.name);
    if (!bytes)
      return [this, &carrier, name = file.name, error = std::move(bytes.error())] {
        note_failure(carrier, name, carriers::name(error.kind), error.message);
        next_step(carrier);
      };
    auto fetched_file = std::make_unique<File>(File{.listed = file, .bytes = std::move(*bytes)});
    fetched_file->content = carriers::content_fingerprint(fetched_file->bytes);
    return [this, &carrier, result = std::move(fetched_file)]() mutable { fetched(carrier, std::move(result)); };
  });
}

void FilePoller::fetched(Carrier& carrier, std::unique_ptr<File> file) {
  if (file->bytes.size() != file->listed.bytes) {
    log(Level::warning, "file_still_coming",
        {{"carrier", carrier.name()},
         {"file", file->listed.name},
         {"bytes", file->bytes.size()},
         {"bytes_listed", file->listed.bytes}});
    carrier.inbox.still_coming(file->listed);
    carrier.next_complete = runtime_.now() + carrier.feed.settle;
    return next_step(carrier);
  }
  file->is_known = carrier.inbox.knows_content(file->content);
  if (!file->is_known) return map(carrier, std::move(file));
  commit(carrier, std::move(file), {});
}

void FilePoller::map(Carrier& carrier, std::unique_ptr<File> file) {
  offload_.run(carrier.name(),
               [this, &carrier, profile = carrier.profile, file = std::move(file)]() mutable -> Runtime::Task {
                 auto answer = carriers::map_file(*profile, file->bytes);
                 return [this, &carrier, file = std::move(file), answer = std::move(answer)]() mutable {
                   mapped(carrier, std::move(file), std::move(answer));
                 };
               });
}

void FilePoller::mapped(Carrier& carrier, std::unique_ptr<File> file,
                        std::expected<TrackAnswer, CarrierTrouble> answer) {
  if (!answer) {
    refuse(carrier, file->listed, carriers::name(answer.error().kind), answer.error().message);
    raw_.keep(raw_of(carrier, *file, answer.error().message));
    return next_step(carrier);
  }
  note_imperfections(carrier, *file, *answer);
  // Only the reports are needed from here on; and the file itself where it is small enough to be kept whole.
  file->imperfect = !answer->errors.empty();
  if (file->imperfect || file->bytes.size() <= db::raw_body_bytes_max)
    file->raw = raw_of(carrier, *file, file->imperfect ? answer->errors.front().message : "something new");
  file->bytes = {};
  commit(carrier, std::move(file), std::move(answer->reports));
}

void FilePoller::commit(Carrier& carrier, std::unique_ptr<File> file, std::vector<Report> reports) {
  carrier.committing = std::move(file);
  const File& committing = *carrier.committing;
  const db::ReadFile read_file{.name = committing.listed.name,
                               .bytes = static_cast<std::int64_t>(committing.listed.bytes),
                               .modified = committing.listed.modified,
                               .content = committing.content};
  const std::vector<std::string> forgotten = carrier.inbox.forgettable();
  carrier.told.begin(
      {.rules = carrier.rules(),
       .reports = std::move(reports),
       .remember =
           [name = carrier.name(), read_file, forgotten](db::Session& session, std::size_t count, Instant now) {
             db::ReadFile read = read_file;
             read.reports = static_cast<std::int64_t>(count);
             read.read_at = now;
             return db::remember_read_file(session, name, read, forgotten);
           },
       .told = [&carrier](std::span<const ToldReport> told) { note_oddities(carrier, told); },
       .left_out =
           [this, &carrier](const Report& refused, const db::DbError& error) {
             File& left = *carrier.committing;
             note_failure(carrier, left.listed.name, "database", refused.remito + ": " + error.message);
             if (!left.raw) return;
             left.raw->why = "the database refused the report of " + refused.remito + ": " + error.message;
             left.imperfect = true;
           },
       .delayed =
           [&carrier](const db::DbError& error) {
             log(Level::error, "commit_delayed",
                 {{"carrier", carrier.name()}, {"file", carrier.committing->listed.name}, {"error", error.message}});
           },
       .done =
           [this, &carrier, forgotten](const std::expected<ToldSums, db::DbError>& told) {
             if (told) {
               carrier.inbox.forget(forgotten);
               return read(carrier, *told);
             }
             const std::unique_ptr<File> dropped = std::move(carrier.committing);
             if (told.error().retryable()) return rest(carrier, {});  // stopped meanwhile
             refuse(carrier, dropped->listed, "database", told.error().message);
             hooks_.transitions_written();  // those of the parts before
             next_step(carrier);
           }});
}

void FilePoller::read(Carrier& carrier, const ToldSums& told) {
  const std::unique_ptr<File> file = std::move(carrier.committing);
  carrier.inbox.remember(file->remembered(told.committed_at));
  if (file->raw) file->raw->received_at = told.committed_at;
  if (file->imperfect)
    raw_.keep(*std::move(file->raw), told.news != 0 || told.failed_before);
  else if (file->raw && (told.news != 0 || told.failed_before))
    raw_.keep_changed(*std::move(file->raw));
  FileCounters& counters = carrier.counters;
  ++(file->is_known ? counters.files_known : counters.files_read);
  counters.reports += told.shipments;
  counters.extra += told.extra;
  counters.transitions += told.transitions;
  counters.last_read_at = runtime_.now();
  carrier.any_read = true;
  log(Level::info, file->is_known ? "file_known" : "file_read",
      {{"carrier", carrier.name()},
       {"file", file->listed.name},
       {"bytes", file->listed.bytes},
       {"reports", told.reports},
       {"shipments", told.shipments},
       {"extra", told.extra},
       {"transitions", told.transitions}});
  // What failed before may have been committed all the same, and had nothing left to write then.
  if (told.transitions != 0 || told.failed_before) hooks_.transitions_written();
  next_step(carrier);
}

// ------------------------------------------------------------------ what is wrong

void FilePoller::refuse(Carrier& carrier, const ListedFile& file, std::string_view kind, std::string_view message) {
  note_failure(carrier, file.name, kind, message);
  carrier.refusal = file.name + ": " + carrier.counters.last_error;
  carrier.inbox.refuse(file);
}

void FilePoller::note_failure(Carrier& carrier, std::string_view file, std::string_view kind,
                              std::string_view message) {
  if (kind == carriers::name(FetchError::Kind::stopped)) return;
  ++carrier.counters.failures;
  carrier.counters.last_error = std::string(kind) + ": " + printable(message);
  carrier.counters.last_error_at = runtime_.now();
  if (carrier.failure.empty())
    carrier.failure = (file.empty() ? "" : std::string(file) + ": ") + carrier.counters.last_error;
  log(Level::warning, "files_failed",
      {{"carrier", carrier.name()}, {"file", file}, {"kind", kind}, {"error", message}});
}

void FilePoller::note_imperfections(Carrier& carrier, const File& file, const TrackAnswer& answer) {
  carrier.counters.wrong_rows += answer.errors.size();
  for (const carriers::RowError& error : answer.errors | std::views::take(lines_per_file))
    log(Level::warning, "file_row_left_out",
        {{"carrier", carrier.name()}, {"file", file.listed.name}, {"remito", error.remito}, {"error", error.message}});
}

// The file is kept as one that was not understood, where it is small enough for that. A new code comes in many rows;
// the table of unmapped codes counts them all.
void FilePoller::note_oddities(Carrier& carrier, std::span<const ToldReport> told) {
  File& file = *carrier.committing;
  for (const ToldReport& one : told) {
    if (one.applied.ahead != 0 && !carrier.profile->can_track() && file.ahead_logged++ < lines_per_file)
      log(Level::warning, "events_ahead",
          {{"carrier", carrier.name()},
           {"remito", one.remito},
           {"file", file.listed.name},
           {"events_taken", one.applied.ahead}});
    if (one.applied.unmapped.empty()) continue;
    carrier.counters.unmapped += one.applied.unmapped.size();
    if (file.raw && !std::exchange(file.imperfect, true)) file.raw->why = "a code that the profile does not know";
    for (const TrackingEvent& event : one.applied.unmapped)
      if (file.unmapped_logged++ < lines_per_file)
        log(Level::warning, "unmapped_code",
            {{"carrier", carrier.name()},
             {"remito", one.remito},
             {"file", file.listed.name},
             {"code", event.code},
             {"text", event.text}});
  }
}

db::RawAnswer FilePoller::raw_of(const Carrier& carrier, const File& file, std::string why) {
  constexpr int http_none = 0;
  return {.carrier = carrier.name(),
          .operation = "feed",
          .remito = file.listed.name,
          .why = std::move(why),
          .http_status = http_none,
          .content_type = "",
          .body = file.bytes.substr(0, db::raw_body_bytes_max),
          .whole = file.bytes.size() <= db::raw_body_bytes_max};
}

}  // namespace remitod::daemon
