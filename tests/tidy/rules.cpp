#include "tests/tidy/rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>

namespace remitod::tidy {
namespace {

constexpr std::size_t lines_max = 450;
constexpr std::size_t columns_max = 120;

bool is_cpp(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".h");
}

bool is_source(std::string_view path) {
  return is_cpp(path) || path.ends_with(".py") || path.ends_with(".sql") || path.ends_with(".sh");
}

bool in_any(std::string_view path, std::initializer_list<std::string_view> folders) {
  return std::ranges::any_of(folders, [&](std::string_view folder) { return path.starts_with(folder); });
}

/// The line up to its `//` comment, if it has one outside of a literal.
std::string_view code_of(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote != 0) {
      if (line[i] == '\\') {
        ++i;
      } else if (line[i] == quote) {
        quote = 0;
      }
    } else if (line[i] == '"') {
      quote = line[i];
    } else if (line.substr(i).starts_with("//")) {
      return line.substr(0, i);
    }
  }
  return line;
}

/// Calls visit(line, number from 1).
template <typename Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<Finding> lines_of_code_with(std::string_view path, std::string_view text, const RE2& pattern,
                                        std::string_view message) {
  std::vector<Finding> findings;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    const std::string_view code = code_of(line);
    if (RE2::PartialMatch({code.data(), code.size()}, pattern)) {
      findings.push_back({std::string(path), number, std::string(message)});
    }
  });
  return findings;
}

/// Calls visit(included, quoted, number) for each #include.
template <typename Visit>
void for_each_include(std::string_view text, Visit&& visit) {
  static const RE2 include(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    std::string bracket, included;
    if (RE2::PartialMatch({line.data(), line.size()}, include, &bracket, &included)) {
      visit(included, bracket == "\"", number);
    }
  });
}

bool may_include(std::string_view path, std::string_view included) {
  if (path.starts_with("carriers/")) return included.starts_with("carriers/");
  if (path.starts_with("scheduler/")) return included.starts_with("scheduler/") || included == "carriers/tracking.h";
  if (path.starts_with("db/")) return included.starts_with("db/") || included == "carriers/tracking.h";
  const bool of_the_product = in_any(included, {"carriers/", "scheduler/", "db/", "daemon/"});
  if (path.starts_with("daemon/")) return of_the_product;
  return of_the_product || included.starts_with("tests/");
}

}  // namespace

std::vector<Finding> include_direction(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  if (!is_cpp(path)) return findings;
  for_each_include(text, [&](const std::string& included, bool quoted, std::size_t number) {
    const bool ours = quoted || in_any(included, {"carriers/", "scheduler/", "db/", "daemon/", "tests/"});
    if (ours && !may_include(path, included)) {
      findings.push_back({std::string(path), number, "may not include " + included});
    }
  });
  return findings;
}

std::vector<Finding> library_borders(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  if (!is_cpp(path) || path.starts_with("tests/")) return findings;
  for_each_include(text, [&](const std::string& included, bool, std::size_t number) {
    const bool curl = included.starts_with("curl/") && !path.starts_with("carriers/curl_");
    const bool database =
        in_any(included, {"soci/", "soci.h", "sqlite3", "libpq", "postgresql/"}) && !path.starts_with("db/");
    if (curl) findings.push_back({std::string(path), number, included + " belongs to carriers/curl_*"});
    if (database) findings.push_back({std::string(path), number, included + " belongs to db/"});
  });
  return findings;
}

std::vector<Finding> sql_border(std::string_view path, std::string_view text) {
  if (!is_cpp(path) || in_any(path, {"db/", "tests/"})) return {};
  static const RE2 statement(
      R"((?i)\b(insert\s+into\s+\w|update\s+[\w.]+\s+set\s+\w|delete\s+from\s+\w|select\s+[\w*,.()\s]+\s+from\s+\w))");
  return lines_of_code_with(path, text, statement, "SQL belongs to db/");
}

