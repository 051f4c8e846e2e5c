// Answers that differ only where the profile says that they do.
#include "carriers/volatile_spans.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "carriers/tracking.h"

namespace remitod::carriers {
namespace {

const std::vector<VolatileSpan> clock_and_number{{"<at>", "</at>"}, {"id=\"", "\""}};

std::uint64_t of(std::string_view body) {
  return steady_fingerprint(body, clock_and_number);
}

TEST(VolatileSpans, AnswersThatDifferInThemOnlyHaveOneFingerprint) {
  const std::uint64_t one = of(R"(<a id="17"><at>10:00</at><state>moving</state><at>10:00</at></a>)");
  EXPECT_EQ(one, of(R"(<a id="18005"><at>10:01:30</at><state>moving</state><at></at></a>)"));
  EXPECT_NE(one, of(R"(<a id="17"><at>10:00</at><state>delivered</state><at>10:00</at></a>)"));
  EXPECT_NE(one, of(R"(<a id="17"><at>10:00</at><state>moving</state></a>)"));
  EXPECT_NE(one, of(R"(<a id="17"><at>10:00</at><state>moving</state><at>10:00</at></a> )"));
}

TEST(VolatileSpans, WhatStandsBeforeOneIsNotTakenForWhatStandsAfterIt) {
  EXPECT_NE(of("ab<at>1</at>c"), of("a<at>1</at>bc"));
  EXPECT_NE(of("<at>1</at>moving"), of("<at>1</at><at>2</at>moving"));
}

TEST(VolatileSpans, WhatBeginsAndDoesNotEndIsNone) {
  EXPECT_NE(of("<at>10:00"), of("<at>10:01"));
  EXPECT_EQ(of(R"(<at>10:00 id="1" moving)"), of(R"(<at>10:00 id="2" moving)")) << "the other one does";
  EXPECT_NE(of(R"(<at>10:00 id="1" moving)"), of(R"(<at>10:00 id="1" delivered)"));
}

TEST(VolatileSpans, OneInsideOfAnotherEndsWithIt) {
  EXPECT_EQ(of(R"(<at id="1">10</at><at>id="9"</at>moving)"), of(R"(<at id="2">10</at><at>no number</at>moving)"));
}

TEST(VolatileSpans, WithoutAnyItIsTheFingerprintOfAllBytes) {
  EXPECT_EQ(of("moving"), remitod::fingerprint("moving"));
  EXPECT_EQ(steady_fingerprint("<at>1</at>", {}), remitod::fingerprint("<at>1</at>"));
  EXPECT_EQ(of(""), remitod::fingerprint(""));
}

TEST(VolatileSpans, OtherValuesEscapeWhatWasEscaped) {
  EXPECT_EQ(with_other_values(R"(<at>a9\n&amp;\\b</at>a)", clock_and_number), R"(<at>b1\n&amp;\\c</at>a)");
}

RC_GTEST_PROP(VolatileSpans, OtherValuesLeaveTheFingerprintAndAllElseAsItIs, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("<at>", "</at>", "id=\"", "\"", "10:59", "z9Z", "moving", "ñ"));
  std::string body;
  for (const std::string& piece : pieces) body += piece;
  const std::string other = with_other_values(body, clock_and_number);
  RC_ASSERT(other.size() == body.size());
  RC_ASSERT(of(other) == of(body));
  const bool has_a_value = body.contains("<at>10:59</at>") || body.contains("id=\"moving\"");
  RC_ASSERT(!has_a_value || other != body);
}

}  // namespace
}  // namespace remitod::carriers
