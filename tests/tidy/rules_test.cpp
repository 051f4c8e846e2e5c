// Each rule finds its bad example, and lets the good one beside it pass. The bad words are written in two pieces, so
// that this file itself passes.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/paths.h"
#include "tests/tidy/rules.h"

namespace remitod::tidy {
namespace {

struct Example {
  Rule rule;
  std::string path;
  std::string text;
};

void expect_found(const std::vector<Example>& examples) {
  for (const Example& example : examples) {
    EXPECT_EQ(example.rule(example.path, example.text).size(), 1U) << example.path << ": " << example.text;
  }
}

void expect_passed(const std::vector<Example>& examples) {
  for (const Example& example : examples) {
    EXPECT_TRUE(example.rule(example.path, example.text).empty()) << example.path << ": " << example.text;
  }
}

TEST(TidyRules, IncludesGoAlongTheArrows) {
  expect_found({
      {include_direction, "carriers/mapping.cpp", "#include \"db/stores.h\"\n"},
      {include_direction, "carriers/mapping.cpp", "#include \"scheduler/lane.h\"\n"},
      {include_direction, "scheduler/lane.cpp", "#include \"carriers/profile.h\"\n"},
      {include_direction, "scheduler/lane.cpp", "#include <carriers/profile.h>\n"},
      {include_direction, "scheduler/lane.cpp", "  #  include \"db/stores.h\"\n"},
      {include_direction, "db/stores.h", "#include \"carriers/profile.h\"\n"},
      {include_direction, "db/stores.h", "#include \"daemon/log.h\"\n"},
      {include_direction, "daemon/main.cpp", "#include \"tests/support/paths.h\"\n"},
      {include_direction, "daemon/main.cpp", "#include \"log.h\"\n"},
      {include_direction, "daemon/main.cpp", "#include \"../db/stores.h\"\n"},
  });
  expect_passed({
      {include_direction, "carriers/mapping.cpp", "#include \"carriers/profile.h\"\n#include <string>\n"},
      {include_direction, "scheduler/lane.h", "#include \"carriers/tracking.h\"\n"},
      {include_direction, "db/stores.h", "#include \"carriers/tracking.h\"\n#include \"db/error.h\"\n"},
      {include_direction, "daemon/poller.h", "#include \"scheduler/lane.h\"\n#include \"db/stores.h\"\n"},
      {include_direction, "tests/db/a_test.cpp", "#include \"daemon/log.h\"\n#include \"tests/support/paths.h\"\n"},
      {include_direction, "daemon/README.md", "#include \"log.h\"\n"},
  });
}

TEST(TidyRules, LibrariesStayWhereTheyBelong) {
  expect_found({
      {library_borders, "carriers/request.cpp", "#include <curl/curl.h>\n"},
      {library_borders, "daemon/main.cpp", "#include <curl/curl.h>\n"},
      {library_borders, "daemon/poller.cpp", "#include <soci/soci.h>\n"},
      {library_borders, "scheduler/lane.cpp", "#include <sqlite3.h>\n"},
      {library_borders, "daemon/poller.cpp", "#include <libpq-fe.h>\n"},
  });
  expect_passed({
      {library_borders, "carriers/curl_transport.cpp", "#include <curl/curl.h>\n"},
      {library_borders, "db/session.cpp", "#include <soci/soci.h>\n#include <libpq-fe.h>\n"},
      {library_borders, "tests/bench/poll.cpp", "#include <curl/curl.h>\n"},
  });
}

TEST(TidyRules, SqlStaysInDb) {
  expect_found({
      {sql_border, "daemon/poller.cpp", "run(\"select remito from shipments\");\n"},
      {sql_border, "daemon/poller.cpp", "  INSERT INTO resync_requests\n"},
      {sql_border, "scheduler/lane.cpp", "run(\"update remitod.shipments set status = 1\");\n"},
      {sql_border, "carriers/profile.cpp", "run(\"delete from transitions\");\n"},
  });
  expect_passed({
      {sql_border, "db/stores.cpp", "run(\"select remito from shipments\");\n"},
      {sql_border, "daemon/poller.cpp", "// the platform may insert into remito_requests\n"},
      {sql_border, "daemon/poller.cpp", "const auto selected = pick(from);\n"},
  });
}

TEST(TidyRules, TheTimeIsAnArgument) {
  expect_found({
      {clocks, "scheduler/lane.cpp", "auto t = std::chrono::system_clock::now();\n"},
      {clocks, "db/stores.cpp", "auto t = Clock::now ();\n"},
      {clocks, "carriers/request.cpp", "const auto t = time(nullptr);\n"},
      {clocks, "carriers/request.cpp", "clock_gettime(CLOCK_REALTIME, &t);\n"},
  });
  expect_passed({
      {clocks, "daemon/asio_runtime.cpp", "auto t = std::chrono::system_clock::now();\n"},
      {clocks, "scheduler/lane.cpp", "take(now); // never system_clock::now()\n"},
      {clocks, "db/stores.cpp", "const auto at = occurred_time(0);\n"},
  });
}

TEST(TidyRules, RandomnessIsASeed) {
  expect_found({
      {randomness, "scheduler/breaker.cpp",
       "std::random_"
       "device device;\n"},
      {randomness, "daemon/poller.cpp",
       "std::random_"
       "device device;\n"},
      {randomness, "db/stores.cpp",
       "const int n = ra"
       "nd();\n"},
  });
  expect_passed({
      {randomness, "daemon/main.cpp",
       "std::random_"
       "device device;\n"},
      {randomness, "scheduler/breaker.cpp", "const int n = operand(2);\n"},
  });
}

TEST(TidyRules, FilesAndLinesAreShort) {
  std::string long_file;
  for (int i = 0; i < 451; ++i) long_file += "\n";
  const std::string wide(121, 'x');
  expect_found({
      {file_length, "db/stores.cpp", long_file},
      {file_length, "db/migrations/sqlite/0001.sql", long_file},
      {line_length, "db/stores.cpp", "\n" + wide + "\n"},
      {line_length, "db/stores.cpp", wide},
      {line_length, "db/stores.cpp", "auto xml = R\"(<a>\n</a>)\";\n" + wide},
  });
  std::string accented;
  for (int i = 0; i < 120; ++i) accented += "\u00e1";
  expect_passed({
      {file_length, "db/stores.cpp", long_file.substr(1)},
      {file_length, "CHANGELOG.md", long_file},
      {line_length, "db/stores.cpp", wide.substr(1) + "\n"},
      {line_length, "db/stores.cpp", accented},
      {line_length, "db/stores.cpp", "auto xml = R\"(<a>\n" + wide + "\n</a>)\";\n"},
      {line_length, "README.md", wide},
  });
}

TEST(TidyRules, HeadersSayWhatTheyAreFor) {
  expect_found({
      {header_shape, "db/a.h", "// What for.\nint a();\n"},
      {header_shape, "db/a.h", "#pragma once\nint a();\n"},
      {header_shape, "db/a.h", "//\n#pragma once\n"},
  });
  expect_passed({
      {header_shape, "db/a.h", "// What for.\n#pragma once\n"},
      {header_shape, "db/a.cpp", "int a() { return 1; }\n"},
  });
}

TEST(TidyRules, NoPathsOfOneMachine) {
  expect_found({
      {machine_paths, "README.md",
       "see /ho"
       "me/ana/remitod\n"},
      {machine_paths, "daemon/demo",
       "cd \"/wo"
       "rk/remitod\"\n"},
      {machine_paths, "CMakeLists.txt",
       "/Us"
       "ers/ana\n"},
  });
  expect_passed({
      {machine_paths, "README.md",
       "https://example.org/ho"
       "me/index and /var/lib/remitod\n"},
      {machine_paths, "carriers/profiles/x/carrier.toml",
       "events = \"//answer/wo"
       "rk/item\"\n"},
  });
}

TEST(TidyRules, NoNotesAreLeftBehind) {
  expect_found({
      {leftovers, "db/a.cpp",
       "// TO"
       "DO: later\n"},
      {leftovers, "README.md",
       "FIX"
       "ME\n"},
  });
  expect_passed({{leftovers, "README.md", "METODO, todo el mundo\n"}});
}

TEST(TidyRules, EveryLineIsFoundWithItsNumber) {
  const auto findings = clocks("db/a.cpp", "int a;\nauto t = C::now();\n\nauto u = C::now();\n");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].line, 2U);
  EXPECT_EQ(findings[1].line, 4U);
}

TEST(TidyRules, ClangFormatComplainsOfWhatItWouldWriteOtherwise) {
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / ".clang-format", test::read_file(test::source_dir() / ".clang-format"));
  test::write_file(folder.path() / "good.cpp", "int a() {\n  return 1;\n}\n");
  test::write_file(folder.path() / "bad.cpp", "int a( ) {\n return 1;}\n");
  EXPECT_EQ(clang_format_complaints(folder.path().string(), {"good.cpp"}), "");
  EXPECT_NE(clang_format_complaints(folder.path().string(), {"good.cpp", "bad.cpp"}), "");
  EXPECT_NE(clang_format_complaints(folder.path().string(), {"missing.cpp"}), "");
}

}  // namespace
}  // namespace remitod::tidy
