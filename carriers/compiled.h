// What a profile compiles to: everything parsed and checked once, so that a poll only evaluates. Private to carriers/.
#pragma once

#include <re2/re2.h>
#include <pugixml.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carriers/answer.h"
#include "carriers/profile.h"
#include "carriers/template.h"
#include "carriers/times.h"
#include "carriers/tracking.h"

namespace remitod::carriers {

/// An XPath expression with the key it came from, for messages.
struct Query {
  std::string key;  ///< "track.answer.events"
  std::string text;
  pugi::xpath_query compiled;
};

/// Does an event's code or text match? All that are set must hold.
struct Matcher {
  std::vector<std::string> codes;     ///< exact; empty: any
  std::optional<std::string> text;    ///< exact after folding (blanks collapsed, case and accents ignored)
  std::optional<std::string> prefix;  ///< likewise folded
  std::unique_ptr<RE2> pattern;       ///< over the unfolded text
  std::optional<Query> when;          ///< boolean, on the event's node
};

/// [[track.status]]: the first rule that matches decides. No rule: unmapped.
struct StatusRule {
  Matcher matcher;
  Status status = Status::unmapped;
  Reason reason = Reason::none;
};

/// [[track.reason]]: applied to the event's reason text (or code) when the status rule gave no reason and the status is
/// attempt_failed, exception, returning, returned or cancelled.
struct ReasonRule {
  Matcher matcher;
  Reason reason = Reason::other;
};

struct AnswerRules {
  DecodeOptions decode;
  std::vector<int> success_statuses;  ///< HTTP; empty: 200..299
  std::optional<Query> success;       ///< boolean on the document; false: the carrier says it failed
  std::optional<Query> error;         ///< string: its words
  std::optional<Query> auth_error;    ///< boolean: a bad login told at HTTP 200
};

struct TrackOperation {
  TrackTemplate request;
  AnswerRules answer;
  std::optional<Query> not_found;           ///< boolean on the document: none of the asked numbers is known (yet)
  std::optional<Query> shipments;           ///< node set; absent: the document is the one shipment asked about
  std::optional<Query> remito;              ///< string on a shipment's node; absent only without `shipments`
  std::optional<Query> shipment_not_found;  ///< boolean on a shipment's node
  std::optional<Query> events;              ///< node set on a shipment's node
  bool newest_first = false;                ///< how the carrier lists them
  bool snapshot = false;                    ///< only the present state: the shipment's node is the one event
  std::optional<Query> code, text, place, time, reason;  ///< strings on an event's node
  std::optional<TimeReader> times;
  std::vector<StatusRule> status_rules;
  std::vector<ReasonRule> reason_rules;
};

struct CreateOperation {
  CreateTemplate request;
  std::vector<std::string> required;  ///< dotted paths into the payload that must not be empty
  AnswerRules answer;
  std::optional<Query> granted;  ///< boolean on the document
  std::optional<Query> refused;  ///< boolean on the document
  std::optional<Query> remito;   ///< string; absent: the order number is the remito
  bool remito_is_order_number = false;
  std::optional<Query> refusal_code, refusal_text;
};

struct CompiledProfile {
  std::string title;
  std::string zone;
  std::uint64_t revision = 0;
  ProfileLimits limits;
  Verified verified = Verified::documentation;
  std::chrono::hours registration_grace{48};
  std::chrono::hours give_up_after{60 * 24};
  std::chrono::hours tail{72};
  std::shared_ptr<const TransportOptions> transport;
  std::optional<TrackOperation> track;
  std::optional<CreateOperation> create;
};

}  // namespace remitod::carriers
