// [feed] kind = "files": its keys, and what the files say.
#include "carriers/file_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/files_profile.h"

namespace remitod::carriers {
namespace {

using namespace std::chrono_literals;
using test::files_profile;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Scheme = FileSite::Scheme;

const std::string fingerprint_43(43, 'x');

std::vector<std::string> errors_of(const std::string& feed) {
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / "carrier.toml", test::files_profile_text(feed));
  std::vector<std::string> errors;
  if (const auto profile = load_profile(folder.path(), test::files_account()); !profile)
    for (const ProfileError& error : profile.error()) errors.push_back(error.to_string());
  return errors;
}

TEST(FileFeedKeys, DropFolderNeedsNoMoreThanItsUrl) {
  const auto profile = files_profile("url = 'file:///var/spool/express/*.csv'");
  const FileFeed* const feed = file_feed(*profile);
  ASSERT_NE(feed, nullptr);
  EXPECT_EQ(feed->site.scheme, Scheme::file);
  EXPECT_EQ(feed->site.folder, "/var/spool/express/");
  EXPECT_EQ(feed->after, FileFeed::After::leave);
  EXPECT_EQ(feed->interval, 10min);
  EXPECT_EQ(feed->settle, 1min);
  EXPECT_FALSE(profile->can_track());
  EXPECT_FALSE(profile->can_create());
}

TEST(FileFeedKeys, ServerIsStatedInFull) {
  const auto profile = files_profile(
      "url = 'sftp://ftp.carrier.example:2222/~/out/214_*.edi'\nuser = 'us'\nkey = '{{secrets.key}}'\n"
      "key_password = '{{secrets.password}}'\nhost_key = 'SHA256:" +
      fingerprint_43 +
      "'\nafter = 'archive'\narchive_dir = 'done/'\ninterval = '5 min'\nsettle = '2 min'\npattern = '.*[0-9]\\.edi'");
  const FileFeed& feed = *file_feed(*profile);
  EXPECT_EQ(feed.site.scheme, Scheme::sftp);
  EXPECT_EQ(feed.site.authority, "ftp.carrier.example:2222");
  EXPECT_EQ(feed.site.folder, "/~/out/");
  EXPECT_EQ(feed.site.user, "us");
  EXPECT_EQ(feed.site.private_key, "no key");
  EXPECT_EQ(feed.site.private_key_password, "only for this test");
  EXPECT_EQ(feed.site.host_key, fingerprint_43);
  EXPECT_EQ(feed.site.archive_folder, "done");
  EXPECT_EQ(feed.after, FileFeed::After::archive);
  EXPECT_EQ(feed.interval, 5min);
  EXPECT_EQ(feed.settle, 2min);
  EXPECT_TRUE(takes_file(*profile, "214_7.edi"));
  EXPECT_FALSE(takes_file(*profile, "214_x.edi")) << "the pattern";
  EXPECT_FALSE(takes_file(*profile, "x214_7.edi"));
  EXPECT_FALSE(takes_file(*profile, "214_7xedi")) << "a dot is a dot";
}

TEST(FileFeedKeys, WhatIsWrongIsToldWithItsKey) {
  EXPECT_THAT(errors_of(""), ElementsAre(AllOf(HasSubstr("feed.url"), HasSubstr("is missing"))));
  EXPECT_THAT(errors_of("url = 'https://x.example/*.csv'"),
              ElementsAre(AllOf(HasSubstr("carrier.toml:6: feed.url"), HasSubstr("sftp://"))));
  EXPECT_THAT(errors_of("url = 'sftp://x.example/*.csv'"),
              AllOf(Contains(HasSubstr("feed.user")), Contains(HasSubstr("either password or key")),
                    Contains(HasSubstr("feed.host_key"))));
  EXPECT_THAT(errors_of("url = 'ftp://x.example/*.csv'\nuser = 'a'\npassword = 'b'"),
              ElementsAre(HasSubstr("in the clear")));
  EXPECT_THAT(errors_of("url = 'ftps://us@x.example/*.csv'\nuser = 'a'\npassword = 'b'"),
              ElementsAre(HasSubstr("feed.url")));
  EXPECT_THAT(errors_of("url = 'ftps://x.example/*.csv'\nuser = 'a'\npassword = 'b'\nsettle = '30 s'"),
              ElementsAre(AllOf(HasSubstr("feed.settle"), HasSubstr("60 s"))));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\nafter = 'archive'"), ElementsAre(HasSubstr("feed.archive_dir")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\narchive_dir = 'done'"), ElementsAre(HasSubstr("after")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\nafter = 'archive'\narchive_dir = '.'"),
              ElementsAre(HasSubstr("feed.archive_dir")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\nuser = 'a'"), ElementsAre(HasSubstr("no login")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\nhost_key = 'SHA256:x'"), ElementsAre(HasSubstr("feed.host_key")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\ninterval = '1 s'"), ElementsAre(HasSubstr("10 s to 24 h")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\npattern = '('"), ElementsAre(HasSubstr("RE2")));
  EXPECT_THAT(errors_of("url = 'file:///a/*'\nafer = 'leave'"), ElementsAre(HasSubstr("did you mean 'after'")));
}

