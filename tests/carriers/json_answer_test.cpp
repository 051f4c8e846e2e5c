// JSON answers -> the document tree.
#include <gtest/gtest.h>
// After GoogleTest, which it does not include itself.
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/carriers/answer_support.h"

namespace remitod::carriers::test {
namespace {

TEST(JsonAnswer, TypesCanBeToldApart) {
  EXPECT_EQ(written(decode_json(R"({"id": 7, "ok": true, "no": false, "text": "x", "blank": "", "gone": null})")),
            "<json><id type=\"number\">7</id><ok type=\"boolean\">true</ok><no type=\"boolean\">false</no>"
            "<text>x</text><blank/><gone type=\"null\"/></json>");
}

TEST(JsonAnswer, EmptyContainersSayWhatTheyAre) {
  EXPECT_EQ(written(decode_json(R"({"a": {}, "b": [], "c": [{}, [], null]})")),
            "<json><a type=\"object\"/><b type=\"array\"/>"
            "<c type=\"object\"/><c type=\"array\"/><c type=\"null\"/></json>");
  EXPECT_EQ(written(decode_json("{}")), "<json type=\"object\"/>");
  EXPECT_EQ(written(decode_json("[]")), "<json type=\"array\"/>");
}

TEST(JsonAnswer, ArraysRepeatTheElement) {
  EXPECT_EQ(written(decode_json(R"({"events": [{"code": "a"}, {"code": "b"}], "tail": "z"})")),
            "<json><events><code>a</code></events><events><code>b</code></events><tail>z</tail></json>");
  EXPECT_EQ(written(decode_json(R"({"o": {"events": ["a", "b"]}})")),
            "<json><o><events>a</events><events>b</events></o></json>");
}

TEST(JsonAnswer, ArraysWithoutAKeyHoldItems) {
  EXPECT_EQ(written(decode_json(R"(["a", {"b": "c"}])")), "<json><item>a</item><item><b>c</b></item></json>");
  EXPECT_EQ(
      written(decode_json(R"({"rows": [["a", "b"], ["c", ["d"]]]})")),
      "<json><rows><item>a</item><item>b</item></rows><rows><item>c</item><item><item>d</item></item></rows></json>");
}

TEST(JsonAnswer, NothingIsThereForAnEmptyListByTheStatedExpression) {
  for (const std::string_view events : {"[]", "null", "{}"})
    EXPECT_EQ(read(decode_json("{\"events\": " + std::string(events) + "}"), "count(/json/events[not(@type)])"), "0");
  EXPECT_EQ(read(decode_json(R"({"events": [{"code": 1}, {"code": 2}]})"), "count(/json/events[not(@type)])"), "2");
}

TEST(JsonAnswer, AKeyThatIsNoNameIsMadeOneAndKept) {
  EXPECT_EQ(written(decode_json(
                R"({"fecha y hora": "a", "1st": "b", "ns:x": "c", "": "d", "a-b.c_9": "e", "a\u0001b": "f"})")),
            "<json><fecha_y_hora key=\"fecha y hora\">a</fecha_y_hora><_st key=\"1st\">b</_st>"
            "<ns_x key=\"ns:x\">c</ns_x><_ key=\"\">d</_><a-b.c_9>e</a-b.c_9><ab>f</ab></json>");
  EXPECT_EQ(read(decode_json(R"({"a/b": [1, 2], "direcci\u00f3n": "Jr. Uni\u00f3n"})"),
                 "concat(count(/json/a_b[@key = 'a/b']), /json/direcci\xc3\xb3n)"),
            "2Jr. Uni\xc3\xb3n");
}

TEST(JsonAnswer, NumbersKeepTheirDigits) {
  for (const std::string number :
       {"0", "-0", "7", "-7", "18446744073709551615", "-9223372036854775808", "3878500000004156112345",
        "-3878500000004156112345", "396.6900", "-12.0776571", "1.0", "1e3", "1E+03", "0.10000000000000000000000001"})
    EXPECT_EQ(written(decode_json("[" + number + "]")), "<json><item type=\"number\">" + number + "</item></json>");
}

TEST(JsonAnswer, ControlCharactersAreDropped) {
  EXPECT_EQ(read(decode_json(R"({"a": "\u0000u\u0001n\u001fo\tdos\n\u0000"})"), "string(/json/a)"), "uno\tdos\n");
}

TEST(JsonAnswer, TextIsNeverMarkup) {
  const auto document = decode_json(R"({"a": "<b>&amp;</b>", "k<": "\"'"})");
  EXPECT_EQ(read(document, "string(/json/a)"), "<b>&amp;</b>");
  EXPECT_EQ(read(document, "string(/json/k_/@key)"), "k<");
}

TEST(JsonAnswer, EveryCutIsTruncated) {
  const std::string_view body =
      R"({"data": [{"remito": 12.5e1, "ok": true, "x": null, "t": "Uni\u00f3n \"A\""}, []], "n": -1})";
  for (std::size_t length = 1; length < body.size(); ++length)
    ASSERT_EQ(kind_of(decode_json(body.substr(0, length))), "truncated") << body.substr(0, length);
  EXPECT_EQ(kind_of(decode_json(body)), "decoded");
}

