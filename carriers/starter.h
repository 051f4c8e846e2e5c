// The folder that a new carrier begins with: a profile in which every line says what it is for, and samples that pass.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace remitod::carriers {

struct StarterFile {
  std::string path;  ///< below the carrier's folder: "samples/delivered.json"
  std::string text;
};

/// What the name of a carrier may be: it is the name of a folder and of a table in remitod.toml. Lower case letters,
/// digits and '_', a letter first, at most 60.
bool is_carrier_name(std::string_view name);

/// `name` is one.
std::vector<StarterFile> starter_files(std::string_view name);

}  // namespace remitod::carriers
