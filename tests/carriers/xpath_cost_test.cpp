#include "carriers/xpath_cost.h"

#include <gtest/gtest.h>

namespace remitod::carriers {
namespace {

constexpr bool once = false;
constexpr bool per_node = true;

TEST(XPathCost, OfASearchThroughTheWholeDocumentForEachNodeIsQuadratic) {
  for (const char* xpath : {"//State", "Code or //State", "concat(Code, //State/Text)", "/json/shipments//state",
                            "count(//event[code = '1'])"})
    EXPECT_TRUE(quadratic_part(xpath, per_node)) << xpath;
  EXPECT_EQ(quadratic_part("concat(Code, //State/Text)", per_node), "//State/Text");
}

TEST(XPathCost, OfASearchThroughTheWholeDocumentOnceIsNot) {
  EXPECT_FALSE(quadratic_part("//Shipment[Number != '']/Events", once));
}

TEST(XPathCost, OfASearchInAPredicateIsQuadraticEvenWhenTheExpressionIsAskedOnce) {
  EXPECT_EQ(quadratic_part("//Shipment[Number = //Asked]", once), "//Asked");
  EXPECT_TRUE(quadratic_part("//event[count(preceding-sibling::event) < 3]", once));
}

TEST(XPathCost, OfAllNeighboursOfEachNodeIsQuadratic) {
  for (const char* xpath : {"count(preceding-sibling::event)", "preceding::event/date", "following-sibling::*/date",
                            "preceding-sibling::event[last()]", "string(following::event[code = '1'])"})
    EXPECT_TRUE(quadratic_part(xpath, per_node)) << xpath;
}

TEST(XPathCost, OfTheNearestNeighbourOrWhetherThereIsOneIsNot) {
  for (const char* xpath : {"not(following-sibling::event)", "preceding-sibling::shipment[1]/remito",
                            "boolean( preceding-sibling::event )", "following-sibling::event", "../x[following::y]"})
    EXPECT_FALSE(quadratic_part(xpath, per_node)) << xpath;
}

TEST(XPathCost, OfANodesOwnPartsIsNot) {
  for (const char* xpath : {".//code", "a//b", "*//b", "../../State", "/json/header/State", "code * 2", "@key"})
    EXPECT_FALSE(quadratic_part(xpath, per_node)) << xpath;
}

TEST(XPathCost, OfATextThatLooksLikeAPathIsNot) {
  EXPECT_FALSE(quadratic_part("Code = '//x' or Code = \"preceding::y\"", per_node));
  EXPECT_FALSE(quadratic_part("Code = '//unclosed", per_node));
}

}  // namespace
}  // namespace remitod::carriers
