#include "carriers/check.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/check_diff.h"
#include "carriers/check_names.h"
#include "carriers/check_pages.h"
#include "carriers/check_remarks.h"
#include "carriers/check_request.h"
#include "carriers/check_roots.h"
#include "carriers/compiled.h"
#include "carriers/files_operation.h"
#include "carriers/invented_account.h"
#include "carriers/mapping_reports.h"
#include "carriers/media_type.h"
#include "carriers/payload.h"
#include "carriers/profile_lines.h"
#include "carriers/sample.h"
#include "carriers/session_answer.h"
#include "carriers/trial.h"

namespace remitod::carriers {
namespace {

using nlohmann::json;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return std::move(bytes).str();
}

const ReportRules* report_rules(const CompiledProfile& profile, std::string_view operation) {
  if (operation == "track") return profile.track ? &profile.track->reports : nullptr;
  return operation == "feed" ? feed_rules(profile) : nullptr;
}

/// How the answer to a question becomes a tree. The profile asks it.
const AnswerRules& answer_rules(const CompiledProfile& profile, const Expectation& expectation) {
  const std::string& operation = expectation.operation;
  if (operation == "create") return profile.create->answer;
  if (operation == "confirm") return profile.confirm->answer;
  if (operation == "find") return profile.find->answer;
  if (operation == "cancel") return profile.cancel->answer;
  if (operation == "cancel.lookup") return profile.cancel->lookup->answer;
  if (operation == "quote") return profile.quote->answer;
  if (operation == "login") return profile.session->login.at(expectation.step - 1).answer;
  return report_rules(profile, operation)->answer;
}

/// What a question other than of reports was settled as. Null: the profile does not ask it.
json settled(const Profile& profile, const Expectation& expectation, const HttpAnswer& answer) {
  const CreateOrder order{.order_number = expectation.order_number, .payload = "{}", .remito = expectation.remito};
  const std::string& operation = expectation.operation;
  if (operation == "create" && profile.can_create()) return told(map_create(profile, answer, order));
  if (operation == "confirm" && confirmation_pace(profile)) return told(map_confirm(profile, answer, order));
  if (operation == "find" && profile.can_find()) return told(map_find(profile, answer, expectation.client_ref));
  if (operation == "cancel" && profile.can_cancel()) return told(map_cancel(profile, answer));
  if (operation == "cancel.lookup" && cancel_has_lookup(profile)) return told(map_cancel_lookup(profile, answer));
  if (operation == "quote" && profile.can_quote()) return told(map_quote(profile, answer));
  return {};
}

/// Those that the profile looks for, as it calls them: a transport gives no others.
std::vector<std::pair<std::string, std::string>> kept_headers(const Profile& profile, const HttpAnswer& answer) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const auto& [name, value] : answer.headers)
    for (const std::string& wanted : profile.transport_options()->kept_headers)
      if (equal_ignoring_case(name, wanted)) kept.emplace_back(wanted, value);
  return kept;
}

/// What a step of a login gives. Null: there is no such step.
json logged_in(const Profile& profile, const Expectation& expectation, const HttpAnswer& answer) {
  const auto& session = profile.compiled().session;
  if (!session || expectation.step > session->login.size()) return {};
  const LoginStep& step = session->login.at(expectation.step - 1);
  const auto given = read_login(step, answer, session->refresh_token, expectation.at);
  if (!given) return told(std::unexpected(given.error()));
  json values = json::object();
  for (std::size_t i = 0; i < given->values.size(); ++i)
    if (!given->values[i].empty()) values[profile.compiled().session_names.at(step.first_value + i)] = given->values[i];
  json read{{"session", std::move(values)}};
  if (given->ends_at) read["ends_at"] = to_iso8601(*given->ends_at);
  return read;
}

/// Replays samples one after the other, and remembers which rules they came by.
class SampleReplay {
 public:
  SampleReplay(const Profile& profile, const ProfileLines& lines) : profile_(profile), lines_(lines) {}

  bool has_order() const { return has_order_; }  ///< one of them shows how a create request is made