TEST(FileFeedKeys, NamesWithBlanksAreMatchedByAQuestionMarkAndNotPercentEncoded) {
  EXPECT_THAT(errors_of("url = 'file:///a/informe%20*.csv'"),
              ElementsAre(AllOf(HasSubstr("feed.url"), HasSubstr("percent-encoded"))));
  EXPECT_TRUE(takes_file(*files_profile("url = 'file:///a/informe?*.csv'"), "informe 1.csv"));
}

TEST(FileFeedKeys, SecretsAreInNoError) {
  EXPECT_THAT(errors_of("url = 'https://{{secrets.password}}/*.csv'"), Each(Not(HasSubstr("only for this test"))));
  EXPECT_THAT(errors_of("url = 'sftp://x.example/*'\nuser = 'a'\npassword = '{{secrets.password}}'\n"
                        "host_key = '{{secrets.password}}'"),
              AllOf(SizeIs(1), Each(Not(HasSubstr("only for this test")))));
}

class FileContents : public testing::Test {
 protected:
  static TrackAnswer read(const std::string& bytes) {
    auto answer = map_file(*files_profile("url = 'file:///a/*'"), bytes);
    if (!answer) throw std::runtime_error(answer.error().message);
    return *std::move(answer);
  }
  /// By a profile with this behind its [feed].
  static TrackAnswer read_by(const std::string& rules, const std::string& bytes) {
    const test::TemporaryFolder folder;
    test::write_file(folder.path() / "carrier.toml",
                     "title = 'F'\nzone = 'America/Lima'\n[feed]\nkind = 'files'\nurl = 'file:///a/*'\n" + rules);
    const auto profile = load_profile(folder.path(), {.name = "f", .base_url = "", .values = {}, .secrets = {}});
    if (!profile) throw std::runtime_error(profile.error().front().to_string());
    auto answer = map_file(**profile, bytes);
    if (!answer) throw std::runtime_error(answer.error().message);
    return *std::move(answer);
  }
  static const Report& report(const TrackAnswer& answer, const std::string& remito) {
    for (const Report& each : answer.reports)
      if (each.remito == remito) return each;
    throw std::runtime_error("no report of " + remito);
  }
};

TEST_F(FileContents, RowsOfOneShipmentAreOneReport) {
  const TrackAnswer answer = read(
      "remito;estado;fecha;ciudad\n"
      "0007;REC;23/11/2026 09:00;Lima\n"
      "0008;REC;23/11/2026 09:05;Lima\n"
      "0007;ENT;23/11/2026 17:30;Cusco\n");
  EXPECT_THAT(answer.reports, SizeIs(2));
  EXPECT_THAT(answer.errors, IsEmpty());
  const Report& seven = report(answer, "0007");
  ASSERT_THAT(seven.events, SizeIs(2));
  EXPECT_EQ(seven.events[1].status, Status::delivered);
  EXPECT_EQ(seven.events[1].place, "Cusco");
  EXPECT_EQ(to_iso8601(seven.events[1].occurred_at->at), "2026-11-23T22:30:00Z");
}

