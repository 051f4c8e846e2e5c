#include "daemon/file_poller.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <ranges>
#include <utility>

#include "carriers/file_inbox.h"
#include "daemon/log.h"

namespace remitod::daemon {
namespace {

using carriers::CarrierTrouble;
using carriers::FetchError;
using carriers::FileFeed;
using carriers::FileListing;
using carriers::ListedFile;
using carriers::TrackAnswer;

// One transaction takes at most so many reports: enough to make its cost per report vanish, few enough to stay short.
constexpr std::size_t reports_per_commit = 500;
constexpr std::chrono::seconds database_retry_first{1}, database_retry_max{30};
// Of the imperfections of one file, so many are logged one by one.
constexpr std::size_t lines_per_file = 10;

// In the archive every file has a name of its own, however often one is sent.
std::string archived_name(const std::string& name, Instant now) {
  std::string stamp = to_iso8601(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp + '-' + name;
}

}  // namespace

// A file on its way from the folder to the database.
struct FilePoller::File {
  ListedFile listed;
  std::string bytes;
  std::string content{};  // fingerprint
  bool is_known = false;  // some file said this before
  std::vector<Report> reports{};
  std::size_t committed = 0;  // of the reports
  std::size_t shipments = 0, extra = 0, transitions = 0, news = 0;
  std::optional<db::RawAnswer> raw{};  // kept if it told something new, or is imperfect
  bool imperfect = false;              // parts of it were not understood

  carriers::RememberedFile remembered(Instant now) const { return {listed, content, now}; }
};

struct FilePoller::Carrier {
  Carrier(std::shared_ptr<const carriers::Profile> profile_used, std::unique_ptr<carriers::FileTransport> transport)
      : profile(std::move(profile_used)), feed(*file_feed(*profile)), files(std::move(transport)), inbox(feed.settle) {}

  const std::string& name() const { return profile->name(); }
  db::ApplyRules rules() const {
    return {name(), {profile->registration_grace()}, profile->tail(), profile->give_up_after(), shadow};
  }

  std::shared_ptr<const carriers::Profile> profile;
  const FileFeed& feed;
  bool shadow = false;
  std::shared_ptr<carriers::FileTransport> files;  // shared with the work that is under way
  carriers::FileInbox inbox;
  std::unique_ptr<Alarm> look_alarm, retry_alarm;
  FileCounters counters;

