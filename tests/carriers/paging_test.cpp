// Answers in pages: which page is next, when there is none, and what the pages say together.
#include "carriers/paging.h"

#include <gmock/gmock.h>

#include "tests/carriers/profile_fixture.h"
#include "tests/carriers/small_profile.h"

namespace remitod::test {
namespace {

using carriers::Call;
using carriers::HttpAnswer;
using carriers::HttpRequest;
using carriers::PagedOperation;
using carriers::PagePosition;
using carriers::TrackItem;
using testing::ElementsAre;
using testing::HasSubstr;

const Instant since = *from_iso8601("2026-11-22T05:00:00Z");
const Instant now = *from_iso8601("2026-11-23T12:00:00Z");

class PagingTest : public ProfileTest {
 protected:
  /// A feed with this [feed.paging], and this behind its URL.
  void open(std::string_view paging, std::string_view query) {
    profile_ = loaded(
        "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example/api\"\nsettings = [\"account\"]\n"
        "secrets = [\"password\"]\n[transport]\nbody_bytes_max = 1000\n[feed]\nurl = \"{{base_url}}/changes" +
        std::string(query) + "\"\n[feed.paging]\n" + std::string(paging) +
        "[feed.answer]\nformat = \"json\"\nshipments = \"/json/rows\"\nremito = \"n\"\nevents = \".\"\n"
        "success = \"not(/json/fault)\"\n[feed.event]\ncode = \"c\"\ntime = \"t\"\nformats = [\"iso\"]\n");
    ASSERT_TRUE(profile_);
  }

  HttpRequest request(const PagePosition& page) {
    Call call(now);
    call.page = page;
    const auto built = build_feed(*profile_, {.since = since, .until = now}, call);
    EXPECT_TRUE(built) << built.error().field << ": " << built.error().message;
    return built ? *built : HttpRequest{};
  }

  std::expected<std::optional<PagePosition>, carriers::CarrierTrouble> next(const PagePosition& page,
                                                                            const HttpAnswer& answer) {
    return next_page(*profile_, PagedOperation::feed, request(page), answer, page);
  }

  std::shared_ptr<const carriers::Profile> profile_;
};

TEST_F(PagingTest, ARequestThatDoesNotChangeFromPageToPageIsRefused) {
  const std::string toml =
      with(good_profile, "[track.answer]", "[track.paging]\nkind = \"page\"\nmore = \"//more\"\n[track.answer]");
  const auto found = errors(toml);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "track.paging.kind");
  EXPECT_EQ(found[0].line, line_of(toml, "kind = \"page\""));
  EXPECT_THAT(found[0].message, HasSubstr("has {{page}}"));
  EXPECT_TRUE(loaded(with(toml, "{{registered_yy}}", "{{page}}"))) << "a header may name it, too";
}

TEST_F(PagingTest, AFeedThatDoesNotNameTheCursorIsRefused) {
  const std::string feed =
      "title = \"C\"\nzone = \"America/Lima\"\nbase_url = \"https://c.example\"\n[feed]\nurl = "
      "\"{{base_url}}/changes\"\n"
      "[feed.paging]\nkind = \"cursor\"\nnext = \"//next\"\n[feed.answer]\nformat = \"json\"\nshipments = "
      "\"/json/rows\"\n"
      "remito = \"n\"\nevents = \".\"\n[feed.event]\ncode = \"c\"\ntime = \"t\"\nformats = [\"iso\"]\n";
  settings_ = {.name = "c", .base_url = "", .values = {}, .secrets = {}};
  const auto found = errors(feed);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "feed.paging.kind");
  EXPECT_THAT(found[0].message, HasSubstr("{{cursor}}"));
  EXPECT_TRUE(loaded(with(feed, "/changes", "/changes?{{#next_page}}after={{cursor}}{{/next_page}}")));
}

