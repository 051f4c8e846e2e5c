// The manual pages and the completions tell every flag and every key that there is, and none that there is not.
#include <gmock/gmock.h>
#include <re2/re2.h>

#include <set>
#include <sstream>
#include <string>

#include "daemon/config.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace remitod::test {
namespace {

using Words = std::set<std::string>;

std::string page(const std::string& file) {
  return read_file(source_dir() / "systemd" / file);
}

Words found_in(const std::string& text, const RE2& pattern) {
  Words words;
  std::string word;
  for (re2::StringPiece rest(text); RE2::FindAndConsume(&rest, pattern, &word);) words.insert(word);
  return words;
}

// --config and -c: what stands at the beginning of the help's lines.
Words flags_of_the_program() {
  const Finished help = run_to_end({REMITOD_PROGRAM, "--help"});
  EXPECT_EQ(help.exit_code, 0) << help.err;
  static const RE2 line(R"((?m)^  (-[^ ]+))"), flag(R"((--?[a-z][a-z-]*))");
  Words flags;
  for (const std::string& spellings : found_in(help.out, line)) flags.merge(found_in(spellings, flag));
  return flags;
}

Words long_ones(const Words& flags) {
  Words result;
  for (const std::string& flag : flags)
    if (flag.starts_with("--")) result.insert(flag);
  return result;
}

// ".It Fl c , -config Ar FILE" tells -c and --config.
Words flags_of_the_manual() {
  static const RE2 item(R"((?m)^\.It (Fl .*)$)"), flag(R"((?:Fl |, )(-?[a-z][a-z-]*))");
  Words flags;
  for (const std::string& line : found_in(page("man/remitod.8"), item))
    for (const std::string& found : found_in(line, flag)) flags.insert("-" + found);
  return flags;
}

TEST(Manual, TellsEveryFlagAndNoOther) {
  const Words flags = flags_of_the_program();
  ASSERT_TRUE(flags.contains("--status"));
  EXPECT_EQ(flags_of_the_manual(), flags) << "systemd/man/remitod.8";
}

TEST(Completion, OfBashKnowsEveryFlagAndNoOther) {
  static const RE2 options(R"((?s)local options='([^']*)')"), flag(R"((--[a-z-]+))");
  std::string listed;
  ASSERT_TRUE(RE2::PartialMatch(page("completion/remitod.bash"), options, &listed));
  EXPECT_EQ(found_in(listed, flag), long_ones(flags_of_the_program())) << "systemd/completion/remitod.bash";
}

TEST(Completion, OfZshKnowsEveryFlagAndNoOther) {
  static const RE2 specified(R"((--[a-z-]+)(?:}'|)\[)");
  EXPECT_EQ(found_in(page("completion/_remitod"), specified), long_ones(flags_of_the_program()))
      << "systemd/completion/_remitod";
}

struct Keys {
  Words sections;  ///< "carriers.NAME"
  Words keys;      ///< "carriers.NAME.interval"
};

// ".Sh [daemon]" begins a section, ".It Cm drain" tells a key of it; lists inside of a key's text have other marks.
Keys keys_of_the_manual() {
  Keys told;
  std::istringstream lines(page("man/remitod.toml.5"));
  std::string section, name;
  for (std::string line; std::getline(lines, line);) {
    static const RE2 begins(R"(\.S[hs] \[([\w.]+)\])"), key(R"(\.It Cm (\w+))");
    if (RE2::FullMatch(line, begins, &name)) {
      section = name;
      told.sections.insert(section);
    } else if (RE2::FullMatch(line, key, &name)) {
      told.keys.insert(section + "." + name);
    }
  }
  return told;
}

/// What is looked for in these sections. Which keys a sink has depends on its type.
Words keys_of_the_program(const Words& sections) {
  Words keys;
  for (const std::string type : {"webhook", "command"}) {
    std::string text;
    for (const std::string& section : sections)
      text += "[" + section + "]\n" + (section.starts_with("sinks.") ? "type = \"" + type + "\"\n" : "");
    keys.merge(daemon::config_keys(text));
  }
  keys.erase("carriers");
  keys.erase("sinks");
  return keys;
}

TEST(Manual, TellsEveryKeyOfTheConfigurationAndNoOther) {
  const Keys told = keys_of_the_manual();
  Words keys = keys_of_the_program(told.sections);
  for (const std::string& section : told.sections) keys.erase(section);
  ASSERT_TRUE(keys.contains("database.url"));
  EXPECT_EQ(told.keys, keys) << "systemd/man/remitod.toml.5";
}

TEST(Manual, TheExampleOfTheConfigurationIsRight) {
  const TemporaryFolder folder;
  write_file(folder.path() / "remitod.toml", page("remitod.toml.example"));
  EXPECT_TRUE(daemon::load_config(folder.path() / "remitod.toml"));
}

}  // namespace
}  // namespace remitod::test