std::vector<Finding> clocks(std::string_view path, std::string_view text) {
  if (!is_cpp(path) || in_any(path, {"daemon/", "tests/"})) return {};
  // libcurl's own thread measures how long a transfer takes. No decision hangs on it.
  if (path == "carriers/curl_transport.cpp") return {};
  static const RE2 clock(
      R"(\w::now\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)|\bgettimeofday\s*\(|\bclock_gettime\s*\()");
  return lines_of_code_with(path, text, clock, "reads a clock: the time is an argument here");
}

std::vector<Finding> randomness(std::string_view path, std::string_view text) {
  if (!is_cpp(path) || path == "daemon/main.cpp") return {};
  static const RE2 source(R"(\brandom_device\b|\bs?rand\s*\()");
  return lines_of_code_with(path, text, source, "draws randomness: a seed is an argument here");
}

std::vector<Finding> file_length(std::string_view path, std::string_view text) {
  if (!is_source(path)) return {};
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  if (lines <= lines_max) return {};
  return {{std::string(path), 0, std::to_string(lines) + " lines, and " + std::to_string(lines_max) + " at most"}};
}

std::vector<Finding> line_length(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  if (!is_cpp(path)) return findings;
  // What stands in a raw string is somebody's document; where it breaks its lines is not ours to say.
  static const RE2 opens(R"x(R"([a-z]*)\()x");
  std::string closing;  // of the raw string that is open
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    std::string delimiter;
    if (closing.empty() && RE2::PartialMatch(line, opens, &delimiter)) closing = ")" + delimiter + "\"";
    if (!closing.empty()) {
      if (line.contains(closing)) closing.clear();
      return;
    }
    // Characters, not bytes: those that continue a UTF-8 sequence do not count.
    const auto columns = std::ranges::count_if(line, [](char byte) { return (byte & 0xc0) != 0x80; });
    if (static_cast<std::size_t>(columns) > columns_max) {
      findings.push_back({std::string(path), number, std::to_string(columns) + " columns"});
    }
  });
  return findings;
}

std::vector<Finding> header_shape(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  if (!path.ends_with(".h")) return findings;
  static const RE2 once(R"((?m)^#pragma once$)");
  static const RE2 comment(R"(^// \w)");
  if (!RE2::PartialMatch({text.data(), text.size()}, once)) {
    findings.push_back({std::string(path), 0, "has no #pragma once"});
  }
  if (!RE2::PartialMatch({text.data(), text.size()}, comment)) {
    findings.push_back({std::string(path), 1, "does not begin with a comment that says what it is for"});
  }
  return findings;
}

std::vector<Finding> machine_paths(std::string_view path, std::string_view text) {
  static const RE2 machine(R"((^|[^\w/.\-})])/(home|work|Users)/\w)");
  std::vector<Finding> findings;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (RE2::PartialMatch({line.data(), line.size()}, machine)) {
      findings.push_back({std::string(path), number, "names a folder of one machine"});
    }
  });
  return findings;
}

std::vector<Finding> leftovers(std::string_view path, std::string_view text) {
  static const RE2 note(R"(\b(TO[D]O|FIX[M]E|XX[X])\b)");
  std::vector<Finding> findings;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (RE2::PartialMatch({line.data(), line.size()}, note)) {
      findings.push_back({std::string(path), number, "a note that should be done or gone"});
    }
  });
  return findings;
}

std::string clang_format_complaints(const std::string& folder, const std::vector<std::string>& paths) {
  std::string command = "cd '" + folder + "' && clang-format-19 --dry-run -Werror";
  for (const std::string& path : paths) command += " '" + path + "'";
  command += " 2>&1";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (!pipe) return "clang-format-19 cannot be run";
  std::string said;
  std::array<char, 4096> buffer{};
  while (const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), pipe)) said.append(buffer.data(), read);
  const int status = pclose(pipe);
  if (status != 0 && said.empty()) return "clang-format-19 ended with status " + std::to_string(status);
  return status == 0 ? std::string() : said;
}

}  // namespace remitod::tidy
