// Nothing that a carrier sends can hurt: what is refused costs no more than what is read.
#include <sys/resource.h>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

TEST(HostileAnswer, TwoHundredMegabytesOfBracketsAreRefusedAtTheFirstOneTooMany) {
  const std::string brackets(200'000'000, '[');
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(kind_of(decode_json(brackets)), "too_deep");
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  constexpr long kilobytes_max = 10'000;
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, kilobytes_max);
}

TEST(HostileAnswer, EntitiesAreNotExpanded) {
  std::string laughs = "<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">";
  for (int i = 1; i <= 9; ++i) {
    laughs += "<!ENTITY lol" + std::to_string(i) + " \"" + repeated("&lol" + std::to_string(i - 1) + ";", 10) + "\">";
  }
  EXPECT_EQ(written(decode_xml(laughs + "<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&lol9;&x;</a>")),
            "<a>&amp;lol9;&amp;x;</a>");
}

TEST(HostileAnswer, AMillionNodesAreTooMany) {
  EXPECT_EQ(kind_of(decode_xml("<r>" + repeated("<a/>", 1'000'000) + "</r>")), "too_many_nodes");
  EXPECT_EQ(kind_of(decode_json("[0" + repeated(",0", 999'999) + "]")), "too_many_nodes");
  for (const Format format : {Format::csv, Format::edifact, Format::x12, Format::fixed_width}) {
    DecodeOptions options{.format = format};
    options.fixed_width.records = {{.columns = {{.name = "a", .start = 1, .width = 1}}}};
    const std::string start = format == Format::edifact ? "UNB+UNOA:2'"
                              : format == Format::x12   ? "ISA*0*0*0*0*0*0*0*0*0*0*U*0*0*0*0*>'"
                                                        : "a\n";
    const std::string rows = repeated(format == Format::edifact || format == Format::x12 ? "A'" : "1\n", 1'000'000);
    EXPECT_EQ(kind_of(decode(start + rows, "", options)), "too_many_nodes") << static_cast<int>(format);
  }
}

// Of a key that names every item of an array the tree holds as many copies.
TEST(HostileAnswer, ALongNameIsRefusedBeforeItIsCopiedThousandsOfTimes) {
  const std::string name(32'000, 'A');
  EXPECT_EQ(kind_of(decode_json("{\"" + name + "\": [0" + repeated(",0", 16'000) + "]}")), "malformed");
  EXPECT_EQ(kind_of(decode(name + "\n" + repeated("1\n", 16'000), "", {.format = Format::csv})), "malformed");
  EXPECT_EQ(kind_of(decode_json("{\"" + std::string(256, 'A') + "\": 1}")), "decoded");
}

TEST(HostileAnswer, ARowOfSeparatorsAloneIsRefused) {
  for (const std::string start : {"", "a\n"})
    EXPECT_EQ(kind_of(decode(start + repeated(",", 1'000'000) + "x", "", {.format = Format::csv})), "malformed");
}

TEST(HostileAnswer, ReleaseCharactersAloneEndSomewhere) {
  EXPECT_EQ(kind_of(decode("UNB+UNOA:2'" + repeated("?", 1'000'001), "", {.format = Format::edifact})), "decoded");
}

TEST(HostileAnswer, ManyPartsAreNotSearchedForEver) {
  const std::string parts = repeated("--x\nContent-Type: a/b\n\nc\n", 100'000) + "--x--";
  EXPECT_EQ(kind_of(decode_json(parts, "multipart/mixed; boundary=x", {.part = "application/json"})), "malformed");
}

}  // namespace
}  // namespace remitod::carriers::test
