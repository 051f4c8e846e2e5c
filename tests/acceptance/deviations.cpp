#include "tests/acceptance/deviations.h"

#include <toml++/toml.h>

#include <algorithm>

namespace remitod::acceptance {

namespace {

std::expected<Deviation, std::string> read_deviation(const toml::table& table) {
  Deviation deviation;
  deviation.kind = table["kind"].value_or(std::string{});
  deviation.carrier = table["carrier"].value_or(std::string{});
  deviation.of_case = table["case"].value_or(std::string{});
  deviation.reason = table["reason"].value_or(std::string{});
  const auto field = field_from(table["field"].value_or(std::string{}));
  if (deviation.kind.empty() || deviation.carrier.empty() || deviation.of_case.empty() || deviation.reason.empty())
    return std::unexpected("a deviation names kind, carrier, case, field, is and reason");
  if (!field || *field == Field::failure)
    return std::unexpected("field: expected number, events, time, code, text, ...");
  deviation.field = *field;
  if (const toml::array* values = table["is"].as_array()) {
    for (const toml::node& value : *values) deviation.is.push_back(value.value_or(std::string{}));
  }
  if (deviation.is.empty()) return std::unexpected("is: expected a list of what is read instead");
  return deviation;
}

}  // namespace

std::expected<Expectations, std::string> read_expectations(const std::filesystem::path& file) {
  Expectations expectations;
  toml::table root;
  try {
    root = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    return std::unexpected(file.string() + ": " + std::string{error.description()});
  }
  if (const toml::table* counts = root["entirely_right"].as_table()) {
    for (const auto& [folder, count] : *counts)
      expectations.entirely_right[std::string{folder.str()}] = count.value_or(0);
  }
  if (const toml::array* list = root["deviation"].as_array()) {
    for (const toml::node& node : *list) {
      auto deviation = node.is_table() ? read_deviation(*node.as_table()) : std::unexpected("expected a table");
      if (!deviation)
        return std::unexpected(file.string() + ":" + std::to_string(node.source().begin.line) + ": " +
                               deviation.error());
      expectations.deviations.push_back(*std::move(deviation));
    }
  }
  return expectations;
}

Case with_true_numbers(Case of, const std::vector<const Deviation*>& deviations) {
  for (const Deviation* deviation : deviations) {
    if (deviation->field != Field::number || deviation->is.size() != of.expected.size()) continue;
    deviation->met = true;
    of.asked = deviation->is;
    for (std::size_t i = 0; i < of.expected.size(); ++i) of.expected[i].numbers = {deviation->is[i]};
  }
  return of;
}

Verdict excuse(Verdict verdict, const std::vector<const Deviation*>& deviations) {
  for (const Deviation* deviation : deviations) {
    if (deviation->field == Field::number) continue;
    std::vector<std::string> read;
    for (const Finding& finding : verdict.findings)
      if (finding.field == deviation->field) read.push_back(finding.read);
    if (read != deviation->is) continue;
    deviation->met = true;
    Count& count = verdict.counts[static_cast<std::size_t>(deviation->field)];
    count = {count.right + count.wrong + count.unread, 0, 0};
    std::erase_if(verdict.findings, [&](const Finding& finding) { return finding.field == deviation->field; });
  }
  return verdict;
}

}  // namespace remitod::acceptance