TEST(JsonAnswer, WrongSyntaxIsMalformed) {
  for (const std::string_view body : {"{\"a\": nil}", "{'a': 1}", "[1,]", "{\"a\" 1}", "{\"a\": 01}", "[1] [2]",
                                      "{\"a\": 1}}", "[\"\\ud800\"]", "[\"a\nb\"]", "[1e999]"})
    EXPECT_EQ(kind_of(decode_json(body)), "malformed") << body;
}

TEST(JsonAnswer, AScalarAloneIsADocument) {
  EXPECT_EQ(written(decode_json(" \"fuera de cobertura\" ")), "<json>fuera de cobertura</json>");
  EXPECT_EQ(written(decode_json("null")), "<json type=\"null\"/>");
}

TEST(JsonAnswer, DepthIsBounded) {
  const auto nested = [](std::size_t depth) { return repeated("[", depth) + repeated("]", depth); };
  EXPECT_EQ(kind_of(decode_json(nested(64))), "decoded");
  EXPECT_EQ(kind_of(decode_json(nested(65))), "too_deep");
  EXPECT_EQ(kind_of(decode_json(nested(100'000))), "too_deep");
  EXPECT_EQ(kind_of(decode_json(repeated("{\"a\":", 100'000) + "1" + repeated("}", 100'000))), "too_deep");
  EXPECT_EQ(kind_of(decode_json(repeated("[", 20'000'000))), "too_deep");
}

TEST(JsonAnswer, NodesAreBounded) {
  const DecodeOptions options{.nodes_max = 100};
  EXPECT_EQ(kind_of(decode_json("[" + repeated("\"\",", 98) + "\"\"]", "", options)), "decoded");
  EXPECT_EQ(kind_of(decode_json("[" + repeated("\"\",", 99) + "\"\"]", "", options)), "too_many_nodes");
  EXPECT_EQ(kind_of(decode_json("[" + repeated("1,", 50) + "1]", "", options)), "too_many_nodes");
  EXPECT_EQ(kind_of(decode_json("[" + repeated("[],", 100) + "1]", "", options)), "too_many_nodes");
  EXPECT_EQ(kind_of(decode_json("[" + repeated("null,", 48) + "null]", "", options)), "decoded");
  EXPECT_EQ(kind_of(decode_json("[" + repeated("null,", 49) + "null]", "", options)), "too_many_nodes");
}

/// Any JSON value, up to `depth` containers deep.
rc::Gen<nlohmann::json> json_value(int depth) {
  const auto text = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab1 <&\"'\\/:_-.\n\t")));
  const auto scalar =
      rc::gen::oneOf(rc::gen::just(nlohmann::json(nullptr)),
                     rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return nlohmann::json(b); }),
                     rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t i) { return nlohmann::json(i); }),
                     rc::gen::map(text, [](const std::string& t) { return nlohmann::json(t); }));
  if (depth == 0) return scalar;
  const auto array = rc::gen::map(rc::gen::container<std::vector<nlohmann::json>>(json_value(depth - 1)),
                                  [](const std::vector<nlohmann::json>& items) { return nlohmann::json(items); });
  const auto object =
      rc::gen::map(rc::gen::container<std::map<std::string, nlohmann::json>>(text, json_value(depth - 1)),
                   [](const std::map<std::string, nlohmann::json>& m) { return nlohmann::json(m); });
  return rc::gen::oneOf(scalar, array, object);
}

/// The scalars of a value in order, as the tree writes them.
void append_scalars(const nlohmann::json& value, std::vector<std::string>& scalars) {
  if (value.is_structured()) {
    for (const nlohmann::json& each : value) append_scalars(each, scalars);
  } else {
    scalars.push_back(value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump());
  }
}

RC_GTEST_PROP(JsonAnswer, EveryScalarIsInTheTreeOnceAndInOrder, ()) {
  const nlohmann::json value = *rc::gen::resize(8, json_value(3));
  std::vector<std::string> wanted;
  append_scalars(value, wanted);
  const auto document = decode_json(value.dump());
  RC_ASSERT(document.has_value());
  std::vector<std::string> found;
  const pugi::xpath_query leaves("//*[not(*)][not(@type = 'object' or @type = 'array')]");
  for (const pugi::xpath_node& leaf : leaves.evaluate_node_set(document->tree()))
    found.emplace_back(leaf.node().text().get());
  RC_ASSERT(found == wanted);
}

}  // namespace
}  // namespace remitod::carriers::test
