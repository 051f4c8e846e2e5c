#include "tests/acceptance/genuine.h"

#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "carriers/file_feed.h"
#include "carriers/paging.h"
#include "tests/acceptance/profile_of.h"
#include "tests/support/paths.h"

namespace remitod::acceptance {

namespace {

using Gives = GenuineAnswer::Gives;
using carriers::CreateAnswer;

constexpr std::string_view gives_names[]{"reports", "not_found", "trouble", "nothing",
                                         "granted", "accepted",  "refused", "unknown"};

std::string_view name(Gives gives) {
  return gives_names[static_cast<std::size_t>(gives)];
}

bool is_create(Gives gives) {
  return gives >= Gives::granted;
}

Gives kind_of(const CreateAnswer& reading) {
  using enum CreateAnswer::Kind;
  switch (reading.kind) {
    case granted:
      return Gives::granted;
    case accepted:
      return Gives::accepted;
    case refused:
    case number_refused:
      return Gives::refused;
    case unknown:
    case try_again:
      return Gives::unknown;
  }
  std::unreachable();
}

std::expected<KnownShipment, std::string> read_shipment(const toml::table& table) {
  const auto current = status_from(table["current"].value_or(std::string{"unmapped"}));
  if (!current) return std::unexpected("current: expected a status");
  return KnownShipment{table["number"].value_or(std::string{}), table["events"].value_or(0), *current};
}

std::expected<GenuineAnswer, std::string> read_answer(const toml::table& table) {
  GenuineAnswer answer;
  answer.file = table["file"].value_or(std::string{});
  answer.profile = table["profile"].value_or(std::string{});
  answer.http_status = table["http_status"].value_or(200);
  answer.remito = table["remito"].value_or(std::string{});
  if (answer.file.empty() || answer.profile.empty()) return std::unexpected("an answer names file and profile");
  const auto gives = std::ranges::find(gives_names, table["gives"].value_or(std::string{"reports"}));
  if (gives == std::end(gives_names)) return std::unexpected("gives: expected reports, not_found, trouble, ...");
  answer.gives = static_cast<Gives>(gives - std::begin(gives_names));
  if (const toml::array* list = table["shipments"].as_array()) {
    for (const toml::node& node : *list) {
      auto shipment = node.is_table() ? read_shipment(*node.as_table()) : std::unexpected("shipments: expected tables");
      if (!shipment) return std::unexpected(std::move(shipment.error()));
      answer.asked.push_back(shipment->number);
      answer.shipments.push_back(*std::move(shipment));
    }
  }
  if (const toml::array* list = table["asked"].as_array())
    for (const toml::node& number : *list) answer.asked.push_back(number.value_or(std::string{}));
  if (const toml::array* list = table["told"].as_array())
    for (const toml::node& remark : *list) answer.told.push_back(remark.value_or(std::string{}));
  return answer;
}

Verdict verdict_of(Field field, bool is_right, std::string expected, std::string read) {
  Verdict verdict;
  Count& count = verdict.counts[static_cast<std::size_t>(field)];
  if (is_right) {
    count.right = 1;
    return verdict;
  }
  const bool unread = read.empty();
  ++(unread ? count.unread : count.wrong);
  verdict.findings.push_back({field, unread, std::move(expected), std::move(read)});
  return verdict;
}

void add(Verdict& sum, Verdict more) {
  for (std::size_t i = 0; i < field_count; ++i) sum.counts[i] += more.counts[i];
  sum.findings.insert(sum.findings.end(), more.findings.begin(), more.findings.end());
}

Status current_status(const Report& report) {
  const TrackingEvent* latest = nullptr;
  const auto key = [](const TrackingEvent& event) {
    return std::pair{event.occurred_at ? event.occurred_at->at : Instant::max(), event.position};
  };
  for (const TrackingEvent& event : report.events) {
    if (event.status != Status::unmapped && (!latest || key(event) > key(*latest))) latest = &event;
  }
  return latest ? latest->status : Status::unmapped;
}

Verdict judge_shipment(const KnownShipment& known, const std::vector<Report>& reports) {
  const auto report = std::ranges::find(reports, known.number, &Report::remito);
  const bool found = report != reports.end() && tells_events(report->kind);
  Verdict verdict = verdict_of(Field::number, found, known.number, "");
  if (!found) return verdict;
  const int events = static_cast<int>(report->events.size());
  add(verdict, verdict_of(Field::events, events == known.events, std::to_string(known.events), std::to_string(events)));
  const Status current = current_status(*report);
  add(verdict, verdict_of(Field::status, current == known.current, std::string{remitod::name(known.current)},
                          std::string{remitod::name(current)}));
  return verdict;
}

/// What is told beside the reports is known, too; anything else is a line that was lost.
Verdict judge_remarks(const std::vector<std::string>& known, const std::vector<carriers::RowError>& told) {
  Verdict verdict;
  for (std::size_t i = 0; i < std::max(known.size(), told.size()); ++i) {
    const std::string expected = i < known.size() ? known[i] : "every line";
    const std::string read = i < told.size() ? told[i].message : "";
    if (i < known.size() && read.contains(expected)) continue;
    add(verdict, verdict_of(Field::failure, false, expected, read));
  }
  return verdict;
}

/// What a reading without a report of events is.
Gives kind_of(const TrackReading& reading) {
  if (!reading) return Gives::trouble;
  if (reading->reports.empty()) return Gives::nothing;
  return std::ranges::none_of(reading->reports, tells_events, &Report::kind) ? Gives::not_found : Gives::reports;
}

class GenuineRun {
 public:
  GenuineRun(const std::filesystem::path& corpus, const std::filesystem::path& profiles)
      : corpus_(corpus), profiles_(profiles) {}