TEST_F(PagingTest, PagesAreCountedWhileThereAreMore) {
  open("kind = \"page\"\nmore = \"/json/page < /json/pages\"\nfirst = 0\n",
       "?from={{#since}}%Y%m%d%H{{/since}}&to={{#until_utc}}%FT%TZ{{/until_utc}}&page={{page}}");
  EXPECT_EQ(request({}).url, "https://c.example/api/changes?from=2026112200&to=2026-11-23T12%3A00%3A00Z&page=0");
  const auto second = next({}, json_answer(R"({"page": 0, "pages": 1})"));
  ASSERT_TRUE(second && *second);
  EXPECT_THAT(request(**second).url, HasSubstr("&page=1"));
  const auto third = next(**second, json_answer(R"({"page": 1, "pages": 1})"));
  EXPECT_TRUE(third && !*third);
}

TEST_F(PagingTest, ACursorGoesIntoTheNextRequestEscaped) {
  open("kind = \"cursor\"\nnext = \"/json/next\"\n", "{{#next_page}}?cursor={{cursor}}{{/next_page}}");
  EXPECT_EQ(request({}).url, "https://c.example/api/changes");
  const auto second = next({}, json_answer(R"({"next": "a/b&c"})"));
  ASSERT_TRUE(second && *second);
  EXPECT_EQ(request(**second).url, "https://c.example/api/changes?cursor=a%2Fb%26c");
  EXPECT_TRUE(next(**second, json_answer(R"({"next": null})")).value() == std::nullopt);
  EXPECT_THAT(next(**second, json_answer(R"({"next": "a/b&c"})")).error().message, HasSubstr("leads to itself"));
}

TEST_F(PagingTest, ALinkIsFollowedToTheSameHostOnly) {
  open("kind = \"link\"\nnext = \"/json/next\"\n", "?x=1");
  const auto url_after = [&](const std::string& link) {
    const auto page = next({}, json_answer("{\"next\": \"" + link + "\"}"));
    return !page ? page.error().message : *page ? request(**page).url : "none";
  };
  EXPECT_EQ(url_after(""), "none");
  EXPECT_EQ(url_after("https://c.example/api/changes?p=2"), "https://c.example/api/changes?p=2");
  EXPECT_EQ(url_after("https://c.example:443/api?p=2"), "https://c.example:443/api?p=2") << "the port that https has";
  EXPECT_THAT(url_after("https://C.Example/api?p=2"), HasSubstr("/api?p=2")) << "a host's letters are of any case";
  EXPECT_EQ(url_after("/v2?p=2#top"), "https://c.example/v2?p=2");
  EXPECT_EQ(url_after("?p=2"), "https://c.example/api/changes?p=2");
  for (const char* elsewhere :
       {"https://d.example/x", "http://c.example/x", "https://c.example:444/x", "https://c.example:0/x",
        "//d.example/x", "https://c.example@d.example/x", "https://u:p@c.example/x", "https://c.example.d.example/"})
    EXPECT_EQ(url_after(elsewhere), "paging: the next link leads to another host") << elsewhere;
  EXPECT_EQ(url_after("https://c.example/a b"), "https://c.example/a%20b");
  EXPECT_EQ(url_after("/señas?f=a|b&g[]={1}&h=100%&i=%7C"),
            "https://c.example/se%C3%B1as?f=a%7Cb&g%5B%5D=%7B1%7D&h=100%25&i=%7C");
  EXPECT_EQ(url_after("?back=https://d.example/a|b"), "https://c.example/api/changes?back=https://d.example/a%7Cb");
  EXPECT_EQ(url_after("https://c.example|d.example/x"),
            "paging: the next link is no URL: 'https://c.example|d.example/x'");
  EXPECT_THAT(url_after("?x=1"), HasSubstr("leads to itself"));
}

TEST_F(PagingTest, ALinkMayStandInAHeader) {
  open("kind = \"link\"\nnext_header = \"Link\"\n", "");
  EXPECT_THAT(profile_->transport_options()->kept_headers, ElementsAre("Link"));
  HttpAnswer answer = json_answer("{}");
  answer.headers = {
      {"Link", R"(<https://c.example/1>; rel="prev", </2?a=b,c>; title="x, y"; rel="last next", </3>; rel=next)"}};
  EXPECT_EQ(next({}, answer).value()->url, "https://c.example/2?a=b,c");
  answer.headers = {{"Link", "</9>; rel=nextish"}, {"Link", "</3>; REL=next"}};
  EXPECT_EQ(next({}, answer).value()->url, "https://c.example/3");
  EXPECT_EQ(next({}, json_answer("{}")).value(), std::nullopt);
}

