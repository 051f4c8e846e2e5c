#include "tests/acceptance/run_corpus.h"

#include <algorithm>
#include <set>
#include <utility>

#include "carriers/mapping.h"
#include "carriers/remito.h"
#include "tests/acceptance/profile_of.h"

namespace remitod::acceptance {

namespace {

using carriers::Profile;

carriers::HttpAnswer http_answer(const std::string& body) {
  carriers::HttpAnswer answer;
  answer.status = 200;  // the corpus keeps no status: failures have to be told by what the answer says
  answer.body = body;
  return answer;
}

std::vector<TrackReading> track(const Profile& profile, const Case& of) {
  const std::set<std::string> numbers(of.asked.begin(), of.asked.end());
  std::vector<carriers::TrackItem> items;
  for (const std::string& number : numbers) items.push_back({number, Instant{}});
  std::vector<TrackReading> readings;
  for (const std::string& body : of.answers) readings.push_back(map_track(profile, http_answer(body), items));
  return readings;
}

/// What becomes of a request that was accepted before.
carriers::CreateAnswer confirm(const Profile& profile, const carriers::HttpAnswer& answer,
                               const carriers::CreateOrder& order) {
  using Kind = carriers::CreateAnswer::Kind;
  const carriers::ConfirmAnswer told = map_confirm(profile, answer, order);
  switch (told.kind) {
    case carriers::ConfirmAnswer::Kind::granted:
      return {Kind::granted, told.remito, "", ""};
    case carriers::ConfirmAnswer::Kind::refused:
      return {Kind::refused, "", told.refusal_code, told.refusal_text};
    case carriers::ConfirmAnswer::Kind::pending:
      return {Kind::accepted, std::string{order.remito}, "", ""};
    case carriers::ConfirmAnswer::Kind::unclear:
      return {Kind::unknown, "", "", told.refusal_text};
  }
  std::unreachable();
}

std::vector<carriers::CreateAnswer> create(const Profile& profile, const Case& of) {
  using enum carriers::CreateAnswer::Kind;
  const carriers::CreateOrder order{"0000001000417", 1, "", "r-417-1", "{}"};
  std::vector<carriers::CreateAnswer> readings;
  for (const std::string& body : of.answers) {
    const bool was_accepted = !readings.empty() && readings.back().kind == accepted;
    readings.push_back(was_accepted ? confirm(profile, http_answer(body), order)
                                    : map_create(profile, http_answer(body), order));
  }
  return readings;
}

/// Why an answer gave less than it might have: what a person wants to see beside what is missing.
std::vector<std::string> remarks(const std::vector<TrackReading>& readings) {
  std::vector<std::string> lines;
  for (const TrackReading& reading : readings) {
    if (!reading) {
      lines.push_back(std::string{name(reading.error().kind)} + ": " + reading.error().message);
      continue;
    }
    for (const carriers::RowError& error : reading->errors) lines.push_back(error.remito + ": " + error.message);
  }
  return lines;
}

/// Of create and cancel answers: their words are empty where all is well.
template <class Answer>
std::vector<std::string> remarks(const std::vector<Answer>& readings) {
  std::vector<std::string> lines;
  for (const Answer& reading : readings)
    if (!reading.refusal_text.empty()) lines.push_back(reading.refusal_code + ": " + reading.refusal_text);
  return lines;
}

class CarrierRun {
 public:
  CarrierRun(const CaseFile& file, const std::filesystem::path& profiles, const std::vector<Deviation>& deviations)
      : file_(file), deviations_(deviations) {
    result_.carrier = file.carrier;
    auto profile = profile_of(profiles / file.carrier);
    if (profile)
      profile_ = *std::move(profile);
    else
      result_.complaints = std::move(profile.error());
  }

  CarrierResult run() && {
    for (const Case& of : file_.cases) {
      if (of.kind == Case::Kind::cancel)
        run_cancel(of);
      else if (of.kind != Case::Kind::other)
        file_.kind == "tracking" ? run_track(of) : run_create(of);
    }
    result_.deviations = std::ranges::count_if(
        deviations_, [&](const Deviation& deviation) { return deviation.met && is_of_file(deviation); });
    return std::move(result_);
  }

 private:
  void run_track(const Case& as_expected) {
    const std::vector<const Deviation*> deviations = deviations_of(as_expected);
    const Case of = with_true_numbers(as_expected, deviations);
    const bool able = profile_ && profile_->can_track();
    const auto readings = able ? track(*profile_, of) : std::vector<TrackReading>{};
    const std::string zone = able ? profile_->zone() : "UTC";
    add(of, excuse(judge_track(of, file_.statuses, zone, readings), deviations), remarks(readings));
  }

  void run_create(const Case& as_expected) {
    const std::vector<const Deviation*> deviations = deviations_of(as_expected);
    const Case of = with_true_numbers(as_expected, deviations);
    const bool able = profile_ && profile_->can_create();
    const auto readings = able ? create(*profile_, of) : std::vector<carriers::CreateAnswer>{};
    add(of, excuse(judge_create(of, readings), deviations), remarks(readings));
  }

  /// Of a profile that does not say how to cancel nothing is asked.
  void run_cancel(const Case& of) {
    if (!profile_ || !profile_->can_cancel()) return;
    std::vector<carriers::CancelAnswer> readings;
    for (const std::string& body : of.answers) readings.push_back(map_cancel(*profile_, http_answer(body)));
    add(of, judge_cancel(readings), remarks(readings));
  }

  std::vector<const Deviation*> deviations_of(const Case& of) const {
    std::vector<const Deviation*> found;
    for (const Deviation& one : deviations_)
      if (is_of_file(one) && one.of_case == of.name) found.push_back(&one);
    return found;
  }

  bool is_of_file(const Deviation& deviation) const {
    return deviation.kind == file_.kind && deviation.carrier == file_.carrier;
  }

  void add(const Case& of, const Verdict& verdict, const std::vector<std::string>& remarks) {
    ++result_.cases;
    for (std::size_t i = 0; i < field_count; ++i) result_.counts[i] += verdict.counts[i];
    if (verdict.entirely_right()) return;
    for (const Finding& finding : verdict.findings) result_.complaints.push_back(of.name + ": " + describe(finding));
    for (const std::string& remark : remarks) result_.complaints.push_back(of.name + ": (" + remark + ")");
  }

  const CaseFile& file_;
  const std::vector<Deviation>& deviations_;
  std::shared_ptr<const Profile> profile_;
  CarrierResult result_;
};

}  // namespace

Results run_corpus(const std::filesystem::path& corpus, const std::filesystem::path& profiles,
                   const std::vector<Deviation>& deviations) {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus))
    if (entry.path().extension() == ".json") files.insert(entry.path());
  Results results;
  for (const std::filesystem::path& path : files) {
    const auto file = read_case_file(path);
    if (!file) {
      results["unreadable"].push_back({path.stem(), 0, {}, 0, {file.error()}});
    } else if (*file) {
      results[(*file)->kind].push_back(CarrierRun{**file, profiles, deviations}.run());
    }
  }
  return results;
}

}  // namespace remitod::acceptance
