#include "carriers/file_feed.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <tuple>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/digest.h"
#include "carriers/files_operation.h"
#include "carriers/mapping_reports.h"
#include "carriers/report_expressions.h"
#include "carriers/row_chunks.h"

namespace remitod::carriers {
namespace {

// Some megabytes of tree.
constexpr std::size_t rows_per_part = 5'000;
constexpr std::size_t all_rows = std::numeric_limits<std::size_t>::max();

const FilesOperation& files_of(const Profile& profile) {
  if (!profile.compiled().files) std::abort();
  return *profile.compiled().files;
}

}  // namespace

const FileFeed* file_feed(const Profile& profile) {
  const FilesOperation* const files = profile.compiled().files.get();
  return files ? &files->feed : nullptr;
}

bool takes_file(const Profile& profile, std::string_view name) {
  return std::ranges::all_of(files_of(profile).names,
                             [&](const std::unique_ptr<RE2>& pattern) { return RE2::FullMatch(name, *pattern); });
}

bool reads_same_files(const Profile& one, const Profile& other) {
  const auto place = [](const FileSite& site) { return std::tie(site.scheme, site.authority, site.folder, site.user); };
  const auto pattern = [](const std::unique_ptr<RE2>& name) -> const std::string& { return name->pattern(); };
  return place(files_of(one).feed.site) == place(files_of(other).feed.site) &&
         std::ranges::equal(files_of(one).names, files_of(other).names, {}, pattern, pattern);
}

std::string content_fingerprint(std::string_view bytes) {
  return to_hex(hash(Digest::sha256, bytes));
}

std::expected<TrackAnswer, CarrierTrouble> map_file(const Profile& profile, std::string_view bytes) {
  const ReportRules& rules = files_of(profile).reports;
  constexpr int http_ok = 200;  // a file that is there is an answer that came
  ReportReader reader(rules, std::nullopt);
  // In parts, a row would lack the line that it belongs to, and each part would have a first row of its own.
  RowChunks parts(bytes, rules.answer.decode, looks_beyond_rows(rules) ? all_rows : rows_per_part);
  HttpAnswer answer;
  answer.status = http_ok;
  for (;;) {
    auto part = parts.next();
    if (!part) return std::move(reader).finish();
    answer.body = *std::move(part);
    auto document = open_answer(rules.answer, answer);
    if (document) {
      reader.read(*document);
      continue;
    }
    if (parts.rows_before() != 0)
      document.error().message = "after " + std::to_string(parts.rows_before()) + " rows: " + document.error().message;
    return std::unexpected(std::move(document.error()));
  }
}

const ReportRules* feed_rules(const CompiledProfile& profile) {
  if (profile.feed) return &profile.feed->reports;
  return profile.files ? &profile.files->reports : nullptr;
}

}  // namespace remitod::carriers