TEST_F(PagingTest, PagesAreBoundedInNumberAndSize) {
  open("kind = \"page\"\nmore = \"true()\"\npages_max = 3\n", "?p={{page}}");
  PagePosition page;
  for (int number = 2; number <= 3; ++number) {
    page = next(page, json_answer("{}")).value().value();
    EXPECT_EQ(page.number, number);
  }
  EXPECT_THAT(next(page, json_answer("{}")).error().message, HasSubstr("more than 3 pages"));
  const std::string body = "{\"x\": \"" + std::string(600, 'x') + "\"}";
  page = next({}, json_answer(body)).value().value();
  EXPECT_THAT(next(page, json_answer(body)).error().message, HasSubstr("larger than one answer"));
}

TEST_F(PagingTest, AnAnswerThatIsTroubleHasNoNextPage) {
  open("kind = \"page\"\nmore = \"true()\"\n", "?p={{page}}");
  EXPECT_EQ(next({}, json_answer("{}", 500)).value(), std::nullopt);
  EXPECT_EQ(next({}, json_answer("<html>")).value(), std::nullopt);
  EXPECT_EQ(next({}, json_answer(R"({"fault": 1})")).value(), std::nullopt);
}

TEST_F(PagingTest, TheEventsOfOneShipmentOnSeveralPagesAreOneReport) {
  open("kind = \"page\"\nmore = \"true()\"\n", "?p={{page}}");
  const std::vector<HttpAnswer> pages{json_answer(R"({"rows": [{"n": "1", "c": "A", "t": "2026-11-23T08:00:00Z"},
                               {"n": "2", "c": "B", "t": "2026-11-23T08:00:00Z"}]})"),
                                      json_answer(R"({"rows": [{"n": "1", "c": "C", "t": "2026-11-23T09:00:00Z"}]})")};
  const auto feed = map_feed(*profile_, pages);
  ASSERT_TRUE(feed) << feed.error().message;
  ASSERT_EQ(feed->reports.size(), 2u);
  EXPECT_EQ(feed->reports[0].remito, "1");
  ASSERT_EQ(feed->reports[0].events.size(), 2u);
  EXPECT_EQ(feed->reports[0].events[1].code, "C");
  EXPECT_FALSE(map_feed(*profile_, std::vector{pages[0], json_answer("{}", 500)})) << "half of a feed is none";
}

TEST_F(PagingTest, WhatPagingLacksIsNamed) {
  const auto keys = [&](const std::string& paging) {
    std::vector<std::string> names;
    for (const auto& error :
         errors("title = \"C\"\nzone = \"UTC\"\nbase_url = \"https://c.example\"\nsettings = [\"account\"]\n"
                "secrets = [\"password\"]\n[track]\nurl = "
                "\"{{base_url}}/{{remito}}/{{page}}/{{cursor}}\"\n[track.paging]\n" +
                paging + "[track.answer]\nformat = \"xml\"\nsnapshot = true\n[track.event]\ncode = \"c\"\n"))
      names.push_back(error.key);
    return names;
  };
  EXPECT_THAT(keys("kind = \"page\"\n"), ElementsAre("track.paging.more"));
  EXPECT_THAT(keys("kind = \"cursor\"\n"), ElementsAre("track.paging.next"));
  EXPECT_THAT(keys("kind = \"link\"\nnext = \"//n\"\nnext_header = \"Link\"\n"), ElementsAre("track.paging.next"));
  EXPECT_THAT(keys("kind = \"pages\"\nmore = \"//m\"\n"), ElementsAre("track.paging.kind"));
  EXPECT_THAT(keys("kind = \"page\"\nmore = \"//m\"\npages_max = 100000\n"), ElementsAre("track.paging.pages_max"));
}

}  // namespace
}  // namespace remitod::test
