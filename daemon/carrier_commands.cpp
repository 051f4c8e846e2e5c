#include "daemon/carrier_commands.h"

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "carriers/check.h"
#include "carriers/invented_account.h"
#include "carriers/nearest_word.h"
#include "carriers/sample.h"
#include "carriers/starter.h"
#include "daemon/check_text.h"
#include "daemon/command_output.h"
#include "daemon/config.h"
#include "daemon/config_limits.h"

namespace remitod::daemon {
namespace {

namespace fs = std::filesystem;

constexpr int exit_differs = 1;

bool is_profile(const fs::path& dir) {
  std::error_code ignored;
  return fs::exists(dir / "carrier.toml", ignored);
}

/// The profiles in a folder of them, by name.
std::vector<fs::path> profiles_in(const fs::path& dir) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored))
    if (is_profile(entry.path())) found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

/// All that the daemon would find; of two with the same name the one that it would take.
std::vector<fs::path> installed_profiles(const Options& options) {
  const auto config = load_config(options.config_file);
  std::vector<fs::path> found;
  std::set<std::string> names;
  for (const fs::path& dir : (config ? *config : Config{}).carriers_dirs)
    for (const fs::path& profile : profiles_in(dir))
      if (names.insert(profile.filename()).second) found.push_back(profile);
  return found;
}

/// A folder, a folder of folders, the name of an installed profile, or all of them. Nothing: there is no such.
std::vector<fs::path> profiles_meant(const Options& options) {
  const std::string& target = options.target;
  if (target != "all") {
    if (is_profile(target)) return {target};
    if (std::vector<fs::path> inside = profiles_in(target); !inside.empty()) return inside;
  }
  std::vector<fs::path> installed = installed_profiles(options);
  if (target != "all") std::erase_if(installed, [&](const fs::path& dir) { return dir.filename() != target; });
  return installed;
}

int no_such_profile(const Options& options) {
  std::vector<std::string> names;
  for (const fs::path& dir : installed_profiles(options)) names.push_back(dir.filename());
  std::cerr << "remitod: " << options.target << " is neither a folder with a carrier.toml nor the name of a profile"
            << carriers::did_you_mean(options.target, names) << '\n';
  return EX_USAGE;
}

/// What only the daemon reads of a profile.
void check_hours(const fs::path& dir, carriers::ProfileCheck& check) {
  if (!check.errors.empty()) return;
  const auto profile = carriers::load_profile(dir, carriers::invented_account(dir));
  if (profile) check.errors = hours_errors(**profile, check.file);
}

/// Writes the expectations of samples that do not say yet what is to be read. False: one could not be written, which
/// has been told.
bool accept(const fs::path& dir, const carriers::ProfileCheck& check) {
  for (const carriers::SampleCheck& sample : check.samples) {
    if (sample.proposal.empty()) continue;
    const fs::path file = dir / "samples" / (sample.name + std::string(carriers::expectation_suffix));
    const fs::path beside = file.string() + ".new";
    std::ofstream out(beside, std::ios::binary);
    std::error_code error;
    if ((out << sample.proposal).flush()) fs::rename(beside, file, error);
    if (!out || error) {
      fs::remove(beside, error);
      std::cerr << "remitod: " << file.string() << " cannot be written\n";
      return false;
    }
    std::cerr << "remitod: wrote " << file.string() << ": hold every line against the carrier's documentation\n";
    const nlohmann::json written = nlohmann::json::parse(sample.proposal, nullptr, false);
    if (!written.is_object() || !written.contains("trouble")) continue;
    // It guards from now on that this answer is not understood, which is seldom what it was recorded for.
    const nlohmann::json& trouble = written["trouble"];
    std::cerr << "remitod: it now expects trouble (" << trouble.value("kind", std::string{}) << ": "
              << trouble.value("message_contains", std::string{})
              << "): if the carrier answered as it does every day, take that out again and mend the profile\n";
  }
  return true;
}

/// Of one profile.
carriers::ProfileCheck checked(const fs::path& dir) {
  carriers::ProfileCheck check = carriers::check_profile(dir);
  check_hours(dir, check);
  return check;
}

}  // namespace

bool wants_colours() {
  const char* no_color = std::getenv("NO_COLOR");  // no-color.org: any value that is not empty
  return ::isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
}

int check_carrier(const Options& options) {
  const std::vector<fs::path> dirs = profiles_meant(options);
  if (dirs.empty()) return no_such_profile(options);
  int exit_code = EX_OK;
  for (const fs::path& dir : dirs) {
    carriers::ProfileCheck check = checked(dir);
    if (options.accept) {
      if (!accept(dir, check)) return EX_CANTCREAT;
      check = checked(dir);
    }
    if (dirs.size() > 1) check.requests.clear();  // they are for whoever writes one profile
    std::cout << (options.json ? check_json(check) + "\n" : check_text(check, wants_colours()));
    if (!check.errors.empty())
      exit_code = EX_CONFIG;
    else if (!check.passed())
      exit_code = std::max(exit_code, exit_differs);
  }
  return exit_code;
}

int new_carrier(const Options& options) {
  if (!carriers::is_carrier_name(options.target)) {
    std::cerr << "remitod: a carrier's name is of lower case letters, digits and '_', a letter first\n";
    return EX_USAGE;
  }
  const fs::path dir = fs::path(options.folder) / options.target;
  std::error_code error;
  if (fs::exists(dir, error)) {
    std::cerr << "remitod: " << dir.string() << " is there already\n";
    return EX_CANTCREAT;
  }
  std::vector<std::string> written;
  for (const carriers::StarterFile& file : carriers::starter_files(options.target)) {
    const fs::path path = dir / file.path;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    if (!(out << file.text).flush()) {
      std::cerr << "remitod: " << path.string() << " cannot be written\n";
      return EX_CANTCREAT;
    }
    written.push_back(file.path);
  }
  if (options.json)
    std::cout << one_line({{"folder", dir.string()}, {"files", written}}) << '\n';
  else
    std::cout << dir.string() << " is there. Next: remitod --check-carrier " << dir.string() << '\n';
  return EX_OK;
}

}  // namespace remitod::daemon
