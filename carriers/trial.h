// One live question about one shipment, for whoever integrates a carrier: what was sent and answered, the answer's tree
// and what is read from it; and the same as a sample to keep. Nothing secret is left in any of it. Pure; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "carriers/profile.h"
#include "carriers/redactor.h"
#include "carriers/request.h"
#include "carriers/starter.h"
#include "carriers/transport.h"

namespace remitod::carriers {

struct AnswerRules;  ///< compiled.h

/// One request of a trial, and its answer: an answer in several pages takes several.
struct TrialPage {
  HttpRequest request;
  HttpAnswer answer;
};

/// One request of a login, and what became of it.
struct LoginExchange {
  HttpRequest request;
  FetchResult result;
};

/// {"carrier": "rapidos", "remito": "0417", "asked_at": "2026-11-23T21:04:05Z",
///  "pages": [{"request": "GET https://...", "http_status": 200, "content_type": "text/xml", "elapsed_ms": 81,
///             "body_charset": "ISO-8859-1",          of the request, which is shown in UTF-8; absent: it left in that
///             "headers": ["X-Token: [secret]"],      those that the profile reads, where there are any
///             "body": "...",            or "body_base64" where the bytes are no UTF-8, and "text", what they say
///             "tree": "<Respuesta>...", "notes": ["..."]}],    or "tree_problem" where there is none
///  "read": {"reports": ...},    what a sample's expectation says, or {"trouble": {"kind": ..., ...}}
///  "sample": "{...}"}           the expectation's file
/// `pages` is not empty. What is read is read from the redacted answer, so that a sample of it says the same. A tree is
/// shown up to a megabyte.
nlohmann::json describe_trial(const Profile& profile, const Redactor& redactor, std::span<const TrialPage> pages,
                              const TrackItem& asked, Instant asked_at);

/// The steps of one login, in the form of `pages`; "problem" where one was not answered. Beside what a redactor knows,
/// whatever looks like a token is left out: a carrier gives more of them than a profile reads.
nlohmann::json describe_login(const Profile& profile, const Redactor& redactor,
                              std::span<const LoginExchange> exchanges);

/// An answer as the tree that a profile reads, up to a megabyte; or why it makes none.
std::string tree_text(const AnswerRules& rules, const HttpAnswer& answer);

/// The request of a page that has no answer, as `pages` has it.
nlohmann::json describe_request(const Redactor& redactor, const HttpRequest& request);

/// The files that make a trial a sample: "live_0417.json" and "live_0417.expected.json", or "live_0417.1.json" ... of
/// several pages. The error says what is missing from `trial`, which comes from describe_trial.
std::expected<std::vector<StarterFile>, std::string> trial_sample(const nlohmann::json& trial);

}  // namespace remitod::carriers
