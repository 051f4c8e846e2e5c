// Fields: what a profile may write where a text is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/carriers/one_answer.h"
#include "tests/carriers/profile_fixture.h"

namespace remitod::carriers {
namespace {

using test::good_profile;
using test::line_of;
using test::one_number_profile;
using test::ProfileTest;
using test::with;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

/// What `field` reads from an event with these members.
std::string read(std::string_view field, std::string_view members, std::string_view no_value = "") {
  const std::string profile =
      one_number_profile("events = '/json/e'\n" + std::string{no_value},
                         "code = 'c'\ntime = 't'\nformats = ['iso']\nplace = " + std::string{field});
  const std::string body = R"({"e":{"c":"X","t":"2026-11-03T10:00:00Z",)" + std::string{members} + "}}";
  return test::read_events(profile, body).at(0).place;
}

TEST(Field, OfOneXPathIsItsText) {
  EXPECT_EQ(read("'a'", R"("a":"Lima")"), "Lima");
  EXPECT_EQ(read("'a'", R"("b":"Lima")"), "");
  EXPECT_EQ(read("'count(a)'", R"("a":["x","y"])"), "2");
}

TEST(Field, OfAListIsTheFirstThatIsNotEmpty) {
  EXPECT_EQ(read("['a', 'b', 'c']", R"("a":" ","b":null)"), "X");
  EXPECT_EQ(read("['a', 'b']", R"("a":"first","b":"second")"), "first");
  EXPECT_EQ(read("['a', 'b']", R"("z":1)"), "");
}

TEST(Field, JoinsWhatIsNotEmpty) {
  EXPECT_EQ(read("{join = ['a', 'b', 'd'], with = ', '}", R"("a":"Lima","d":"PE")"), "Lima, PE");
  EXPECT_EQ(read("{join = ['a', 'b']}", R"("a":"2026-11-03","b":"10:00")"), "2026-11-03 10:00");
  EXPECT_EQ(read("{join = ['a', 'b'], with = ''}", R"("a":"BDE","b":"01")"), "BDE01");
  EXPECT_EQ(read("{join = ['a', 'b'], with = ', '}", R"("z":1)"), "");
}

TEST(Field, JoinsAllNodesOfAList) {
  EXPECT_EQ(
      read("{join = ['m/text', 'n'], with = '; '}", R"("m":[{"text":"one"},{"text":""},{"text":"two"}],"n":"three")"),
      "one; two; three");
  EXPECT_EQ(read("{join = 'm', with = '/'}", R"("m":["a","b"])"), "a/b");
}

TEST(Field, JoinsWhatIsCapturedOfEachNode) {
  EXPECT_EQ(read(R"({join = [{value = 'm', pattern = '^\w+'}], with = '/'})", R"("m":["one x","two y","?"])"),
            "one/two");
}

TEST(Field, JoinsNoMoreThanIsKept) {
  std::string list;
  for (int i = 0; i < 10'000; ++i) list += "\"abcdefghi\",";
  list.pop_back();
  EXPECT_THAT(read("{join = 'm', with = ' '}", R"("m":[)" + list + "]"), SizeIs(199));
}

TEST(Field, CapturesAPart) {
  EXPECT_EQ(read(R"({value = 'a', pattern = '_\|_ (\w+)'})", R"("a":"obs _|_ AUSENTE _|_ x")"), "AUSENTE");
  EXPECT_EQ(read(R"({value = 'a', pattern = '[A-Z]{2}\d+'})", R"("a":"guia AB17 de")"), "AB17");
  EXPECT_EQ(read(R"({value = 'a', pattern = 'x(y)?'})", R"("a":"x")"), "");
  EXPECT_EQ(read(R"({value = 'a', pattern = 'nowhere'})", R"("a":"Lima")"), "");
}

TEST(Field, CapturesFarBehindWhatIsKept) {
  EXPECT_EQ(read(R"({value = 'a', pattern = 'city=(\w+)'})", R"("a":")" + std::string(5'000, '-') + R"(city=Lima")"),
            "Lima");
}

TEST(Field, TranslatesWholeTextsAndLeavesOthers) {
  EXPECT_EQ(read("{value = 'a', values = {'15' = 'Lima', '08' = 'Cusco'}}", R"("a":"08")"), "Cusco");
  EXPECT_EQ(read("{value = 'a', values = {'15' = 'Lima'}}", R"("a":"150")"), "150");
  EXPECT_EQ(read(R"({value = 'a', pattern = '^\d\d', values = {'15' = 'Lima'}})", R"("a":"150132")"), "Lima");
}

TEST(Field, Nests) {
  const std::string_view nested =
      R"([{value = 'a', pattern = 'in (\w+)'}, {join = [['b', 'd'], {value = 'e', pattern = '^..'}], with = '-'}])";
  EXPECT_EQ(read(nested, R"("a":"in Lima","b":"x")"), "Lima");
  EXPECT_EQ(read(nested, R"("a":"Lima","d":"D","e":"PERU")"), "D-PE");
  EXPECT_EQ(read(R"({value = {value = 'a', pattern = '\((.*)\)'}, pattern = '^\w+'})", R"j("a":"(Lima Sur)")j"),
            "Lima");
}

TEST(Field, PassesOverWordsThatMeanNothing) {
  const std::string_view none = R"(no_value = ["?", "N/A"])";
  EXPECT_EQ(read("['a', 'b']", R"("a":"?","b":"Lima")", none), "Lima");
  EXPECT_EQ(read("{join = ['a', 'b', 'd'], with = '/'}", R"("a":"Lima","b":" N/A ","d":"PE")", none), "Lima/PE");
  EXPECT_EQ(read("{join = 'm', with = '/'}", R"("m":["?","a","?"])", none), "a");
  EXPECT_EQ(read("'a'", R"("a":"?!")", none), "?!");
}

TEST_F(ProfileTest, AFieldMayBeWrittenInManyWays) {
  EXPECT_TRUE(loaded(with(good_profile, "text = \"text\"", "text = [\"text\", {join = [\"a\", \"b\"], with = \"\"}]")));
}

struct Spoiled {
  std::string field;
  std::string key;
  std::string message;
};

void PrintTo(const Spoiled& spoiled, std::ostream* stream) {
  *stream << spoiled.field;
}

class SpoiledField : public ProfileTest, public testing::WithParamInterface<Spoiled> {};

TEST_P(SpoiledField, IsRefusedWithLineKeyAndWhatWasExpected) {
  const std::string field = "place = " + GetParam().field;
  const std::string profile = with(good_profile, "text = \"text\"", field + "\ntext = \"text\"");
  const std::vector<ProfileError> found = errors(profile);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].line, line_of(profile, field));
  EXPECT_EQ(found[0].key, GetParam().key);
  EXPECT_THAT(found[0].message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Everything, SpoiledField,
    testing::Values(Spoiled{"17", "track.event.place", "expected a text, a list or a table, not a whole number"},
                    Spoiled{"['a', 17]", "track.event.place", "not a whole number"},
                    Spoiled{"[]", "track.event.place", "empty list"},
                    Spoiled{"['a', 'b[']", "track.event.place", "'b[' is not an XPath 1.0 expression"},
                    Spoiled{"{value = 'a', join = ['b']}", "track.event.place", "either value"},
                    Spoiled{"{pattern = 'a'}", "track.event.place", "either value"},
                    Spoiled{"['a', {value = 'b', patern = 'x'}]", "track.event.place.2.patern",
                            "did you mean 'pattern'"},
                    Spoiled{"{value = 'a', with = ','}", "track.event.place.with", "is not a key here"},
                    Spoiled{"{value = 'a', pattern = '('}", "track.event.place.pattern", "is not a pattern"},
                    Spoiled{"{value = 'a', pattern = '(a)(b)'}", "track.event.place.pattern", "several groups"}));

}  // namespace
}  // namespace remitod::carriers
