#include "daemon/reread.h"

#include <algorithm>
#include <ranges>
#include <tuple>
#include <utility>

#include "carriers/file_feed.h"
#include "carriers/mapping.h"
#include "carriers/paging.h"
#include "daemon/log.h"

namespace remitod::daemon {
namespace {

// So many answers are in memory at a time: a few megabytes at most.
constexpr std::size_t answers_at_once = 20;
constexpr std::size_t finished_max = 20;

using MappedTrack = std::expected<carriers::TrackAnswer, carriers::CarrierTrouble>;

carriers::HttpAnswer page_of(const db::RawAnswer& kept, std::size_t begin, std::size_t end) {
  carriers::HttpAnswer page;
  page.status = kept.http_status;
  page.content_type = kept.content_type;
  page.body = kept.body.substr(begin, end - begin);
  return page;
}

std::vector<carriers::HttpAnswer> pages_of(const db::RawAnswer& kept) {
  std::vector<carriers::HttpAnswer> pages;
  std::size_t begin = 0;
  for (const std::size_t end : kept.page_ends) pages.push_back(page_of(kept, std::exchange(begin, end), end));
  pages.push_back(page_of(kept, begin, kept.body.size()));
  return pages;
}

MappedTrack map_kept(const carriers::Profile& profile, const db::RawAnswer& kept) {
  if (kept.operation == "feed")
    return profile.can_feed() ? carriers::map_feed(profile, pages_of(kept)) : carriers::map_file(profile, kept.body);
  std::vector<carriers::TrackItem> items;
  items.reserve(kept.asked.size());
  for (const db::AskedShipment& asked : kept.asked) items.push_back({asked.remito, asked.registered_at});
  return carriers::map_track_pages(profile, pages_of(kept), items);
}

bool can_map(const carriers::Profile& profile, const db::RawAnswer& kept) {
  if (kept.operation == "feed") return profile.can_feed() || carriers::file_feed(profile) != nullptr;
  return profile.can_track() && !kept.asked.empty();
}

}  // namespace

struct Reread::Active {
  Progress progress;
  Carrier carrier;
  db::ApplyRules rules;
  std::optional<Instant> since;
  std::int64_t after_id = 0, last_id = 0;
  /// Of a dry run, which writes nothing down: several answers would each make the same one.
  std::set<std::tuple<std::int64_t, std::string, Status>> counted = {};
};

/// What a page of kept answers says.
struct Reread::Read {
  struct Answer {
    std::vector<Report> reports;
    std::vector<db::AskedShipment> asked;  ///< none: to be looked for, a feed names whichever it likes
    Instant received_at{};
  };
  std::vector<Answer> answers;
  std::int64_t unread = 0;
};

Reread::Reread(Runtime& runtime, Offload& mapper, db::Executor& executor, std::function<void()> transitions_written)
    : runtime_(runtime), mapper_(mapper), executor_(executor), transitions_written_(std::move(transitions_written)) {}
Reread::~Reread() = default;

void Reread::add_carrier(std::shared_ptr<const carriers::Profile> profile, bool shadow) {
  std::string name = profile->name();
  carriers_[std::move(name)] = {std::move(profile), shadow};
}

void Reread::begin(std::string_view carrier, std::optional<Instant> since, bool dry_run,
                   std::move_only_function<void(Begun)> then) {
  const auto busy = [&](const auto& entry) { return entry.second->progress.carrier == carrier; };
  if (std::ranges::any_of(active_, busy))
    return then(std::unexpected("the answers of " + std::string(carrier) + " are being read again already"));
  auto active = std::make_unique<Active>();
  active->carrier = carriers_.find(carrier)->second;
  const carriers::Profile& profile = *active->carrier.profile;
  active->rules = {profile.name(),          {profile.registration_grace()}, profile.tail(),
                   profile.give_up_after(), active->carrier.shadow,         profile.can_track()};
  active->since = since;
  active->progress.reread_id = ++last_id_;
  active->progress.carrier = carrier;
  active->progress.dry_run = dry_run;
  Active& begun = *active;
  active_.emplace(last_id_, std::move(active));
  executor_.run<db::KeptAnswers>(
      [name = std::string(carrier), since](db::Session& session) {
        return db::count_kept_answers(session, name, since);
      },
      [this, &begun, then = std::move(then)](db::DbResult<db::KeptAnswers> kept) mutable {
        if (!kept) {
          active_.erase(begun.progress.reread_id);
          return then(std::unexpected("the database does not answer: " + kept.error().message));
        }
        begun.progress.answers = kept->answers;
        begun.progress.not_whole = kept->not_whole;
        begun.last_id = kept->last_id;
        log(Level::info, "reread_begun",
            {{"carrier", begun.progress.carrier}, {"answers", kept->answers}, {"dry_run", begun.progress.dry_run}});
        then(begun.progress.reread_id);
        load(begun);
      });
}

void Reread::load(Active& active) {
  if (stopping_) return finish(active, "the daemon stops");
  executor_.run<db::KeptPage>(
      [carrier = active.progress.carrier, since = active.since, after_id = active.after_id,
       last_id = active.last_id](db::Session& session) {
        return db::load_kept_answers(session, carrier, since, after_id, last_id, answers_at_once);
      },
      [this, &active](db::DbResult<db::KeptPage> page) {
        if (!page) return finish(active, page.error().message);
        if (page->last_id == active.after_id) return finish(active, "");
        active.after_id = page->last_id;
        map(active, std::move(*page));
      });
}

void Reread::map(Active& active, db::KeptPage page) {
  active.progress.done += static_cast<std::int64_t>(page.answers.size() + page.damaged);
  mapper_.run(active.progress.carrier,
              [this, &active, profile = active.carrier.profile, page = std::move(page)]() -> Runtime::Task {
                Read read;
                read.unread = static_cast<std::int64_t>(page.damaged);
                for (const db::RawAnswer& kept : page.answers) {
                  auto track = can_map(*profile, kept) ? map_kept(*profile, kept) : MappedTrack(std::unexpect);
                  if (track)
                    read.answers.push_back({std::move(track->reports), kept.asked, kept.received_at});
                  else
                    ++read.unread;
                }
                return [this, &active, read = std::move(read)]() mutable { apply(active, std::move(read)); };
              });
}

namespace {

/// The reports with the shipments that are meant, in the order in which they came.
db::DbResult<std::vector<db::PolledReport>> addressed(db::Session& session, const std::string& carrier,
                                                      std::vector<Report> reports,
                                                      std::vector<db::AskedShipment> shipments, Instant received_at) {
  if (shipments.empty()) {
    std::vector<std::string> remitos;
    for (const Report& report : reports) remitos.push_back(report.remito);
    auto found = db::find_shipments_at(session, carrier, remitos, received_at);
    if (!found) return std::unexpected(found.error());
    shipments = std::move(*found);
  }
  std::map<std::string, std::int64_t, std::less<>> ids;
  for (const db::AskedShipment& shipment : shipments) ids.emplace(shipment.remito, shipment.shipment_id);
  std::vector<db::PolledReport> polled;
  for (Report& report : reports)
    if (const auto id = ids.find(report.remito); id != ids.end())
      polled.push_back({id->second, std::move(report), received_at});
  return polled;
}

}  // namespace

void Reread::apply(Active& active, Read read) {
  active.progress.unread += read.unread;
  executor_.run<db::PreviewedReports>(
      [rules = active.rules, dry_run = active.progress.dry_run, read = std::make_shared<Read>(std::move(read)),
       now = runtime_.now()](db::Session& session) -> db::DbResult<db::PreviewedReports> {
        std::vector<db::PolledReport> reports;
        for (Read::Answer& answer : read->answers) {
          auto polled = addressed(session, rules.carrier, answer.reports, answer.asked, answer.received_at);
          if (!polled) return std::unexpected(polled.error());
          std::ranges::move(*polled, std::back_inserter(reports));
        }
        if (dry_run) return db::preview_reports(session, rules, reports, now);
        auto applied = db::apply_reports(session, rules, reports, now);
        if (!applied) return std::unexpected(applied.error());
        return db::PreviewedReports{std::move(*applied), {}};
      },
      [this, &active](db::DbResult<db::PreviewedReports> outcome) {
        if (!outcome) return finish(active, outcome.error().message);
        applied(active, *outcome);
        load(active);
      });
}

void Reread::applied(Active& active, const db::PreviewedReports& outcome) {
  Progress& progress = active.progress;
  std::int64_t transitions = 0;
  for (const db::AppliedReport& report : outcome.applied) {
    progress.new_events += static_cast<std::int64_t>(report.new_events);
    progress.updated_events += static_cast<std::int64_t>(report.updated_events);
    progress.still_unmapped += static_cast<std::int64_t>(report.unmapped.size());
    transitions += static_cast<std::int64_t>(report.transitions);
  }
  if (progress.dry_run) {
    transitions = 0;
    for (const db::PreviewedTransition& transition : outcome.transitions) {
      if (!active.counted.emplace(transition.shipment_id, transition.event_key, transition.to).second) continue;
      ++transitions;
      if (progress.listed.size() < listed_max) progress.listed.push_back(transition);
    }
  }
  progress.transitions += transitions;
  if (transitions != 0 && !progress.dry_run) transitions_written_();
}

void Reread::finish(Active& active, std::string error) {
  const bool done = error.empty();
  Progress progress = active.progress;
  active_.erase(progress.reread_id);
  progress.finished = true;
  progress.error = std::move(error);
  log(done ? Level::info : Level::warning, "reread_finished",
      {{"carrier", progress.carrier},
       {"answers", progress.done},
       {"unread", progress.unread},
       {"new_events", progress.new_events},
       {"updated_events", progress.updated_events},
       {"transitions", progress.transitions},
       {"dry_run", progress.dry_run},
       {"error", progress.error}});
  const std::string carrier = progress.carrier;
  const bool dry_run = progress.dry_run;
  finished_[progress.reread_id] = std::move(progress);
  if (finished_.size() > finished_max) finished_.erase(finished_.begin());
  if (dry_run || !done) return;
  executor_.run<std::size_t>([carrier](db::Session& session) { return db::forget_explained_codes(session, carrier); },
                             [](const db::DbResult<std::size_t>& forgotten) {
                               // The list is for people; the next reread tidies it.
                               if (!forgotten)
                                 log(Level::warning, "unmapped_codes_stale", {{"error", forgotten.error().message}});
                             });
}

std::optional<Reread::Progress> Reread::progress(std::int64_t reread_id) const {
  if (const auto found = finished_.find(reread_id); found != finished_.end()) return found->second;
  const auto found = active_.find(reread_id);
  if (found == active_.end()) return std::nullopt;
  return found->second->progress;
}

}  // namespace remitod::daemon