  SampleCheck run(const SampleFiles& files) {
    SampleCheck check{files.name, "", {}, ""};
    if (files.pages.empty()) {
      check.problem = "there is an expectation, and no answer";
      return check;
    }
    if (!files.expectation) {
      check.problem = "there is an answer, and no " + files.name + std::string(expectation_suffix);
      return check;
    }
    auto expectation = parse_expectation(*files.expectation);
    if (!expectation) {
      check.problem = files.name + std::string(expectation_suffix) + ": " + expectation.error();
      return check;
    }
    expectation->answer.headers = kept_headers(profile_, expectation->answer);
    const std::vector<std::string>& types = expectation->content_types;
    if (!types.empty() && types.size() != files.pages.size()) {
      check.problem = files.name + std::string(expectation_suffix) + ": content_type lists " +
                      std::to_string(types.size()) + ", and the answer has " + std::to_string(files.pages.size()) +
                      " page(s)";
      return check;
    }
    std::vector<HttpAnswer> pages;
    for (const std::string& body : files.pages) {
      pages.push_back(expectation->answer);
      if (!types.empty()) pages.back().content_type = types[pages.size() - 1];
      pages.back().body = body;
    }
    replay(*expectation, pages, files, check);
    return check;
  }

  void note_body(const std::string& table, const std::string& problem) { touched_.note_body(table, problem); }
  const RulesTouched& touched() const { return touched_; }

 private:
  void replay(const Expectation& expectation, std::span<const HttpAnswer> pages, const SampleFiles& files,
              SampleCheck& check) {
    const int batch_max = profile_.compiled().limits.batch_max;
    if (std::cmp_greater(expectation.asked.size(), batch_max)) {
      check.problem = std::to_string(expectation.asked.size()) + " numbers are asked for, and limits.batch_max is " +
                      std::to_string(batch_max);
      return;
    }
    Replay replay{tables_of(expectation), false, {}, lines_};
    json read;
    if (const ReportRules* rules = report_rules(profile_.compiled(), expectation.operation)) {
      replay.newest_first = rules->newest_first;
      read = reports(*rules, expectation, pages, replay.taken);
      touched_.note(replay.operation, replay.taken, read, check.name);
    } else if (expectation.operation == "login") {
      read = logged_in(profile_, expectation, pages.front());
    } else {
      read = settled(profile_, expectation, pages.front());
    }
    if (read.is_null())
      check.problem = expectation.operation == "login" ? "the profile has no login, or none with such a step"
                                                       : "the profile has no [" + expectation.operation + "]";
    else if (const auto problem =
                 pages_problem(profile_, expectation, {pages, files.page_files}, check.deviations, lines_))
      check.problem = *problem;
    else if (reads_what_is_volatile(expectation, pages, read))
      check.problem = "with other values in what [[track.answer.volatile]] says is volatile, something else is read";
    if (!check.problem.empty()) return;
    touched_.note_operation(expectation.operation == "login" ? "auth.login" : expectation.operation, read);
    if (!check.deviations.empty()) return;
    const json request = look_at_request(expectation, replay.operation, check);
    if (!request.is_null() || expectation.read.is_null())
      check.proposal = completed_expectation(*files.expectation, request, expectation.read.is_null() ? read : json());
    if (expectation.read.is_null())
      check.tree = tree_text(answer_rules(profile_.compiled(), expectation), pages.front());
    else
      std::ranges::move(differences(expectation.read, read, replay), std::back_inserter(check.deviations));
  }

  /// The profile's tables for the operation of a sample.
  std::string tables_of(const Expectation& expectation) const {
    if (expectation.operation != "login") return expectation.operation;
    const std::string step = "auth.login." + std::to_string(expectation.step);
    return lines_.of(step) != 0 ? step : "auth.login";
  }

