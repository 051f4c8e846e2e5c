// Remito requests as JSON on the command line: what is a row, and what is said of what is none.
#include "daemon/request_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace remitod::daemon {
namespace {

using nlohmann::json;
using testing::ElementsAre, testing::HasSubstr, testing::SizeIs;

TEST(RequestRows, HaveTheColumnsThatAPlatformWrites) {
  const auto row = read_request_row(json::parse(R"({"request_key": "K", "order_number": "0417", "parcel_group": 2,
      "carrier": "oca", "service": "express", "payload": {"notes": "frágil"},
      "requested_at": "2026-11-23T12:00:00-05:00"})"));
  ASSERT_TRUE(row) << row.error();
  EXPECT_EQ(row->order_number, "0417");
  EXPECT_EQ(row->parcel_group, 2);
  EXPECT_EQ(row->service, "express");
  EXPECT_EQ(row->payload, R"({"notes":"frágil"})");
  EXPECT_EQ(row->requested_at, from_iso8601("2026-11-23T17:00:00Z"));
}

TEST(RequestRows, NeedAKeyAnOrderAndACarrierOnly) {
  const auto row = read_request_row(json::parse(R"({"request_key": "K", "order_number": "1", "carrier": "oca"})"));
  ASSERT_TRUE(row) << row.error();
  EXPECT_EQ(row->parcel_group, 1);
  EXPECT_EQ(row->payload, "{}");
  EXPECT_EQ(row->requested_at, std::nullopt);
}

TEST(RequestRows, WhatIsWrongIsNamed) {
  const auto error_of = [](json change) {
    json row{{"request_key", "K"}, {"order_number", "1"}, {"carrier", "oca"}};
    row.update(change);
    const auto read = read_request_row(row);
    return read ? std::string("none") : read.error();
  };
  EXPECT_EQ(error_of({{"carrier", " "}}), "carrier: is missing or empty");
  EXPECT_EQ(error_of({{"order_number", 417}}), "order_number: expected a text") << "zeros in front would be lost";
  EXPECT_EQ(error_of({{"parcel_group", 0}}), "parcel_group: expected 1, 2, ...");
  EXPECT_EQ(error_of({{"parcel_group", "1"}}), "parcel_group: expected 1, 2, ...");
  EXPECT_THAT(error_of({{"payload", "{}"}}), HasSubstr("payload: expected an object"));
  EXPECT_THAT(error_of({{"requested_at", "yesterday"}}), HasSubstr("requested_at: expected a moment"));
  EXPECT_THAT(error_of({{"state", "granted"}}), HasSubstr("state: is no column that can be written"));
  EXPECT_THAT(error_of({{"carier", "oca"}}), HasSubstr("did you mean 'carrier'?"));
  EXPECT_THAT(read_request_row(json::array()).error(), HasSubstr("expected an object"));
}

TEST(RequestRows, ComeAsOneObjectAListOrLines) {
  const std::string row = R"({"request_key": "K", "order_number": "1", "carrier": "oca"})";
  EXPECT_THAT(*read_request_file(row), SizeIs(1));
  EXPECT_THAT(*read_request_file("[" + row + ",\n" + row + "]"), SizeIs(2));
  EXPECT_THAT(*read_request_file(row + "\n\n" + row + "\n"), SizeIs(2));
  EXPECT_THAT(*read_request_file("{\n" + row.substr(1)), SizeIs(1)) << "an object over several lines";
}

TEST(RequestRows, EveryWrongLineIsTold) {
  const std::string row = R"({"request_key": "K", "order_number": "1", "carrier": "oca"})";
  const auto read = read_request_file(row + "\n{half\n" + row + "\n{}\n");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error(), ElementsAre("2: is no JSON", "4: request_key: is missing or empty"));
  EXPECT_THAT(read_request_file("").error(), ElementsAre("1: holds no request"));
}

}  // namespace
}  // namespace remitod::daemon