  bool busy = false;  // from recall() or look() to rest()
  bool waits_for_database = false;
  std::deque<ListedFile> to_tidy, to_read;
  std::optional<Instant> next_complete;
  bool any_read = false;  // in this look
  std::unique_ptr<File> committing;
  std::size_t reports_at_once = reports_per_commit;
  std::chrono::seconds backoff{0};
};

FilePoller::FilePoller(Runtime& runtime, Offload& offload, db::Executor& executor, RawKeeper& raw, Hooks hooks)
    : runtime_(runtime), offload_(offload), executor_(executor), raw_(raw), hooks_(std::move(hooks)) {}

FilePoller::~FilePoller() = default;

void FilePoller::add_carrier(std::shared_ptr<const carriers::Profile> profile,
                             std::unique_ptr<carriers::FileTransport> files, bool shadow) {
  Carrier& added = *carriers_.emplace_back(std::make_unique<Carrier>(std::move(profile), std::move(files)));
  added.shadow = shadow;
  added.look_alarm = runtime_.alarm([this, &added] { look(added); });
  added.retry_alarm = runtime_.alarm([this, &added] {
    added.waits_for_database = false;
    added.committing ? commit(added) : recall(added);
  });
}

void FilePoller::start() {
  for (const auto& carrier : carriers_) recall(*carrier);
}

void FilePoller::stop() {
  stopping_ = true;
  for (const auto& carrier : carriers_) {
    carrier->look_alarm->cancel();
    carrier->retry_alarm->cancel();
    carrier->files->stop();
    if (std::exchange(carrier->waits_for_database, false)) carrier->busy = false;
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

// ------------------------------------------------------------------ a look

void FilePoller::recall(Carrier& carrier) {
  carrier.busy = true;
  executor_.run<std::vector<db::ReadFile>>(
      [name = carrier.name()](db::Session& session) { return db::load_read_files(session, name); },
      [this, &carrier](db::DbResult<std::vector<db::ReadFile>> files) {
        if (!files) {
          log(Level::error, "read_files_not_loaded", {{"carrier", carrier.name()}, {"error", files.error().message}});
          return wait_for_database(carrier);
        }
        carrier.backoff = {};
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
  std::erase_if(listing->files, [&](const ListedFile& file) { return !takes_file(*carrier.profile, file.name); });
  carriers::FileInbox::Plan plan = carrier.inbox.look(listing->files, now);
  carrier.next_complete = plan.next_complete;
  carrier.any_read = false;
  carrier.to_read.assign(plan.read.begin(), plan.read.end());
  if (carrier.feed.after != FileFeed::After::leave) carrier.to_tidy.assign(plan.done.begin(), plan.done.end());
  next_step(carrier);
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
  if (carrier.any_read && carrier.feed.after != FileFeed::After::leave)
    next = std::min(next, runtime_.now() + carrier.feed.settle);
  rest(carrier, next);
}

void FilePoller::rest(Carrier& carrier, Instant until) {
  carrier.busy = false;
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
  if (file.bytes > carrier.feed.site.file_bytes_max) {
    note_failure(carrier, file.name, carriers::name(FetchError::Kind::too_large),
                 std::to_string(file.bytes) + " bytes; at most " + std::to_string(carrier.feed.site.file_bytes_max) +
                     " are read (transport.body_bytes_max)");
    carrier.inbox.refuse(file);
    return next_step(carrier);
  }
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
  carrier.committing = std::move(file);
  commit(carrier);
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
    note_failure(carrier, file->listed.name, carriers::name(answer.error().kind), answer.error().message);
    raw_.keep(raw_of(carrier, *file, answer.error().message));
    carrier.inbox.refuse(file->listed);
    return next_step(carrier);
  }
  note_imperfections(carrier, *file, *answer);
  // Only the reports are needed from here on; and the file itself where it is small enough to be kept whole.
  file->imperfect = !answer->errors.empty();
  if (file->imperfect || file->bytes.size() <= db::raw_body_bytes_max)
    file->raw = raw_of(carrier, *file, file->imperfect ? answer->errors.front().message : "something new");
  file->bytes = {};
  file->reports = std::move(answer->reports);
  carrier.committing = std::move(file);
  commit(carrier);
}

void FilePoller::commit(Carrier& carrier) {
  struct Part {
    std::size_t shipments = 0;
    std::vector<db::AppliedReport> applied;
  };
  File& file = *carrier.committing;
  const std::size_t count = std::min(carrier.reports_at_once, file.reports.size() - file.committed);
  const bool is_last = file.committed + count == file.reports.size();
  auto reports =
      std::make_shared<std::vector<Report>>(file.reports.begin() + static_cast<std::ptrdiff_t>(file.committed),
                                            file.reports.begin() + static_cast<std::ptrdiff_t>(file.committed + count));
  const Instant now = runtime_.now();
  std::optional<db::ReadFile> read_file;
  if (is_last)
    read_file = {file.listed.name, static_cast<std::int64_t>(file.listed.bytes),   file.listed.modified,
                 file.content,     static_cast<std::int64_t>(file.reports.size()), now};
  auto forgotten = is_last ? carrier.inbox.forgettable() : std::vector<std::string>{};
  executor_.run<Part>(
      [reports, read_file, forgotten, rules = carrier.rules(), now](db::Session& session) -> db::DbResult<Part> {
        std::vector<std::string> remitos;
        for (const Report& report : *reports) remitos.push_back(report.remito);
        auto shipments = db::find_open_shipments(session, rules.carrier, remitos);
        if (!shipments) return std::unexpected(shipments.error());
        std::map<std::string, std::int64_t, std::less<>> ids;
        for (const db::OpenShipment& shipment : *shipments) ids.emplace(shipment.remito, shipment.shipment_id);
        std::vector<db::PolledReport> polled;
        for (const Report& report : *reports)
          if (const auto id = ids.find(report.remito); id != ids.end()) polled.push_back({id->second, report});
        auto applied = db::apply_reports(session, rules, polled, now);
        if (!applied) return std::unexpected(applied.error());
        if (read_file)
          if (auto done = db::remember_read_file(session, rules.carrier, *read_file, forgotten); !done)
            return std::unexpected(done.error());
        return Part{polled.size(), std::move(*applied)};
      },
      [this, &carrier, count, is_last, forgotten, now](db::DbResult<Part> part) {
        if (!part) return commit_failed(carrier, part.error());
        File& committed = *carrier.committing;
        carrier.backoff = {};
        carrier.reports_at_once = reports_per_commit;
        committed.committed += count;
        committed.shipments += part->shipments;
        committed.extra += count - part->shipments;
        for (const db::AppliedReport& applied : part->applied) {
          committed.transitions += applied.transitions;
          committed.news += applied.new_events + applied.updated_events;
          carrier.counters.unmapped += applied.unmapped.size();
        }
        if (!is_last) return commit(carrier);
        carrier.inbox.forget(forgotten);
        carrier.inbox.remember(committed.remembered(now));
        read(carrier);
      });
}

// Trouble that passes: the same part again. A report that the database refuses is found by halving the part, and left
// out, so that the rest of the file goes on.
void FilePoller::commit_failed(Carrier& carrier, const db::DbError& error) {
  File& file = *carrier.committing;
  if (error.retryable()) {
    log(Level::error, "commit_delayed",
        {{"carrier", carrier.name()}, {"file", file.listed.name}, {"error", error.message}});
    return wait_for_database(carrier);
  }
  const std::size_t count = std::min(carrier.reports_at_once, file.reports.size() - file.committed);
  if (count == 0) {
    note_failure(carrier, file.listed.name, "database", error.message);
    carrier.inbox.refuse(file.listed);
    carrier.committing.reset();
    return next_step(carrier);
  }
  carrier.reports_at_once = std::max<std::size_t>(count / 2, 1);
  if (count == 1) {
    const auto refused = file.reports.begin() + static_cast<std::ptrdiff_t>(file.committed);
    note_failure(carrier, file.listed.name, "database", refused->remito + ": " + error.message);
    file.reports.erase(refused);
  }
  commit(carrier);
}

void FilePoller::wait_for_database(Carrier& carrier) {
  if (stopping_) {
    carrier.busy = false;
    return;
  }
  carrier.backoff = std::clamp(carrier.backoff * 2, database_retry_first, database_retry_max);
  carrier.waits_for_database = true;
  carrier.retry_alarm->set(runtime_.in(carrier.backoff));
}

void FilePoller::read(Carrier& carrier) {
  const std::unique_ptr<File> file = std::move(carrier.committing);
  if (file->imperfect)
    raw_.keep(*std::move(file->raw));
  else if (file->raw && file->news != 0)
    raw_.keep_changed(*std::move(file->raw));
  FileCounters& counters = carrier.counters;
  ++(file->is_known ? counters.files_known : counters.files_read);
  counters.reports += file->shipments;
  counters.extra += file->extra;
  counters.transitions += file->transitions;
  counters.last_read_at = runtime_.now();
  carrier.any_read = true;
  log(Level::info, file->is_known ? "file_known" : "file_read",
      {{"carrier", carrier.name()},
       {"file", file->listed.name},
       {"bytes", file->listed.bytes},
       {"reports", file->reports.size()},
       {"shipments", file->shipments},
       {"extra", file->extra},
       {"transitions", file->transitions}});
  if (file->transitions != 0) hooks_.transitions_written();
  next_step(carrier);
}

// ------------------------------------------------------------------ what is wrong

void FilePoller::note_failure(Carrier& carrier, std::string_view file, std::string_view kind,
                              std::string_view message) {
  if (kind == carriers::name(FetchError::Kind::stopped)) return;
  ++carrier.counters.failures;
  carrier.counters.last_error = std::string(kind) + ": " + printable(message);
  carrier.counters.last_error_at = runtime_.now();
  log(Level::warning, "files_failed",
      {{"carrier", carrier.name()}, {"file", file}, {"kind", kind}, {"error", message}});
}

void FilePoller::note_imperfections(Carrier& carrier, const File& file, const TrackAnswer& answer) {
  carrier.counters.wrong_rows += answer.errors.size();
  for (const carriers::RowError& error : answer.errors | std::views::take(lines_per_file))
    log(Level::warning, "file_row_left_out",
        {{"carrier", carrier.name()}, {"file", file.listed.name}, {"remito", error.remito}, {"error", error.message}});
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