  void run(const GenuineAnswer& known, CarrierResult& result) {
    ++result.cases;
    const auto profile = profile_of(profiles_ / known.profile);
    if (!profile) {
      result.complaints.insert(result.complaints.end(), profile.error().begin(), profile.error().end());
      return;
    }
    carriers::HttpAnswer answer;
    answer.status = known.http_status;
    answer.body = test::read_file(corpus_ / known.file);
    const Verdict verdict = is_create(known.gives) ? create(**profile, known, answer) : track(**profile, known, answer);
    for (std::size_t i = 0; i < field_count; ++i) result.counts[i] += verdict.counts[i];
    for (const Finding& finding : verdict.findings) result.complaints.push_back(known.file + ": " + describe(finding));
  }

 private:
  static Verdict track(const carriers::Profile& profile, const GenuineAnswer& known,
                       const carriers::HttpAnswer& answer) {
    if (carriers::file_feed(profile)) return judge_genuine(known, map_file(profile, answer.body));
    if (profile.can_feed() && !profile.can_track()) return judge_genuine(known, map_feed(profile, {&answer, 1}));
    std::vector<carriers::TrackItem> items;
    for (const std::string& number : known.asked) items.push_back({number, Instant{}});
    if (!profile.can_track()) return verdict_of(Field::failure, false, std::string{name(known.gives)}, "");
    return judge_genuine(known, map_track(profile, answer, items));
  }

  static Verdict create(const carriers::Profile& profile, const GenuineAnswer& known,
                        const carriers::HttpAnswer& answer) {
    if (!profile.can_create()) return verdict_of(Field::failure, false, std::string{name(known.gives)}, "");
    return judge_genuine(known, map_create(profile, answer, {"0000001061015", 1, "", "r-1", "{}"}));
  }

  const std::filesystem::path& corpus_;
  const std::filesystem::path& profiles_;
};

}  // namespace

std::expected<std::vector<GenuineAnswer>, std::string> read_genuine(const std::filesystem::path& file) {
  toml::table root;
  try {
    root = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    return std::unexpected(file.string() + ": " + std::string{error.description()});
  }
  std::vector<GenuineAnswer> answers;
  const toml::array* list = root["answer"].as_array();
  for (const toml::node& node : list ? *list : toml::array{}) {
    auto answer = node.is_table() ? read_answer(*node.as_table()) : std::unexpected("expected a table");
    if (!answer)
      return std::unexpected(file.string() + ":" + std::to_string(node.source().begin.line) + ": " + answer.error());
    answers.push_back(*std::move(answer));
  }
  return answers;
}

Verdict judge_genuine(const GenuineAnswer& known, const TrackReading& reading) {
  if (known.gives != Gives::reports) {
    const Gives read = kind_of(reading);
    return verdict_of(Field::failure, read == known.gives, std::string{name(known.gives)}, std::string{name(read)});
  }
  Verdict verdict;
  for (const KnownShipment& shipment : known.shipments)
    add(verdict, judge_shipment(shipment, reading ? reading->reports : std::vector<Report>{}));
  if (reading)
    add(verdict, judge_remarks(known.told, reading->errors));
  else
    add(verdict, verdict_of(Field::failure, false, "reports", reading.error().message));
  return verdict;
}

Verdict judge_genuine(const GenuineAnswer& known, const CreateAnswer& reading) {
  const Gives read = kind_of(reading);
  if (read == known.gives && !known.remito.empty())
    return verdict_of(Field::number, reading.remito == known.remito, known.remito, reading.remito);
  return verdict_of(Field::failure, read == known.gives, std::string{name(known.gives)}, std::string{name(read)});
}

Results run_genuine(const std::filesystem::path& corpus, const std::filesystem::path& profiles,
                    const std::vector<GenuineAnswer>& answers) {
  Results results;
  GenuineRun genuine{corpus, profiles};
  for (const GenuineAnswer& known : answers) {
    if (!std::filesystem::exists(corpus / known.file)) continue;
    std::vector<CarrierResult>& carriers = results[known.file.substr(0, known.file.find('/'))];
    auto result = std::ranges::find(carriers, known.profile, &CarrierResult::carrier);
    if (result == carriers.end()) {
      carriers.push_back({known.profile, 0, {}, 0, {}});
      result = carriers.end() - 1;
    }
    genuine.run(known, *result);
  }
  return results;
}

}  // namespace remitod::acceptance
