// The numbered SQL files of migrations/, as they are built into the program.
#pragma once

#include <span>
#include <string_view>

#include "db/executor.h"

namespace remitod::db {

struct Migration {
  int version = 0;        ///< the number that the file's name begins with: 1, 2, 3, ...
  std::string_view name;  ///< the file's name without ".sql"
  std::string_view sql;
};

/// In the order of their numbers.
std::span<const Migration> migrations(DatabaseUrl::Engine engine);

}  // namespace remitod::db
