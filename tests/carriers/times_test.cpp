// Times as carriers write them -> moments.
#include "carriers/times.h"

#include <date/date.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace remitod::carriers {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// "2026-11-23T21:04:05Z profile date_only by_rule", or the error.
std::string read(const std::vector<std::string>& formats, std::string_view text,
                 std::string_view zone = "America/Lima") {
  const auto reader = TimeReader::make(formats, zone);
  if (!reader) return "error: " + reader.error();
  const auto occurred = reader->read(text);
  if (!occurred) return "error: " + occurred.error();
  return to_iso8601(occurred->at) + ' ' + std::string(name(occurred->zone)) +
         (occurred->date_only ? " date_only" : "") + (occurred->resolved_by_rule ? " by_rule" : "");
}

struct Reading {
  std::string format;
  std::string text;
  std::string wanted;
};

void PrintTo(const Reading& reading, std::ostream* stream) {
  *stream << reading.format << " <- " << reading.text;
}

class TimeReading : public testing::TestWithParam<Reading> {};

TEST_P(TimeReading, GivesTheMoment) {
  EXPECT_EQ(read({GetParam().format}, GetParam().text), GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Numeric, TimeReading,
    testing::Values(Reading{"%d/%m/%Y %H:%M", "23/11/2026 21:04", "2026-11-24T02:04:00Z profile"},
                    Reading{"%d/%m/%Y %H:%M:%S", "  3/1/2026  7:4:5 \n", "2026-01-03T12:04:05Z profile"},
                    Reading{"%d-%m-%y %R", "23-11-26 21:04", "2026-11-24T02:04:00Z profile"},
                    Reading{"%Y%m%d%H%M%S", "20261123210405", "2026-11-24T02:04:05Z profile"},
                    Reading{"%F %T", "2026-11-23 21:04:05.5", "2026-11-24T02:04:05.5Z profile"},
                    Reading{"%F %T", "2026-11-23 21:04:05.1234567890123456789", "2026-11-24T02:04:05.123456Z profile"},
                    Reading{"%F %T", "2026-11-23 23:59:59.9999999", "2026-11-24T04:59:59.999999Z profile"},
                    Reading{"%FT%T%Ez", "2026-11-23T21:04:05-03:00", "2026-11-24T00:04:05Z offset"},
                    Reading{"%FT%T%z", "2026-11-23T21:04:05.25+0530", "2026-11-23T15:34:05.25Z offset"},
                    Reading{"%FT%T%z", "2026-11-23T21:04:05Z", "2026-11-23T21:04:05Z offset"},
                    Reading{"%FT%T%z", "2026-11-23T21:04:05-03", "2026-11-24T00:04:05Z offset"},
                    Reading{"%d/%m/%Y %H:%M", "23/11/2026 24:00", "2026-11-24T05:00:00Z profile"},
                    Reading{"%Y%m%d%H%M%S%f", "2026112316000025", "2026-11-23T21:00:00.25Z profile"},
                    Reading{"%d%m%y %H%M", "231126 0905", "2026-11-23T14:05:00Z profile"},
                    Reading{"%FT%T", "2026-11-23t21:04:05,5", "2026-11-24T02:04:05.5Z profile"},
                    Reading{"%d/%m/%Y%%%H", "23/11/2026%9", "2026-11-23T14:00:00Z profile"},
                    Reading{"%D", "11/23/26", "2026-11-23T05:00:00Z profile date_only"},
                    Reading{"%d.%m.%Y", "23.11.2026", "2026-11-23T05:00:00Z profile date_only"},
                    Reading{"Fecha: %d/%m/%Y a las %H h", "Fecha: 23/11/2026 a las 9 h",
                            "2026-11-23T14:00:00Z profile"}));

INSTANTIATE_TEST_SUITE_P(
    TwelveHours, TimeReading,
    testing::Values(Reading{"%d/%m/%Y %I:%M:%S %p", "23/11/2026 09:04:05 PM", "2026-11-24T02:04:05Z profile"},
                    Reading{"%d/%m/%Y %I:%M %p", "23/11/2026 9:04 am", "2026-11-23T14:04:00Z profile"},
                    Reading{"%d/%m/%Y %I:%M %p", "23/11/2026 12:00 AM", "2026-11-23T05:00:00Z profile"},
                    Reading{"%d/%m/%Y %I:%M %p", "23/11/2026 12:00 PM", "2026-11-23T17:00:00Z profile"},
                    Reading{"%d/%m/%Y %I:%M%p", "23/11/2026 12:59am", "2026-11-23T05:59:00Z profile"},
                    Reading{"%d/%m/%Y %I:%M %p", "23/11/2026 9:04 p. m.", "2026-11-24T02:04:00Z profile"},
                    Reading{"%d/%m/%Y %I:%M %p", "23/11/2026 9:04\u202fp.\u00a0m.", "2026-11-24T02:04:00Z profile"},
                    Reading{"%D %r", "11/23/26 09:04:05 a.m.", "2026-11-23T14:04:05Z profile"},
                    Reading{"%F %H:%M %p", "2026-11-23 9:04 PM", "2026-11-24T02:04:00Z profile"},
                    Reading{"%F %H:%M %p", "2026-11-23 12:04 AM", "2026-11-23T05:04:00Z profile"},
                    Reading{"%F %H:%M %p", "2026-11-23 21:04 PM", "2026-11-24T02:04:00Z profile"}));

INSTANTIATE_TEST_SUITE_P(
    Iso, TimeReading,
    testing::Values(Reading{"iso", "2026-11-23T21:04:05Z", "2026-11-23T21:04:05Z offset"},
                    Reading{"iso", "2026-11-23T00:00:00-03:00", "2026-11-23T03:00:00Z offset"},
                    Reading{"iso", "2026-11-23T21:04:05.1234567-05:00", "2026-11-24T02:04:05.123456Z offset"},
                    Reading{"iso", "2026-11-23 21:04:05,250 +0000", "2026-11-23T21:04:05.25Z offset"},
                    Reading{"iso", "2026-11-23T21:04:05", "2026-11-24T02:04:05Z profile"},
                    Reading{"iso", "2026-11-23T21:04", "2026-11-24T02:04:00Z profile"},
                    Reading{"iso", "2026-11-23", "2026-11-23T05:00:00Z profile date_only"}));

INSTANTIATE_TEST_SUITE_P(
    Offsets, TimeReading,
    testing::Values(Reading{"%F %T %z", "2026-11-23 21:04:05 GMT-05:00", "2026-11-24T02:04:05Z offset"},
                    Reading{"%F %T %z", "2026-11-23 21:04:05 -5", "2026-11-24T02:04:05Z offset"},
                    Reading{"%F %T %z", "2026-11-23 21:04:05 UTC", "2026-11-23T21:04:05Z offset"},
                    Reading{"%F %T %Z%Ez", "2026-11-23 21:04:05 GMT-04:00", "2026-11-24T01:04:05Z offset"},
                    Reading{"%F %T %Z", "2026-11-23 21:04:05 America/Argentina/Buenos_Aires",
                            "2026-11-24T00:04:05Z offset"},
                    Reading{"iso", "2026-11-23T21:04:05.000+0100", "2026-11-23T20:04:05Z offset"},
                    Reading{"iso", "2026-11-23 21:04:05 UTC", "2026-11-23T21:04:05Z offset"}));

INSTANTIATE_TEST_SUITE_P(
    Epoch, TimeReading,
    testing::Values(Reading{"json_date", "/Date(1795467845250)/", "2026-11-23T21:04:05.25Z offset"},
                    Reading{"json_date", "/Date(1795467845250-0300)/", "2026-11-23T21:04:05.25Z offset"},
                    Reading{"epoch_s", "1795467845", "2026-11-23T21:04:05Z offset"},
                    Reading{"epoch_s", "1795467845.25", "2026-11-23T21:04:05.25Z offset"},
                    Reading{"epoch_ms", "1795467845250", "2026-11-23T21:04:05.25Z offset"},
                    Reading{"epoch_ms", "1795467845250.5", "2026-11-23T21:04:05.2505Z offset"}));

INSTANTIATE_TEST_SUITE_P(
    Names, TimeReading,
    testing::Values(Reading{"%d-%b-%Y %H:%M", "23-NOV-2026 21:04", "2026-11-24T02:04:00Z profile"},
                    Reading{"%d %B %Y", "23 November 2026", "2026-11-23T05:00:00Z profile date_only"},
                    Reading{"%a, %d %b %Y %T %Z", "Mon, 23 Nov 2026 21:04:05 GMT", "2026-11-23T21:04:05Z offset"},
                    Reading{"%a, %d %b %Y %T %z", "Mon, 23 Nov 2026 21:04:05 -0300", "2026-11-24T00:04:05Z offset"},
                    Reading{"%d-%b-%Y %T", "23-Nov-2026 21:04:05.1234567890", "2026-11-24T02:04:05.123456Z profile"},
                    Reading{"%A %d de %B de %Y", "miércoles 9 de Setiembre de 2026",
                            "2026-09-09T05:00:00Z profile date_only"},
                    Reading{"%d-%b-%y", "09-sept.-26", "2026-09-09T05:00:00Z profile date_only"},
                    Reading{"%d.%b.%Y", "01.Ene.2026", "2026-01-01T05:00:00Z profile date_only"},
                    Reading{"%d/%h/%Y", "01/ENE/2026", "2026-01-01T05:00:00Z profile date_only"},
                    Reading{"%d de %B de %Y", "1 DE FEBRERO DE 2026", "2026-02-01T05:00:00Z profile date_only"},
                    Reading{"%d %B %Y", "1 août 2026", "2026-08-01T05:00:00Z profile date_only"},
                    Reading{"%d %b %Y", "1 déc. 2026", "2026-12-01T05:00:00Z profile date_only"},
                    Reading{"%d %b %Y", "1 juil. 2026", "2026-07-01T05:00:00Z profile date_only"},
                    Reading{"%d. %B %Y", "1. März 2026", "2026-03-01T05:00:00Z profile date_only"},
                    Reading{"%d. %b %Y", "1. Dez 2026", "2026-12-01T05:00:00Z profile date_only"},
                    Reading{"%d de %B de %Y", "1 de março de 2026", "2026-03-01T05:00:00Z profile date_only"},
                    Reading{"%d/%b/%Y", "1/out/2026", "2026-10-01T05:00:00Z profile date_only"}));

class TimeRefusal : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(TimeRefusal, IsNotATime) {
  const auto& [format, text] = GetParam();
  EXPECT_THAT(read({format}, text), AllOf(HasSubstr("error: "), HasSubstr("is not a time in '" + format + "'")));
}

INSTANTIATE_TEST_SUITE_P(Impossible, TimeRefusal,
                         testing::Values(std::pair{"%d/%m/%Y", "31/02/2026"}, std::pair{"%d/%m/%Y", "29/02/2026"},
                                         std::pair{"%d/%m/%Y", "23/13/2026"}, std::pair{"%d/%m/%Y", "0/11/2026"},
                                         std::pair{"%d/%m/%Y %H:%M", "23/11/2026 24:01"},
                                         std::pair{"%d/%m/%Y %H:%M", "23/11/2026 21:60"},
                                         std::pair{"%d/%m/%Y %I:%M %p", "23/11/2026 13:00 PM"},
                                         std::pair{"%d/%m/%Y %I:%M %p", "23/11/2026 0:00 AM"},
                                         std::pair{"%F %T%z", "2026-11-23 21:04:05-24:00"},
                                         std::pair{"iso", "2026-13-45"}, std::pair{"iso", "2026-11-23T25:00:00"},
                                         std::pair{"%d-%b-%Y", "31-Feb-2026"}));

INSTANTIATE_TEST_SUITE_P(
    PartialMatch, TimeRefusal,
    testing::Values(std::pair{"%d/%m/%Y", ""}, std::pair{"%d/%m/%Y", "23/11"},
                    std::pair{"%d/%m/%Y", "23/11/2026 21:04"}, std::pair{"%d/%m/%Y", "x23/11/2026"},
                    std::pair{"%d/%m/%Y", "23/11/20265"}, std::pair{"%d/%m/%Y", "-3/11/2026"},
                    std::pair{"%F %T", "2026-11-23 21:04:05."}, std::pair{"%F %T", "2026-11-23 21:04:05Z"},
                    std::pair{"iso", "2026-11-23T21:04:05.Z"}, std::pair{"iso", "2026-11-23T"},
                    std::pair{"iso", "23/11/2026"}, std::pair{"iso", "2026-11-23T21:04:05-03:"},
                    std::pair{"iso", "2026-11-23T21:04:05-03:00x"}, std::pair{"epoch_s", "1795467845s"},
                    std::pair{"epoch_s", "-1795467845"}, std::pair{"epoch_s", "1795467845."}, std::pair{"epoch_s", ""},
                    std::pair{"%d %b %Y", "23 Nov 2026 UTC"}, std::pair{"%d %b %Y %Z", "23 Nov 2026 EST"},
                    std::pair{"%d %b %Y", "23 No 2026"}, std::pair{"%d %b %Y", "1 jui 2026"},
                    std::pair{"%d %b %Y", "1 januarius 2026"}, std::pair{"%Y%m%d%H%M", "20261123904"},
                    std::pair{"%F %H:%M %p", "2026-11-23 13:04 AM"},
                    std::pair{"%F %T %Z", "2026-11-23 21:04:05 No/Where"}, std::pair{"json_date", "1795467845250"},
                    std::pair{"json_date", "/Date()/"}, std::pair{"json_date", "/Date(1795467845250-0300x)/"},
                    std::pair{"%d %b %Y", "23  2026"}, std::pair{"%d %b %Y", "23 11 2026"}));

INSTANTIATE_TEST_SUITE_P(Implausible, TimeRefusal,
                         testing::Values(std::pair{"iso", "0001-01-01T00:00:00"}, std::pair{"iso", "1900-01-01"},
                                         std::pair{"epoch_s", "0"}, std::pair{"epoch_s", "1795467845250"},
                                         std::pair{"epoch_ms", "1795467845"},
                                         std::pair{"epoch_s", "99999999999999999999"},
                                         std::pair{"epoch_s", "999999999999999"}, std::pair{"%d/%m/%Y", "23/11/26"},
                                         std::pair{"iso", "9999-12-31T23:59:59"}));

TEST(TimeReader, FormatsAreTriedInOrder) {
  const std::vector<std::string> formats{"%d/%m/%Y %H:%M", "%d/%m/%Y", "%d/%m/%y", "epoch_s", "epoch_ms"};
  EXPECT_EQ(read(formats, "23/11/2026 21:04"), "2026-11-24T02:04:00Z profile");
  EXPECT_EQ(read(formats, "23/11/2026"), "2026-11-23T05:00:00Z profile date_only");
  EXPECT_EQ(read(formats, "23/11/26"), "2026-11-23T05:00:00Z profile date_only");
  EXPECT_EQ(read(formats, "1795467845250"), "2026-11-23T21:04:05.25Z offset");
}

TEST(TimeReader, MessageQuotesTheTextAndTheFormats) {
  EXPECT_EQ(read({"%d/%m/%Y", "iso"}, "2026-13-45"), "error: '2026-13-45' is not a time in '%d/%m/%Y' or 'iso'");
  const std::string message = read({"iso"}, "\x1b[2J" + std::string(10'000, 'x'));
  EXPECT_THAT(message, Not(HasSubstr("\x1b")));
  EXPECT_LE(message.size(), 120U);
}

// Santiago's clocks go from Saturday 24:00 to 23:00 in April and from 0:00 to 1:00 on a Sunday in September.
TEST(TimeReader, ARepeatedLocalTimeTakesTheEarlierReading) {
  const std::vector<std::string> formats{"%F %T"};
  EXPECT_EQ(read(formats, "2026-04-04 22:59:59", "America/Santiago"), "2026-04-05T01:59:59Z profile");
  EXPECT_EQ(read(formats, "2026-04-04 23:00:00", "America/Santiago"), "2026-04-05T02:00:00Z profile by_rule");
  EXPECT_EQ(read(formats, "2026-04-04 23:59:59", "America/Santiago"), "2026-04-05T02:59:59Z profile by_rule");
  EXPECT_EQ(read(formats, "2026-04-05 00:00:00", "America/Santiago"), "2026-04-05T04:00:00Z profile");
}

TEST(TimeReader, ASkippedLocalTimeIsTheMomentOfTheChange) {
  const std::vector<std::string> formats{"%F %T"};
  EXPECT_EQ(read(formats, "2026-09-05 23:59:59", "America/Santiago"), "2026-09-06T03:59:59Z profile");
  EXPECT_EQ(read(formats, "2026-09-06 00:00:00", "America/Santiago"), "2026-09-06T04:00:00Z profile by_rule");
  EXPECT_EQ(read(formats, "2026-09-06 00:59:59", "America/Santiago"), "2026-09-06T04:00:00Z profile by_rule");
  EXPECT_EQ(read(formats, "2026-09-06 01:00:00", "America/Santiago"), "2026-09-06T04:00:00Z profile");
}

TEST(TimeReader, ADayThatBeginsLateBeginsAtTheChange) {
  EXPECT_EQ(read({"%d/%m/%Y"}, "06/09/2026", "America/Santiago"), "2026-09-06T04:00:00Z profile date_only by_rule");
}

TEST(TimeReader, AnOffsetNeedsNoRule) {
  EXPECT_EQ(read({"iso"}, "2026-04-04T23:30:00-04:00", "America/Santiago"), "2026-04-05T03:30:00Z offset");
}

TEST(TimeReader, AZoneBesideTheTimeCountsWhereTheTimeHasNoOffset) {
  const auto reader = TimeReader::make({"iso"}, "America/Lima", {{"EST", "America/New_York"}, {"20", "UTC"}});
  ASSERT_TRUE(reader.has_value());
  const auto at = [&](std::string_view text, std::string_view zone) {
    const OccurredAt occurred = reader->read(text, zone).value();
    return to_iso8601(occurred.at) + ' ' + std::string(name(occurred.zone)) +
           (occurred.resolved_by_rule ? " by_rule" : "");
  };
  EXPECT_EQ(at("2026-07-01T12:00:00", "EST"), "2026-07-01T16:00:00Z offset") << "as the zone's clocks went";
  EXPECT_EQ(at("2026-07-01T12:00:00", "20"), "2026-07-01T12:00:00Z offset");
  EXPECT_EQ(at("2026-07-01T12:00:00", "Asia/Tokyo"), "2026-07-01T03:00:00Z offset");
  EXPECT_EQ(at("2026-07-01T12:00:00", "GMT+2"), "2026-07-01T10:00:00Z offset");
  EXPECT_EQ(at("2026-07-01T12:00:00-05:00", "EST"), "2026-07-01T17:00:00Z offset");
  EXPECT_EQ(at("2026-07-01T12:00:00", "PST"), "2026-07-01T17:00:00Z assumed");
  EXPECT_EQ(at("2026-11-01T01:30:00", "EST"), "2026-11-01T05:30:00Z offset by_rule");
}

TEST(TimeReader, ZoneWordsMeanOffsetsOrIanaNames) {
  EXPECT_TRUE(names_zone("-05:00"));
  EXPECT_TRUE(names_zone("America/Lima"));
  EXPECT_FALSE(names_zone("EST"));
  EXPECT_FALSE(names_zone("America/Lime"));
  const auto reader = TimeReader::make({"iso"}, "America/Lima", {{"EST", "EST"}});
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error(), "unknown time zone 'EST'");
}

TEST(TimeReader, WrongFormatsAreRefusedByName) {
  for (const std::string format :
       {"", "%d/%m", "%Y", "%d/%m/%Y %I:%M", "%d/%m/%Y %M", "%d/%m/%Y %p", "%d/%m/%Y %q", "%Y-%j", "%d/%m/%Y %",
        "%d/%m/%Y %E", "dd/MM/yyyy", "ISO", "%H:%M", "%y %d", "%d/%m/%Y %d", "%d/%m/%Y %H%f", "%F %H:%M %H"}) {
    const auto reader = TimeReader::make({"iso", format}, "America/Lima");
    ASSERT_FALSE(reader.has_value()) << format;
    EXPECT_THAT(reader.error(), HasSubstr("time format '" + format + "'"));
  }
  EXPECT_FALSE(TimeReader::make({}, "America/Lima").has_value());
}

TEST(TimeReader, WrongZonesAreRefusedByName) {
  for (const std::string zone : {"", "America/Lime", "america/lima", "-05:00", "../etc/passwd"}) {
    const auto reader = TimeReader::make({"iso"}, zone);
    ASSERT_FALSE(reader.has_value()) << zone;
    EXPECT_EQ(reader.error(), "unknown time zone '" + zone + "'");
    EXPECT_FALSE(is_zone(zone));
  }
  EXPECT_TRUE(is_zone("America/Lima"));
  EXPECT_TRUE(is_zone("UTC"));
}

TEST(TimeReader, LocalDayIsTheZonesDay) {
  using std::chrono::year_month_day, std::chrono::year;
  const Instant at = from_iso8601("2026-11-24T02:04:05Z").value();
  EXPECT_EQ(local_day(at, "America/Lima"), (year{2026} / 11 / 23));
  EXPECT_EQ(local_day(at, "Asia/Tokyo"), (year{2026} / 11 / 24));
  EXPECT_EQ(local_day(at, "No/Where"), (year{2026} / 11 / 24));
  EXPECT_EQ(local_day(from_iso8601("1969-12-31T23:59:59Z").value(), "UTC"), (year{1969} / 12 / 31));
}

const std::vector<std::string> formats_of_seconds{
    "%d/%m/%Y %H:%M:%S", "%F %T",    "%Y%m%d%H%M%S", "%d-%m-%y %X",        "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %r",       "%FT%T%Ez", "%D %T %z",     "%a, %d %b %Y %T %Z", "%A %B %d %T %Y"};

date::sys_seconds any_second() {
  return date::sys_seconds{std::chrono::seconds{*rc::gen::inRange(631'152'000L, 3'124'224'000L)}};  // 1990 to 2068
}

RC_GTEST_PROP(TimeReader, ReadsWhatTheLibraryWrites, ()) {
  const std::string format = *rc::gen::elementOf(formats_of_seconds);
  const date::sys_seconds at = any_second();
  const auto occurred = TimeReader::make({format}, "UTC").value().read(date::format(format, at));
  RC_ASSERT(occurred.has_value());
  RC_ASSERT(occurred->at == Instant{at.time_since_epoch()});
}

RC_GTEST_PROP(TimeReader, ATimeWithAnotherDigitIsReadAsWrittenOrRefused, ()) {
  const std::string format = *rc::gen::elementOf(formats_of_seconds);
  RC_PRE(!format.contains("%z") && !format.contains("%Ez"));  // another offset is another way to write a moment
  std::string text = date::format(format, any_second());
  const std::size_t place = *rc::gen::suchThat(rc::gen::inRange<std::size_t>(0, text.size()),
                                               [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; });
  text[place] = *rc::gen::elementOf(std::string("0123456789"));
  const auto occurred = TimeReader::make({format}, "UTC").value().read(text);
  if (!occurred) RC_DISCARD("refused");
  if (occurred->at == std::chrono::floor<std::chrono::days>(occurred->at))
    RC_DISCARD("midnight is written in two ways");
  const std::string written = date::format(
      format, date::sys_seconds{std::chrono::floor<std::chrono::seconds>(occurred->at.time_since_epoch())});
  // A weekday is read, but not compared.
  const auto from_first_digit = [](const std::string& whole) {
    return whole.substr(whole.find_first_of("0123456789"));
  };
  RC_ASSERT(from_first_digit(written) == from_first_digit(text));
}

}  // namespace
}  // namespace remitod::carriers
