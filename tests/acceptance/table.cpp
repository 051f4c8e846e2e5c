#include "tests/acceptance/table.h"

#include <algorithm>

namespace remitod::acceptance {

namespace {

constexpr std::size_t name_width = 22;
constexpr std::size_t column_width = 10;

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string cell(const Count& count) {
  if (count.right + count.wrong + count.unread == 0) return "-";
  return std::to_string(count.right) + "/" + std::to_string(count.wrong) + "/" + std::to_string(count.unread);
}

std::string line(const std::string& first, int cases, const Counts& counts, const std::string& last) {
  std::string text = padded(first, name_width) + padded(std::to_string(cases), 7);
  for (const Count& count : counts) text += padded(cell(count), column_width);
  return text + last + "\n";
}

std::string remark(const CarrierResult& result) {
  if (!result.entirely_right()) return "NOT RIGHT";
  return result.deviations == 0 ? "" : "deviates: see below";
}

std::string heading(const std::string& kind) {
  std::string text = padded(kind, name_width) + padded("cases", 7);
  for (const char* column :
       {"remitos", "events", "times", "codes", "texts", "places", "statuses", "failures", "cancels"})
    text += padded(column, column_width);
  return text + "\n";
}

}  // namespace

int count_entirely_right(const std::vector<CarrierResult>& results) {
  return static_cast<int>(std::ranges::count_if(results, &CarrierResult::entirely_right));
}

std::string table_of(const std::string& kind, const std::vector<CarrierResult>& results) {
  std::string text = heading(kind), complaints;
  Counts total{};
  int cases = 0;
  for (const CarrierResult& result : results) {
    text += line(result.carrier, result.cases, result.counts, remark(result));
    cases += result.cases;
    for (std::size_t i = 0; i < field_count; ++i) total[i] += result.counts[i];
    for (const std::string& complaint : result.complaints) complaints += result.carrier + ": " + complaint + "\n";
  }
  text += line("total", cases, total, "");
  text += std::to_string(count_entirely_right(results)) + " of " + std::to_string(results.size()) +
          " carriers entirely right; each column: right/wrong/unread\n\n";
  return text + complaints + (complaints.empty() ? "" : "\n");
}

std::string list_of(const std::vector<Deviation>& deviations) {
  std::string text = deviations.empty() ? "" : "where the corpus expects what is not true:\n";
  for (const Deviation& deviation : deviations) {
    text += "  " + deviation.carrier + ", " + deviation.of_case + ", " + std::string{name(deviation.field)} + ": " +
            deviation.reason + (deviation.met ? "" : "  [NOT MET: nothing like this was read]") + "\n";
  }
  return text;
}

}  // namespace remitod::acceptance
