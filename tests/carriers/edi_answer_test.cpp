// EDIFACT and X12 answers -> the document tree.
#include <gmock/gmock.h>
// After GoogleTest, which it does not include itself.
#include <rapidcheck/gtest.h>

#include <filesystem>

#include "tests/carriers/answer_support.h"
#include "tests/support/paths.h"

namespace remitod::carriers::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::expected<Document, DecodeError> decode_edifact(std::string_view body, std::vector<std::string> groups = {}) {
  return decode(body, "", {.format = Format::edifact, .segment_groups = std::move(groups)});
}

std::expected<Document, DecodeError> decode_x12(std::string_view body, std::vector<std::string> groups = {}) {
  return decode(body, "", {.format = Format::x12, .segment_groups = std::move(groups)});
}

std::string isa(std::string_view control, std::string_view end = "~", std::string_view version = "00401",
                std::string_view repetition = "U") {
  return "ISA*00*          *00*          *02*INVENTED       *08*0000000001     *261101*0834*" +
         std::string(repetition) + "*" + std::string(version) + "*" + std::string(control) + "*0*P*>" +
         std::string(end);
}

/// A transaction of a status message inside of its envelopes.
std::string status_message(std::string_view body, std::size_t segments, std::string_view control = "000000007") {
  return isa(control) + "GS*QM*INVENTED*0000000001*20261101*0834*71*X*004010~ST*214*0001~" + std::string(body) + "SE*" +
         std::to_string(segments) + "*0001~GE*1*71~IEA*1*" + std::string(control) + "~";
}

std::string iftsta(std::string_view body, std::size_t segments) {
  return "UNB+UNOA:2+SENDER+RECEIVER+261101:0834+77'UNH+1+IFTSTA:D:96A:UN'" + std::string(body) + "UNT+" +
         std::to_string(segments) + "+1'UNZ+1+77'";
}