TEST_F(FileContents, LongFileIsReadWholeAndJoinsWhatStandsFarApart) {
  std::string bytes = "remito;estado;fecha;ciudad\nfirst;REC;23/11/2026 09:00;Lima\n";
  for (int i = 0; i < 12'000; ++i) bytes += "R" + std::to_string(i) + ";REC;23/11/2026 09:00;Lima\n";
  bytes += "first;ENT;23/11/2026 17:30;Cusco\n";
  const TrackAnswer answer = read(bytes);
  EXPECT_THAT(answer.reports, SizeIs(12'001));
  EXPECT_THAT(answer.errors, IsEmpty());
  EXPECT_THAT(report(answer, "first").events, SizeIs(2));
}

TEST_F(FileContents, RowOfALongFileFindsTheLineThatItBelongsTo) {
  const std::string rules = R"toml(
[feed.answer]
format = "fixed_width"
shipments = "//event"
remito = "preceding-sibling::shipment[1]/remito"
events = "."
[[feed.answer.fixed_width.records]]
name = "shipment"
prefix = "01"
columns = [{name = "remito", start = 3, width = 4}]
[[feed.answer.fixed_width.records]]
name = "event"
prefix = "02"
columns = [{name = "code", start = 3, width = 3}, {name = "time", start = 6, width = 12}]
[feed.event]
code = "code"
time = "time"
formats = ["%Y%m%d%H%M"]
)toml";
  std::string bytes;
  for (int i = 0; i < 2'499; ++i) bytes += "01" + std::to_string(1'000 + i) + "\n02REC202611230900\n";
  bytes += "010007\n02REC202611230900\n02ENT202611231730\n";  // the last is line 5001
  const TrackAnswer answer = read_by(rules, bytes);
  EXPECT_THAT(answer.errors, IsEmpty());
  EXPECT_THAT(answer.reports, SizeIs(2'500));
  EXPECT_THAT(report(answer, "0007").events, SizeIs(2));
}

TEST_F(FileContents, LongFileHasOneFirstRow) {
  const std::string rules = R"toml(
[feed.answer]
format = "csv"
csv = { header = false }
shipments = "/csv/row[position() > 1]"
remito = "c1"
events = "."
[feed.event]
code = "c2"
time = "c3"
formats = ["iso"]
)toml";
  std::string bytes = "Guia,Estado,Fecha\n";
  for (int i = 0; i < 5'500; ++i) bytes += "R" + std::to_string(i) + ",REC,2026-11-23 09:00\n";
  const TrackAnswer answer = read_by(rules, bytes);
  EXPECT_THAT(answer.reports, SizeIs(5'500));
  EXPECT_THAT(answer.errors, IsEmpty());
}

TEST_F(FileContents, LinesWithoutAnythingAtTheEndAreNoFailure) {
  const std::string rules = R"toml(
[feed.answer]
format = "fixed_width"
shipments = "//row"
remito = "remito"
events = "."
[feed.answer.fixed_width]
columns = [{name = "remito", start = 1, width = 5}, {name = "code", start = 6, width = 3},
           {name = "time", start = 9, width = 8}]
[feed.event]
code = "code"
time = "time"
formats = ["%Y%m%d"]
)toml";
  std::string bytes;
  for (int i = 0; i < 5'000; ++i) bytes += std::to_string(10'000 + i) + "REC20261123\r\n";
  EXPECT_THAT(read_by(rules, bytes + "\r\n").reports, SizeIs(5'000));
}

TEST_F(FileContents, QuoteInsideOfACellHidesNoRow) {
  std::string bytes = "remito;estado;fecha;ciudad\n0007;REC;23/11/2026 09:00;Galpon 12\" norte\n";
  for (int i = 0; i < 6'000; ++i) bytes += "R" + std::to_string(i) + ";REC;23/11/2026 09:00;\"Lima\nCercado\"\n";
  const TrackAnswer answer = read(bytes);
  EXPECT_THAT(answer.reports, SizeIs(6'001));
  EXPECT_THAT(answer.errors, IsEmpty());
}

TEST_F(FileContents, WrongRowIsLeftOutAndTold) {
  const TrackAnswer answer = read(
      "remito;estado;fecha;ciudad\n"
      "0007;REC;31/02/2026 09:00;Lima\n"
      "0008;REC;23/11/2026 09:05;Lima\n");
  EXPECT_THAT(report(answer, "0008").events, SizeIs(1));
  ASSERT_THAT(answer.errors, SizeIs(1));
  EXPECT_EQ(answer.errors[0].remito, "0007");
}

TEST_F(FileContents, FileOfAnotherKindIsTrouble) {
  const auto page = map_file(*files_profile("url = 'file:///a/*'"), "<html><body>Login</body></html>");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, CarrierTrouble::Kind::malformed);
}

TEST_F(FileContents, EqualBytesHaveEqualFingerprints) {
  EXPECT_EQ(content_fingerprint("a"), content_fingerprint("a"));
  EXPECT_NE(content_fingerprint("a"), content_fingerprint("a\n"));
}

}  // namespace
}  // namespace remitod::carriers
