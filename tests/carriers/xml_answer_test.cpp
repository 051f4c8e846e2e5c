// XML answers -> the document tree.
#include <pthread.h>

#include <functional>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view soap = R"(<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <soap:Body>
    <TrackResponse xmlns="#Carrier">
      <diffgr:diffgram xmlns:msdata="urn:msdata" xmlns:diffgr="urn:diffgram">
        <NewDataSet xmlns="">
          <Table diffgr:id="Table1" msdata:rowOrder="0" xsi:type="Row">
            <Estado>En Sucursal Destino &amp; dep&#243;sito</Estado><!-- older -->
            <lugar><![CDATA[Jr. <A> & B]]></lugar>
          </Table>
        </NewDataSet>
      </diffgr:diffgram>
    </TrackResponse>
  </soap:Body>
</soap:Envelope>)";

/// Runs `body` on a thread with a stack of 128 KB, such as a careful daemon gives its workers.
void on_small_stack(std::function<void()> body) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 128 * 1024), 0);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
}

TEST(XmlAnswer, PrefixesAndNamespacesAreGone) {
  EXPECT_EQ(
      written(decode_xml(soap)),
      "<Envelope><Body><TrackResponse><diffgram><NewDataSet>"
      "<Table id=\"Table1\" rowOrder=\"0\" type=\"Row\"><Estado>En Sucursal Destino &amp; dep\xc3\xb3sito</Estado>"
      "<lugar><![CDATA[Jr. <A> & B]]></lugar></Table>"
      "</NewDataSet></diffgram></TrackResponse></Body></Envelope>");
}

TEST(XmlAnswer, ANameOfAnyLengthLosesItsPrefix) {
  const std::string name = repeated("n", 500);
  EXPECT_EQ(written(decode_xml("<p:" + name + " q:" + name + "=\"1\"/>")), "<" + name + " " + name + "=\"1\"/>");
  EXPECT_EQ(written(decode_xml("<a:/>")), "<a:/>");
}

TEST(XmlAnswer, CdataIsText) {
  const auto document = decode_xml("<a>uno <![CDATA[<dos> & ]]>tres</a>");
  EXPECT_EQ(read(document, "string(/a)"), "uno <dos> & tres");
  EXPECT_EQ(read(document, "count(/a/text())"), "3");
}

TEST(XmlAnswer, EveryCutIsTruncated) {
  const std::string_view body = soap;
  for (std::size_t length = body.find("<soap:Body"); length < body.size(); ++length)
    ASSERT_EQ(kind_of(decode_xml(body.substr(0, length))), "truncated") << body.substr(0, length);
  EXPECT_EQ(kind_of(decode_xml(body)), "decoded");
  EXPECT_EQ(kind_of(decode_xml("<?xml version=\"1.0\"?>")), "truncated");
  EXPECT_EQ(kind_of(decode_xml("<a>\x01\x02\x03<b>x</b>")), "truncated");
}

TEST(XmlAnswer, WrongNestingIsMalformed) {
  for (const std::string_view body : {"<a><b></a></b>", "<a></b>", "<a b=c/>", "<a <b/></a>", "<a>x</a></b>", "<1/>"})
    EXPECT_EQ(kind_of(decode_xml(body)), "malformed") << body;
}

TEST(XmlAnswer, ControlCharactersAndReferencesToThemAreDropped) {
  EXPECT_EQ(read(decode_xml("<a b='\x01x\x0b'>\x02u\0n\x1fo\tdos\r\n</a>"sv), "concat(/a/@b, /a)"), "xuno\tdos\n");
  EXPECT_EQ(read(decode_xml("<a b='&#0;x'>u&#x0;n&#3;o&#x1F;&#9;dos&#xA;</a>"), "concat(/a/@b, /a)"), "xuno\tdos\n");
}

TEST(XmlAnswer, ReferencesToWhatIsNoCharacterAreDropped) {
  EXPECT_EQ(read(decode_xml("<a>&#55357;&#xDE00;x&#x110000;&#99999999999999;y&#x1F600;</a>"), "string(/a)"),
            "xy\xf0\x9f\x98\x80");
  EXPECT_EQ(read(decode_xml("<a>&#; &#x; &#12 &#-1; &; &nbsp; R&D</a>"), "string(/a)"),
            "&#; &#x; &#12 &#-1; &; &nbsp; R&D");
}

TEST(XmlAnswer, WhatIsDroppedLeavesNoForbiddenReferenceBehind) {
  EXPECT_EQ(read(decode_xml("<a>x&#x\x01"
                            "110000;&#&#0;0;&&#1;#2;y</a>"),
                 "string(/a)"),
            "xy");
}

