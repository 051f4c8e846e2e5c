#include "daemon/log.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

namespace remitod::test {
namespace {

using daemon::Field;
using daemon::log_line;
using daemon::printable;
using testing::EndsWith;
using testing::Not;

bool is_valid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = byte < 0x80                   ? 1
                               : byte >= 0xC2 && byte < 0xE0 ? 2
                               : byte >= 0xE0 && byte < 0xF0 ? 3
                               : byte >= 0xF0 && byte < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t i = 1; i < length; ++i)
      if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return false;
    at += length;
  }
  return true;
}

bool has_controls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
}

/// The value of the field `key` as a reader of key=value lines finds it: up to the quote that is not escaped.
std::string quoted_value(const std::string& line, const std::string& key) {
  const std::string open = key + "=\"";
  std::size_t at = line.find(open);
  if (at == std::string::npos) return {};
  std::string value;
  for (at += open.size(); at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\') value += line[at++];
    value += line[at];
  }
  return value;
}

TEST(LogLine, PlainValuesStandAsTheyAre) {
  EXPECT_EQ(log_line("transition", {{"seq", 7}, {"carrier", "oca"}, {"remito", "0039-A/1"}, {"late", false}}),
            "transition seq=7 carrier=oca remito=0039-A/1 late=false");
}

TEST(LogLine, AnEmptyValueIsSeen) {
  EXPECT_EQ(log_line("event", {{"reason", ""}}), "event reason=\"\"");
}

TEST(LogLine, TextsWithBlanksAreQuotedAndKeepTheirAccents) {
  EXPECT_EQ(log_line("event", {{"label", "En Tránsito"}}), "event label=\"En Tránsito\"");
}

TEST(LogLine, ANewlineCannotForgeALine) {
  const std::string line = log_line("poll_failed", {{"error", "x\n2026 info transition seq=1 to=delivered"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line, "poll_failed error=\"x\\n2026 info transition seq=1 to=delivered\"");
}

TEST(LogLine, AQuoteCannotForgeAField) {
  EXPECT_EQ(log_line("event", {{"text", R"(x" to=delivered y=")"}}), R"(event text="x\" to=delivered y=\"")");
  EXPECT_EQ(log_line("event", {{"text", R"(x\" to=delivered)"}}), R"(event text="x\\\" to=delivered")");
}

TEST(LogLine, AnEqualsSignIsQuoted) {
  EXPECT_EQ(log_line("event", {{"text", "a=b"}}), "event text=\"a=b\"");
}

TEST(LogLine, AnEscapeSequenceCannotSteerTheTerminal) {
  EXPECT_EQ(log_line("event", {{"text", "\x1B[2Jgone\x07"}}), "event text=\"\\x1b[2Jgone\\x07\"");
}

TEST(LogLine, EightBitControlsCannotSteerTheTerminal) {
  // U+009B is a control sequence introducer of one character.
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "\\u009b2J");
}

TEST(LogLine, MarksThatTurnTheDirectionOfTextAreShown) {
  EXPECT_EQ(printable("a\u202Eb\u2028c"), "a\\u202eb\\u2028c");
}

TEST(LogLine, BytesThatAreNoUtf8AreEscaped) {
  EXPECT_EQ(printable("recepci\xF3n"), "recepci\\xf3n");
  EXPECT_EQ(printable("\xC3"), "\\xc3");
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf") << "an overlong slash";
}

TEST(LogLine, ALongValueIsCutBetweenCharacters) {
  std::string text(299, 'a');
  text += "ñandú";
  const std::string shown = printable(text);
  EXPECT_EQ(shown, std::string(299, 'a') + "...");
  EXPECT_THAT(printable(std::string(300, 'a')), Not(EndsWith("...")));
}

TEST(LogLine, NumbersOfEverySizeStandAsTheyAre) {
  EXPECT_EQ(log_line("event", {{"id", std::numeric_limits<std::int64_t>::min()}}), "event id=-9223372036854775808");
}

RC_GTEST_PROP(LogLine, NoBytesOfACarrierEndTheLineOrTheField, (const std::string& text)) {
  const std::string line = log_line("event", {{"text", text}, {"last", "end"}});
  RC_ASSERT(!has_controls(line));
  RC_ASSERT(is_valid_utf8(line));
  RC_ASSERT(line.starts_with("event text="));
  RC_ASSERT(line.ends_with(" last=end"));
  if (line.starts_with("event text=\""))
    RC_ASSERT(line == "event text=\"" + quoted_value(line, "text") + "\" last=end");
}

}  // namespace
}  // namespace remitod::test
