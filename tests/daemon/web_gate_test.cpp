#include "daemon/web_gate.h"

#include <gmock/gmock.h>

#include "daemon/web_page.h"

namespace remitod::test {
namespace {

using daemon::WebGate;
using daemon::WebRequest;

constexpr const char* token = "correct-horse-battery-staple";

WebRequest request(std::string method, std::string path, std::string authorization = "",
                   std::string host = "127.0.0.1:9470") {
  return {{std::move(method), std::move(path), {}, ""}, std::move(host), std::move(authorization)};
}

/// 0: let in.
int status(const WebGate& gate, const WebRequest& asked) {
  const auto refusal = gate.refuse(asked);
  return refusal ? refusal->status : 0;
}

TEST(WebGate, WhoeverGetsToThisMachineMayLook) {
  const WebGate gate({});
  for (const char* path : {"/healthz", "/readyz", "/status", "/resync"}) {
    EXPECT_EQ(status(gate, request("GET", path)), 0) << path;
    EXPECT_EQ(status(gate, request("HEAD", path)), 0) << path;
  }
}

TEST(WebGate, WithoutATokenNobodyMayDoAnything) {
  const WebGate gate({});
  for (const char* path : {"/resync", "/try", "/settle", "/requests", "/replay", "/sinks/enable"}) {
    EXPECT_EQ(status(gate, request("POST", path)), 403) << path;
    EXPECT_EQ(status(gate, request("POST", path, "Bearer ")), 403) << path;
  }
}

TEST(WebGate, WithATokenWhoeverKnowsItMay) {
  const WebGate gate({.token = token});
  EXPECT_EQ(status(gate, request("POST", "/resync", std::string("Bearer ") + token)), 0);
  EXPECT_EQ(status(gate, request("POST", "/resync", std::string("bearer ") + token)), 0);
  for (const std::string wrong : {"", "Bearer", "Bearer ", "Basic cmVtaXRvZA==", "Bearer correct-horse", token})
    EXPECT_EQ(status(gate, request("POST", "/resync", wrong)), 401) << wrong;
  EXPECT_EQ(status(gate, request("POST", "/resync", std::string("Bearer ") + token + "x")), 401);
  EXPECT_EQ(status(gate, request("POST", "/resync", std::string("Bearer  ") + token)), 401);
  EXPECT_EQ(gate.refuse(request("POST", "/resync"))->headers.at(0).first, "WWW-Authenticate");
}

TEST(WebGate, WhereOtherMachinesReachItAlsoLookingWantsTheToken) {
  const WebGate gate({.token = token, .reached_by_others = true});
  EXPECT_EQ(status(gate, request("GET", "/status")), 401);
  EXPECT_EQ(status(gate, request("GET", "/status", std::string("Bearer ") + token)), 0);
  EXPECT_EQ(status(gate, request("GET", "/healthz")), 0) << "a load balancer knows no token";
  EXPECT_EQ(status(gate, request("GET", "/readyz")), 0);
}

TEST(WebGate, WhatCannotBeAskedIsRefusedWithWhatCan) {
  const WebGate gate({.token = token});
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", ""})
    EXPECT_EQ(status(gate, request(method, "/status", std::string("Bearer ") + token)), 405) << method;
  const auto refusal = gate.refuse(request("PUT", "/resync"));
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->headers, testing::Contains(std::pair<std::string, std::string>("Allow", "GET, POST")));
}

TEST(WebGate, APathIsOneOfTheListOrNothing) {
  const WebGate gate({.token = token});
  for (const char* path : {"", "//status", "/status/", "/./status", "/../status", "/STATUS", "/etc/passwd",
                           "/../../etc/passwd", "/%2e%2e/etc/passwd", "/status/../../etc/shadow", "\\status"})
    EXPECT_EQ(status(gate, request("GET", path)), 404) << path;
  EXPECT_EQ(status(gate, request("GET", std::string("/status\0", 8))), 404);
}

TEST(WebGate, ThePageIsAnybodysAndAnswersOfCarriersAreNot) {
  const WebGate gate({.token = token, .reached_by_others = true});
  for (const char* path : {"/", "/main.js", "/page.css", "/dygraph.min.js", "/icon.svg"}) {
    EXPECT_EQ(status(gate, request("GET", path)), 0) << path;
    EXPECT_EQ(status(gate, request("POST", path)), 405) << path;
  }
  EXPECT_EQ(status(gate, request("GET", "/index.html")), 404) << "it has one address";
  EXPECT_EQ(status(WebGate({.token = token}), request("GET", "/answers")), 401) << "people's names stand in them";
}

TEST(WebPage, TheFilesNameNoOtherAndNothingOfElsewhere) {
  for (const char* path : {"/", "/main.js", "/api.js", "/page.css"}) {
    const daemon::PageFile* const file = daemon::page_file(path);
    ASSERT_TRUE(file) << path;
    EXPECT_THAT(file->content, testing::Not(testing::HasSubstr("https://"))) << path;
    EXPECT_THAT(file->content, testing::Not(testing::HasSubstr("innerHTML"))) << path;
    EXPECT_THAT(file->content, testing::Not(testing::HasSubstr("sourceMappingURL"))) << path;
  }
  EXPECT_THAT(daemon::page_file("/")->content, testing::StartsWith("<!doctype html>"));
  EXPECT_EQ(daemon::page_file("/main.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_THAT(daemon::page_file("/dygraph.min.js")->content, testing::Not(testing::HasSubstr("sourceMappingURL")));
}

TEST(WebGate, OnlyByItsAddressAsLocalhostOrByAStatedNameItIsReached) {
  const WebGate gate({.names = {"Remitod.example"}});
  for (const char* host : {"127.0.0.1", "127.0.0.1:9470", "[::1]:9470", "192.0.2.7", "localhost", "LOCALHOST:1",
                           "remitod.example", "remitod.example:443"})
    EXPECT_EQ(status(gate, request("GET", "/status", "", host)), 0) << host;
  for (const char* host : {"", "attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example",
                           "user@localhost", "localhost/", "remitod.example.attacker.example", "a b"})
    EXPECT_EQ(status(gate, request("GET", "/status", "", host)), 403) << host;
}

TEST(WebGate, WhoeverAsksForTheHealthNeedNotNameUs) {
  const WebGate gate({});
  for (const char* host : {"", "backend.of.a.load.balancer"})
    for (const char* path : {"/healthz", "/readyz"}) EXPECT_EQ(status(gate, request("GET", path, "", host)), 0) << path;
}

TEST(WebGate, AtAUnixSocketTheNameIsNobodysBusiness) {
  const WebGate gate({.checks_host = false});
  EXPECT_EQ(status(gate, request("GET", "/status", "", "anything")), 0);
}

}  // namespace
}  // namespace remitod::test