TEST(X12Answer, SegmentsStandInTheirEnvelopes) {
  const auto document = decode_x12(status_message("B10*4267*5149*INVD~", 3));
  EXPECT_THAT(written(document),
              AllOf(testing::StartsWith("<x12><interchange><ISA><e1><c1>00</c1></e1>"),
                    HasSubstr("<functional_group><GS><e1><c1>QM</c1></e1>"),
                    HasSubstr("<transaction><ST><e1><c1>214</c1></e1><e2><c1>0001</c1></e2></ST><B10>"),
                    HasSubstr("<SE><e1><c1>3</c1></e1><e2><c1>0001</c1></e2></SE></transaction><GE>"),
                    testing::EndsWith("</IEA></interchange></x12>")));
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(X12Answer, ElementsKeepTheirPlaceWhenOthersAreEmpty) {
  EXPECT_EQ(read(decode_x12(status_message("AT7***AA*NA**1600>05~", 3)),
                 "concat(count(//AT7/*), //AT7/e3, //AT7/e4, //AT7/e6/c2)"),
            "3AANA05");
}

TEST(X12Answer, GroupsHoldWhatFollowsTheirFirstSegment) {
  const auto document =
      decode_x12(status_message("B10*1~LX*1~AT7*X6*NS~MS1*LIMA~AT7*D1~LX*2~AT7*AF~K1*x~", 10), {"LX", "LX/AT7"});
  EXPECT_EQ(read(document, "count(//LX_group)"), "2");
  EXPECT_EQ(read(document, "count(//LX_group[1]/AT7_group)"), "2");
  EXPECT_EQ(read(document, "//LX_group[1]/AT7_group[1]/MS1/e1"), "LIMA");
  EXPECT_EQ(read(document, "//LX_group[2]/AT7_group/K1/e1"), "x");
  EXPECT_EQ(read(document, "count(//transaction/SE)"), "1");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(X12Answer, SeveralInterchangesMayHaveSeparatorsOfTheirOwn) {
  std::string second = status_message("B10*2~", 3, "000000008");
  for (char& c : second) c = c == '*' ? '|' : c == '~' ? '\n' : c;
  const auto document = decode_x12(status_message("B10*1~", 3) + "\r\n" + second);
  EXPECT_EQ(read(document, "concat(count(//interchange), //interchange[1]//B10/e1, //interchange[2]//B10/e1)"), "212");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(X12Answer, LineEndsBehindTheTerminatorAreLayout) {
  std::string body;
  for (const char c : status_message("B10*1~", 3)) body += c == '~' ? std::string("~\r\n") : std::string(1, c);
  EXPECT_EQ(written(decode_x12(body)), written(decode_x12(status_message("B10*1~", 3))));
}

TEST(X12Answer, AHeaderWhoseBlanksWereTrimmedIsRead) {
  const auto document = decode_x12("ISA*00**00**02*INVENTED*08*1*261101*0834*U*00401*7*0*P*>~GS*QM~GE*0*~IEA*1*7~");
  EXPECT_EQ(read(document, "concat(//ISA/e6, //GS/e1)"), "INVENTEDQM");
}

TEST(X12Answer, ElementsAreRepeatedFromVersion00402On) {
  const auto repeats = [](std::string_view version) {
    return read(decode_x12(isa("1", "~", version, "^") + "GS*QM~ST*214*1~REF*A^B~SE*3*1~GE*1*~IEA*1*1~"),
                "concat(count(//REF/e1), //REF/e1[last()])");
  };
  EXPECT_EQ(repeats("00401"), "1A^B");
  EXPECT_EQ(repeats("00501"), "2B");
}

TEST(X12Answer, MissingTrailersAreTolerated) {
  std::string body = status_message("B10*1~AT7*D1~", 4);
  body.resize(body.find("GE*"));
  const auto document = decode_x12(body);
  EXPECT_EQ(read(document, "//AT7/e1"), "D1");
  EXPECT_THAT(document->notes(), ElementsAre("functional_group 71: ends without its trailer GE",
                                             "interchange 000000007: ends without its trailer IEA"));
}

TEST(X12Answer, ASegmentThatIsCutOffIsLeftOutAndTold) {
  std::string body = status_message("B10*1~AT7*D1*NS***20261101~", 4);
  body.resize(body.find("1101~GE") == std::string::npos ? body.find("20261101~") + 6 : 0);
  const auto document = decode_x12(body);
  EXPECT_EQ(read(document, "concat(//B10/e1, count(//AT7))"), "10");
  EXPECT_THAT(document->notes(), Contains("the last segment has no end and is left out: 'AT7*D1*NS***202611'"));
}

TEST(X12Answer, TheLastTrailerNeedsNoTerminator) {
  std::string body = status_message("B10*1~", 3);
  body.pop_back();
  EXPECT_THAT(decode_x12(body)->notes(), IsEmpty());
}

TEST(X12Answer, CountsAndNumbersThatDoNotFitAreTold) {
  const auto document =
      decode_x12(isa("7") + "GS*QM*A*B*20261101*0834*71*X*004010~ST*214*1~SE*9*2~GE*237*71~IEA*1*8~SE*1*1~");
  EXPECT_THAT(document->notes(), ElementsAre("transaction 1: says that it holds 9, and holds 2",
                                             "transaction 1: its trailer is numbered 2",
                                             "functional_group 71: says that it holds 237, and holds 1",
                                             "interchange 7: its trailer is numbered 8", "SE without ST"));
}

TEST(X12Answer, WhatIsNoInterchangeIsMalformedOrTruncated) {
  EXPECT_EQ(kind_of(decode_x12("GS*QM~ST*214~")), "malformed");
  EXPECT_EQ(kind_of(decode_x12("ISA*00*          *00*")), "truncated");
  EXPECT_EQ(kind_of(decode_x12("<html><body></body></html>")), "html");
  EXPECT_EQ(kind_of(decode_x12("\r\n")), "empty");
}

TEST(X12Answer, AHeaderWithoutItsLastElementIsMalformed) {
  std::string message = status_message("B10*1~", 3);
  message.erase(message.find('>'), 1);  // the next that stands there is "~", and then the G of "GS"
  EXPECT_EQ(kind_of(decode_x12(message)), "malformed");
}

TEST(X12Answer, AHeaderCutOffBehindWholeInterchangesLosesNoneOfThem) {
  const auto document = decode_x12(status_message("B10*1~", 3) + "ISA*00*    ");
  EXPECT_EQ(read(document, "//B10/e1"), "1");
  EXPECT_THAT(document->notes(), ElementsAre(HasSubstr("no interchange begins here (ISA)")));
}

TEST(EdifactAnswer, SegmentsStandInTheirEnvelopes) {
  EXPECT_EQ(
      written(decode_edifact("UNB+UNOA:2+S+R++77'UNH+1+IFTSTA:D:96A:UN'STS+1+21'UNT+3+1'UNZ+1+77'")),
      "<edifact><interchange><UNB><e1><c1>UNOA</c1><c2>2</c2></e1><e2><c1>S</c1></e2><e3><c1>R</c1></e3>"
      "<e5><c1>77</c1></e5></UNB><message><UNH><e1><c1>1</c1></e1><e2><c1>IFTSTA</c1><c2>D</c2><c3>96A</c3>"
      "<c4>UN</c4></e2></UNH><STS><e1><c1>1</c1></e1><e2><c1>21</c1></e2></STS><UNT><e1><c1>3</c1></e1>"
      "<e2><c1>1</c1></e2></UNT></message><UNZ><e1><c1>1</c1></e1><e2><c1>77</c1></e2></UNZ></interchange></edifact>");
}

TEST(EdifactAnswer, ReleasedCharactersAreText) {
  EXPECT_EQ(
      read(decode_edifact(iftsta("FTX+AAI+++No ?'estaba?': 5?+5??:x'", 3)), "concat(//FTX/e4/c1, '|', //FTX/e4/c2)"),
      "No 'estaba'| 5+5?");
}

TEST(EdifactAnswer, SeparatorsAreThoseOfTheServiceString) {
  const auto document =
      decode_edifact("UNA.*,! ~\r\nUNB*UNOA.2*S*R**77~UNH*1*IFTSTA.D.96A.UN~FTX*AAI***a!~b'+:~UNT*3*1~UNZ*1*77~");
  EXPECT_EQ(read(document, "//FTX/e4/c1"), "a~b'+:");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(EdifactAnswer, ServiceCharactersAreOfAscii) {
  EXPECT_EQ(kind_of(decode_edifact("UNA:+\xf7.? 'UNB+UNOC:3+S+R++1'UNH+1'" + repeated("LOC+A\xf1'", 20))), "malformed");
}

TEST(EdifactAnswer, AServiceStringThatLostItsBlankIsMalformed) {
  EXPECT_EQ(kind_of(decode_edifact("UNA:+.?'" + iftsta("BGM+b'" + repeated("LOC+5+LIM'", 20), 23))), "malformed");
}

TEST(EdifactAnswer, EachInterchangeHasASyntaxOfItsOwn) {
  const auto document =
      decode_edifact("UNA:*.? ~UNB*UNOA:2*S*R**1~UNH*1~BGM*a~UNT*3*1~UNZ*1*1~\n" + iftsta("BGM+b'", 3));
  EXPECT_EQ(read(document, "concat(count(//interchange), //interchange[1]//BGM/e1, //interchange[2]//BGM/e1)"), "2ab");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(EdifactAnswer, SyntaxFourRepeatsElements) {
  const std::string message = "+S+R++1'UNH+1'REF+A:1*B:2'UNT+3+1'UNZ+1+1'";
  EXPECT_EQ(read(decode_edifact("UNB+UNOC:4" + message), "concat(count(//REF/e1), //REF/e1[2]/c2)"), "22");
  EXPECT_EQ(read(decode_edifact("UNB+UNOC:3" + message), "concat(count(//REF/e1), //REF/e1/c2)"), "11*B");
}

TEST(EdifactAnswer, TheSyntaxLevelSaysTheCharset) {
  EXPECT_EQ(read(decode_edifact("UNB+UNOC:3+S+R++1'UNH+1'LOC+5+Ca\xf1"
                                "ete'UNT+3+1'UNZ+1+1'"),
                 "//LOC/e2"),
            "Ca\xc3\xb1"
            "ete");
  EXPECT_EQ(kind_of(decode_edifact("UNB+UNOA:3+S+R++1'UNH+1'LOC+5+Ca\xf1"
                                   "ete'UNT+3+1'UNZ+1+1'")),
            "charset");
  EXPECT_EQ(read(decode_edifact("UNB+UNOW:4+S+R++1'UNH+1'LOC+5+Ca\xc3\xb1"
                                "ete'UNT+3+1'UNZ+1+1'"),
                 "//LOC/e2"),
            "Ca\xc3\xb1"
            "ete");
}

TEST(EdifactAnswer, SegmentGroupsOfAStatusReportAreReachedByPath) {
  const auto document = decode_edifact(
      iftsta("BGM+77+1'NAD+CZ+1'CTA+IC'CNI+1+REM1'LOC+5+LIMA'STS+1+1'DTM+334:202611010800:203'STS+1+21+ZZ:::x'"
             "DTM+334:202611011530:203'LOC+7+CUSCO'CNI+2+REM2'STS+1+23'CNT+11:2'",
             15),
      {"NAD", "CNI", "CNI/STS"});
  EXPECT_EQ(read(document, "count(//CNI_group)"), "2");
  EXPECT_EQ(read(document, "//CNI_group[CNI/e2/c1 = 'REM1']/STS_group[2]/DTM/e1/c2"), "202611011530");
  EXPECT_EQ(read(document, "concat(//CNI_group[1]/LOC/e2, '|', //CNI_group[1]/STS_group[2]/LOC/e2)"), "LIMA|CUSCO");
  EXPECT_EQ(read(document, "count(//CNI_group[2]/STS_group)"), "1");
  EXPECT_EQ(read(document, "//NAD_group/CTA/e1"), "IC");
  EXPECT_EQ(read(document, "//STS_group[1]/ancestor::message/UNH/e2/c3"), "96A");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(EdifactAnswer, ASegmentBeginsAGroupOnlyWhereItMayStand) {
  const auto document = decode_edifact(iftsta("STS+1+9'CNI+1'STS+1+1'", 5), {"CNI", "CNI/STS"});
  EXPECT_EQ(read(document, "concat(count(//message/STS), count(//STS_group))"), "11");
}

TEST(EdifactAnswer, FunctionalGroupsAreEnvelopes) {
  const auto document = decode_edifact("UNB+UNOA:2+S+R++7'UNG+IFTSTA+S+R++3'UNH+1'UNT+2+1'UNE+1+3'UNZ+1+7'");
  EXPECT_EQ(read(document, "count(/edifact/interchange/functional_group/message)"), "1");
  EXPECT_THAT(document->notes(), IsEmpty());
}

TEST(EdifactAnswer, MissingTrailersAreTolerated) {
  const auto document = decode_edifact("UNB+UNOA:2+S+R++7'UNH+1'STS+1+21'UNH+2'STS+1+23'");
  EXPECT_EQ(read(document, "concat(count(//message), //message[2]/STS/e2)"), "223");
  EXPECT_THAT(document->notes(),
              ElementsAre("message 1: ends without its trailer UNT", "message 2: ends without its trailer UNT",
                          "interchange 7: ends without its trailer UNZ"));
}

TEST(EdifactAnswer, TooManyElementsAreRefused) {
  EXPECT_EQ(
      kind_of(decode("UNB+UNOA:2'" + repeated("A+1:2:3'", 1000), "", {.format = Format::edifact, .nodes_max = 500})),
      "too_many_nodes");
}

/// A text with every service character released.
std::string released(std::string_view text) {
  std::string result;
  for (const char c : text) result += std::string_view("+:'?").contains(c) ? std::string("?") + c : std::string(1, c);
  return result;
}

RC_GTEST_PROP(EdifactAnswer, WhatIsReleasedComesBackAsItWas, ()) {
  const auto text = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab+:'?*~"))));
  const auto document = decode_edifact(iftsta("FTX+" + released(text) + "+after'", 3));
  RC_ASSERT(read(document, "//FTX/e1/c1") == text);
  RC_ASSERT(read(document, "//FTX/e2/c1") == "after");
  RC_ASSERT(document->notes().empty());
}

RC_GTEST_PROP(X12Answer, AFileCutAnywhereIsReadUpToThere, ()) {
  const std::string whole = status_message("B10*4267*5149*INVD~LX*1~AT7*D1*NS***20261101*1530*LT~MS1*LIMA~", 6);
  const std::size_t header = isa("000000007").size();
  const auto size = *rc::gen::inRange(header, whole.size() - 1);
  const auto document = decode_x12(std::string_view(whole).substr(0, size), {"LX", "LX/AT7"});
  RC_ASSERT(document.has_value());
  RC_ASSERT(!document->notes().empty());
}

TEST(X12Answer, GenuineFilesAreReadWhole) {
  const auto shared = remitod::test::shared_dir();
  if (!shared) GTEST_SKIP() << "no folder of genuine answers beside the checkout";
  const auto decode_file = [&](const char* name) {
    return decode_x12(remitod::test::read_file(*shared / "corpus" / "edi" / name), {"LX", "LX/AT7"});
  };
  const auto four = decode_file("x12_214.epes_4_interchanges_one_file.x12");
  EXPECT_EQ(read(four,
                 "concat(count(//interchange), ' ', count(//transaction/LX_group/AT7_group), ' ', "
                 "count(//AT7_group/MS1), ' ', count(//interchange[IEA]))"),
            "4 4 4 4");
  EXPECT_THAT(four->notes(), IsEmpty());
  const auto two = decode_file("x12_214.fedex_freight.x12");
  EXPECT_EQ(read(two, "concat(//AT7_group[last()]/AT7/e1, ' ', //LX_group[2]/AT7_group/MS1/e1)"), "AG ADRIAN");
  EXPECT_EQ(read(two, "count(//LX_group)"), "2");
  EXPECT_THAT(two->notes(), ElementsAre(HasSubstr("says that it holds 237, and holds 1")));
  const auto cut_off = decode_file("x12_214.ryder_appointment_truncated.x12");
  EXPECT_EQ(read(cut_off, "concat(//AT7/e1, //AT7/e3, //AT7/e4, ' ', //AT7/e6, ' ', //MS1/e1)"),
            "AANA 16000000 NEW VIENNA");
  EXPECT_THAT(cut_off->notes(), AllOf(Contains(HasSubstr("trailer GE")), Contains(HasSubstr("trailer IEA"))));
}

}  // namespace
}  // namespace remitod::carriers::test