  /// What is sent, where the expectation is to say so and does not yet; else null.
  json look_at_request(const Expectation& expectation, const std::string& tables, SampleCheck& check) {
    has_order_ |= expectation.operation == "create" && expectation.payload;
    check.problem = expectation.payload ? misspelt_field(*expectation.payload) : "";
    if (!check.problem.empty()) return {};
    if (!expectation.payload && expectation.request.is_null()) return {};
    const auto request = request_of(profile_, expectation);
    if (!request) {
      check.problem = "the request: " + request.error();
      return {};
    }
    if (const std::string problem = body_problem(*request); !problem.empty()) touched_.note_body(tables, problem);
    if (expectation.request.empty()) return told(*request);
    check.deviations = request_differences(expectation.request, *request, tables, lines_);
    return {};
  }

  /// What one answer, or one file, tells of shipments.
  json reports(const ReportRules& rules, const Expectation& expectation, std::span<const HttpAnswer> pages,
               std::vector<RulesTaken>& taken) const {
    const bool is_track = expectation.operation == "track";
    const std::vector<TrackItem> items = asked_items(expectation);
    if (is_track && pages.size() == 1) return told(map_track(profile_, pages.front(), items, &taken));
    ReportReader reader(rules, is_track ? std::optional(std::span(items)) : std::nullopt, &taken);
    for (const HttpAnswer& page : pages) {
      const auto document = open_answer(rules.answer, page);
      if (!document) return told(std::unexpected(document.error()));
      if (is_track || !says(rules.not_found, *document)) reader.read(*document);
    }
    return told(std::move(reader).finish());
  }

  /// Such a part would hide what the carrier has to say (volatile_spans.h).
  bool reads_what_is_volatile(const Expectation& expectation, std::span<const HttpAnswer> pages, const json& read) {
    if (expectation.operation != "track" || !profile_.can_track()) return false;
    const ReportRules& rules = profile_.compiled().track->reports;
    if (!rules.volatile_spans) return false;
    const std::vector<VolatileSpan>& spans = *rules.volatile_spans;
    std::vector<HttpAnswer> others(pages.begin(), pages.end());
    for (HttpAnswer& page : others) {
      for (std::size_t i = 0; i < spans.size(); ++i)
        if (has_span(page.body, spans[i])) touched_.note_span(i + 1);
      page.body = with_other_values(page.body, spans);
    }
    std::vector<RulesTaken> ignored;
    const json other = reports(rules, expectation, others, ignored);
    if (!read.contains("trouble")) return other != read;
    // Its words may quote the answer.
    return !other.contains("trouble") || other["trouble"]["kind"] != read["trouble"]["kind"];
  }

  const Profile& profile_;
  const ProfileLines& lines_;
  RulesTouched touched_;
  bool has_order_ = false;
};

}  // namespace

bool ProfileCheck::passed() const {
  return errors.empty() && std::ranges::all_of(samples, &SampleCheck::passed);
}

ProfileCheck check_profile(const std::filesystem::path& dir) {
  const CarrierSettings account = invented_account(dir);
  ProfileCheck check{account.name, dir / "carrier.toml", {}, {}, {}, {}};
  const auto profile = load_profile(dir, account);
  if (!profile) {
    check.errors = profile.error();
    return check;
  }
  const auto samples = read_samples(dir);
  if (!samples) {
    check.errors.push_back({(dir / "samples").string(), 0, "", samples.error()});
    return check;
  }
  const std::string text = text_of(check.file);
  const ProfileLines lines(text);
  SampleReplay replay(**profile, lines);
  for (const SampleFiles& files : *samples) check.samples.push_back(replay.run(files));
  if (!replay.has_order()) {
    std::string problem;
    if (auto request = invented_create(**profile, problem)) check.requests.push_back(*std::move(request));
    if (!problem.empty()) replay.note_body("create", problem);
  }
  check.remarks = samples->empty() ? remarks_on_bodies(replay.touched(), lines)
                                   : remarks((*profile)->compiled(), replay.touched(), lines);
  if (samples->empty())
    check.remarks.push_back({{"", 0}, "there are no samples: nothing shows that this profile reads what it should"});
  std::ranges::move(remarks_on_roots((*profile)->compiled(), lines), std::back_inserter(check.remarks));
  std::ranges::move(unused_names(text, lines), std::back_inserter(check.remarks));
  return check;
}

}  // namespace remitod::carriers
