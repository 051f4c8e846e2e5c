// acceptance: the profiles over a corpus of answers that carriers really gave.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "tests/acceptance/genuine.h"
#include "tests/acceptance/run_corpus.h"
#include "tests/acceptance/table.h"
#include "tests/support/paths.h"

namespace {

using namespace remitod::acceptance;

constexpr int exit_skipped = 77;

/// Of a corpus whose counts nobody stated, every carrier has to be entirely right.
bool enough(const Results& results, const std::map<std::string, int>& stated) {
  for (const auto& [kind, carriers] : results) {
    const auto count = stated.find(kind);
    const int wanted = count == stated.end() ? static_cast<int>(carriers.size()) : count->second;
    if (count_entirely_right(carriers) < wanted) return false;
  }
  return !results.empty();
}

struct Options {
  std::filesystem::path corpus;
  std::filesystem::path profiles = remitod::test::source_dir() / "carriers" / "profiles";
  std::filesystem::path deviations;  ///< empty: none are known
  std::filesystem::path genuine;     ///< likewise of plain files
};

std::expected<bool, std::string> run(const Options& options) {
  Expectations expectations;
  if (!options.deviations.empty()) {
    auto read = read_expectations(options.deviations);
    if (!read) return std::unexpected(std::move(read.error()));
    expectations = *std::move(read);
  }
  Results results = run_corpus(options.corpus, options.profiles, expectations.deviations);
  if (!options.genuine.empty()) {
    const auto answers = read_genuine(options.genuine);
    if (!answers) return std::unexpected(answers.error());
    results.merge(run_genuine(options.corpus, options.profiles, *answers));
  }
  for (const auto& [kind, carriers] : results) std::cout << table_of(kind, carriers);
  std::cout << list_of(expectations.deviations);
  return enough(results, expectations.entirely_right) && std::ranges::all_of(expectations.deviations, &Deviation::met);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path ours = remitod::test::source_dir() / "tests" / "acceptance";
  Options options;
  CLI::App app{"The profiles over a corpus of answers that carriers really gave", "acceptance"};
  app.add_option("--corpus", options.corpus, "a folder of case files (default: the corpus in the folder `shared`)");
  app.add_option("--profiles", options.profiles, "a folder of profiles, each named as its case file");
  app.add_option("--deviations", options.deviations,
                 "where the corpus is wrong (default: ours, for the default corpus)");
  app.add_option("--genuine", options.genuine, "what is in its plain files (default: ours, for the default corpus)");
  CLI11_PARSE(app, argc, argv);
  if (options.corpus.empty()) {
    const auto shared = remitod::test::shared_dir();
    if (!shared) {
      std::cout << "skipped: the corpus of carriers' answers is not beside this checkout\n";
      return exit_skipped;
    }
    options.corpus = *shared / "corpus";
    if (options.deviations.empty()) options.deviations = ours / "deviations.toml";
    if (options.genuine.empty()) options.genuine = ours / "genuine.toml";
  }
  const auto accepted = run(options);
  if (!accepted) std::cerr << accepted.error() << "\n";
  if (accepted && *accepted) return EXIT_SUCCESS;
  std::cerr << "not accepted\n";
  return EXIT_FAILURE;
}