TEST(XmlAnswer, EntitiesAreNotExpanded) {
  std::string laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\">";
  for (int i = 1; i < 10; ++i)
    laughs += "<!ENTITY lol" + std::to_string(i) + " \"" + repeated("&lol" + std::to_string(i - 1) + ";", 10) + "\">";
  laughs += "<!ENTITY file SYSTEM \"file:///etc/passwd\">]><lolz>&lol9;&file;</lolz>";
  EXPECT_EQ(read(decode_xml(laughs), "string(/lolz)"), "&lol9;&file;");
}

TEST(XmlAnswer, DepthIsBounded) {
  const auto nested = [](std::size_t depth) { return repeated("<a>", depth) + "x" + repeated("</a>", depth); };
  EXPECT_EQ(kind_of(decode_xml(nested(64))), "decoded");
  EXPECT_EQ(kind_of(decode_xml(nested(65))), "too_deep");
  EXPECT_EQ(kind_of(decode_xml(nested(5), "", DecodeOptions{.depth_max = 4})), "too_deep");
}

TEST(XmlAnswer, HundredThousandDeepIsRefusedOnASmallStack) {
  on_small_stack([] {
    EXPECT_EQ(kind_of(decode_xml(repeated("<a>", 100'000) + repeated("</a>", 100'000))), "too_deep");
    EXPECT_EQ(kind_of(decode_xml(repeated("<a>", 100'000))), "too_deep");
  });
}

TEST(XmlAnswer, NodesAreBounded) {
  const DecodeOptions options{.nodes_max = 100};
  EXPECT_EQ(kind_of(decode_xml("<a>" + repeated("<b/>", 99) + "</a>", "", options)), "decoded");
  EXPECT_EQ(kind_of(decode_xml("<a>" + repeated("<b/>", 100) + "</a>", "", options)), "too_many_nodes");
  EXPECT_EQ(kind_of(decode_xml("<a>" + repeated("<b>x</b>", 50) + "</a>", "", options)), "too_many_nodes");
  EXPECT_EQ(kind_of(decode_xml("<a " + repeated("c=\"\" ", 100) + "/>", "", options)), "too_many_nodes");
}

TEST(XmlAnswer, NodesAreBoundedBeforeTheTreeIsBuilt) {
  // Malformed, but that would only be seen by parsing it.
  EXPECT_EQ(kind_of(decode_xml("<r>" + repeated("<a></b>", 200), "", DecodeOptions{.nodes_max = 100})),
            "too_many_nodes");
}

TEST(XmlAnswer, WhatIsLeftOutDoesNotCount) {
  constexpr std::string_view seven_nodes = "<r a='1' xmlns:b='2'> <c>x<!-- <y/> -->z<![CDATA[<]]></c >\n<d></d></r>";
  EXPECT_EQ(kind_of(decode_xml(seven_nodes, "", DecodeOptions{.nodes_max = 7})), "decoded");
  EXPECT_EQ(kind_of(decode_xml(seven_nodes, "", DecodeOptions{.nodes_max = 6})), "too_many_nodes");
}

TEST(XmlAnswer, ACommentIsNotClosedByTheBytesThatOpenIt) {
  EXPECT_EQ(written(decode_xml("<r><!--> <b> --><p:c/></r>")), "<r><c/></r>");
  EXPECT_EQ(written(decode_xml("<!DOCTYPE r [<!--> > -->]><r/>")), "<r/>");
}

TEST(XmlAnswer, DeclarationsOfTheDocumentTypeMayHoldAnything) {
  EXPECT_EQ(written(decode_xml("<!DOCTYPE r SYSTEM 'x>y' [<!-- it's > --><!ENTITY e \"<a < b:c>\"><!ELEMENT r ANY>]>"
                               "<p:r><p:a/></p:r>")),
            "<r><a/></r>");
  EXPECT_EQ(kind_of(decode_xml("<!DOCTYPE r [<!ENTITY e \"<a>\"> <r/>")), "malformed");
}

TEST(XmlAnswer, AttributesAreKeptAsWrittenButForTheirPrefix) {
  EXPECT_EQ(written(decode_xml("<r p:a = 'x > y'\n b=\"it's\" xmlns='u' xmlnsx='v' xml:lang=\"es\" />")),
            "<r a=\"x > y\" b=\"it's\" xmlnsx=\"v\" lang=\"es\"/>");
  for (const std::string_view wrong :
       {"<r a/>", "<r a=b/>", "<r a=\"b\"c=\"d\"/>", "<r / >", "<r a='1' =/>", "<r></r x>"})
    EXPECT_EQ(kind_of(decode_xml(std::string(wrong) + "<x/>                ")), "malformed") << wrong;
}

TEST(XmlAnswer, AMovedDocumentKeepsItsTree) {
  auto first = decode_xml("<a>b</a>");
  ASSERT_TRUE(first.has_value());
  Document second = *std::move(first);
  EXPECT_STREQ(second.tree().child("a").text().get(), "b");
}

}  // namespace
}  // namespace remitod::carriers::test
