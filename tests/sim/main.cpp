// remitod_sim --seed N --days D [--seeds COUNT] [--mutation NAME]
//
// Runs one seed, or COUNT from N on, and prints for each its plan and the hash of its trace. Ends at the first check
// that does not hold, with the last events before it and exit code 1.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "tests/sim/world.h"

namespace {

using namespace remitod::sim;

bool report(const RunOptions& options, const RunResult& result, bool in_short) {
  if (!in_short || result.broken)
    std::printf("seed %llu, %d days: %s\n", static_cast<unsigned long long>(options.seed), options.days,
                result.plan.c_str());
  if (!in_short || result.broken)
    std::printf(
        "  %zu shipments, %zu requests, %zu transitions, %llu events, "
        "trace %016llx\n",
        result.shipments, result.requests, result.transitions, static_cast<unsigned long long>(result.events),
        static_cast<unsigned long long>(result.trace_hash));
  if (!result.broken) return true;
  std::printf("%s  BROKEN %s: %s\n", result.broken->last_events.c_str(), result.broken->check.c_str(),
              result.broken->what.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The daemon's deciding parts under faults, on a virtual clock");
  RunOptions options;
  std::uint64_t seeds = 1;
  std::string mutation;
  bool keep_going = false, in_short = false;
  app.add_option("--seed", options.seed, "The first seed");
  app.add_option("--seeds", seeds, "How many, from that one on");
  app.add_option("--days", options.days, "Days with faults")->check(CLI::Range(1, 60));
  app.add_option("--mutation", mutation, "A rule to be broken on purpose");
  app.add_flag("--keep-going", keep_going, "Try the other seeds, too, after a broken check");
  app.add_flag("--short", in_short, "Print only what is broken, and a summary");
  CLI11_PARSE(app, argc, argv);
  if (!mutation.empty()) {
    const auto known = mutation_from(mutation);
    if (!known) {
      std::fprintf(stderr, "no such mutation: %s\n", mutation.c_str());
      return 64;
    }
    options.mutation = *known;
  }
  std::uint64_t broken = 0, done = 0, hash = 0;
  for (; done < seeds && (broken == 0 || keep_going); ++done, ++options.seed) {
    const RunResult result = run_seed(options);
    if (!report(options, result, in_short)) ++broken;
    hash = hash * 31 + result.trace_hash;
    if (in_short && (done + 1) % 100 == 0)
      std::printf("%llu seeds up to %llu, %llu broken\n", static_cast<unsigned long long>(done + 1),
                  static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(broken));
    std::fflush(stdout);
  }
  std::printf("%llu seeds, %llu broken, hash %016llx\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(broken), static_cast<unsigned long long>(hash));
  return broken == 0 ? 0 : 1;
}
