// Profiles in a temporary folder whose samples are replayed, to be spoiled.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/check.h"
#include "carriers/starter.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::carriers {

/// The folder that a new carrier begins with, to be spoiled.
class CheckedProfile : public testing::Test {
 protected:
  CheckedProfile() {
    for (const StarterFile& file : starter_files("starter")) write(file.path, file.text);
  }

  void write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories((dir() / path).parent_path());
    test::write_file(dir() / path, text);
  }
  void change(const std::string& path, std::string_view what, std::string_view instead) {
    write(path, test::with(test::read_file(dir() / path), what, instead));
  }
  void remove(const std::string& path) { std::filesystem::remove(dir() / path); }
  int line_of(std::string_view what) const { return test::line_of(test::read_file(dir() / "carrier.toml"), what); }

  /// The deviations of the sample `delivered`, where all else passes.
  std::vector<Deviation> deviations() const {
    const ProfileCheck check = check_profile(dir());
    EXPECT_THAT(check.errors, testing::IsEmpty());
    EXPECT_FALSE(check.passed());
    for (const SampleCheck& sample : check.samples)
      if (sample.name == "delivered") return sample.deviations;
    ADD_FAILURE() << "the sample is not there";
    return {};
  }
  std::vector<std::string> remarks() const {
    std::vector<std::string> texts;
    for (const Remark& remark : check_profile(dir()).remarks)
      texts.push_back(std::to_string(remark.where.line) + " " + remark.where.key + ": " + remark.text);
    return texts;
  }
  std::filesystem::path dir() const { return folder_.path() / "starter"; }

 private:
  test::TemporaryFolder folder_;
};

/// Asks everything that is settled with one answer, and pages of changes.
inline constexpr std::string_view asking_profile = R"toml(
title = "Asking"
verified = "documentation"
zone = "America/Lima"
base_url = "https://carrier.example"
[create]
method = "POST"
url = "{{base_url}}/create"
required = []
[create.answer]
format = "json"
accepted = "/json/taken"
granted = "/json/number"
remito = "/json/number"
[confirm]
url = "{{base_url}}/created/{{order_number}}"
[confirm.answer]
format = "json"
granted = "/json/state = 'ready'"
refused = "/json/state = 'no'"
refusal_text = "/json/why"
[find]
url = "{{base_url}}/find/{{client_ref}}"
[find.answer]
format = "json"
found = "/json/number"
not_found = "/json/none"
remito = "/json/number"
[cancel]
method = "DELETE"
url = "{{base_url}}/{{remito}}"
[cancel.answer]
format = "json"
accepted = "/json/done = 'true'"
refused = "/json/why"
refusal_text = "/json/why"
[quote]
url = "{{base_url}}/quote"
required = []
[quote.answer]
format = "json"
price = "/json/price"
days = "/json/days"
currency_is = "PEN"
[feed]
url = "{{base_url}}/changes?page={{page}}"
[feed.paging]
kind = "page"
more = "/json/more = 'true'"
[feed.answer]
format = "json"
shipments = "/json/item"
remito = "number"
events = "."
[feed.event]
code = "code"
time = "day"
formats = ["%d/%m/%Y"]
[[feed.status]]
code = "E"
status = "delivered"
)toml";

class CheckedAnswers : public CheckedProfile {
 protected:
  CheckedAnswers() {
    for (const char* name : {"delivered.json", "delivered.expected.json", "bad_login.json", "bad_login.expected.json"})
      remove(std::string("samples/") + name);
    write("carrier.toml", asking_profile);
  }
  /// Of the one sample there is.
  SampleCheck only_sample() const {
    const ProfileCheck check = check_profile(dir());
    for (const ProfileError& error : check.errors) ADD_FAILURE() << error.to_string();
    EXPECT_EQ(check.samples.size(), 1U);
    return check.samples.empty() ? SampleCheck{} : check.samples.front();
  }
  SampleCheck sample_of(std::string_view answer, std::string_view expectation) {
    write("samples/one.json", answer);
    write("samples/one.expected.json", expectation);
    return only_sample();
  }
  static std::string told(const SampleCheck& check) {
    std::string text = check.problem;
    for (const Deviation& deviation : check.deviations) {
      text += deviation.what + ": " + deviation.expected + " / " + deviation.read;
      for (const Decider& decider : deviation.deciders) text += " " + decider.key;
      text += "\n";
    }
    return text;
  }
};
}  // namespace remitod::carriers
