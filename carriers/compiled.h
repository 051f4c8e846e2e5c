// What a profile compiles to: everything parsed and checked once, so that a poll only evaluates. Private to carriers/.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carriers/answer.h"
#include "carriers/aws_signature.h"
#include "carriers/feed_schedule.h"
#include "carriers/field.h"
#include "carriers/parcels.h"
#include "carriers/profile.h"
#include "carriers/query.h"
#include "carriers/remito_number.h"
#include "carriers/template.h"
#include "carriers/times.h"
#include "carriers/tracking.h"
#include "carriers/volatile_spans.h"

namespace remitod::carriers {

/// Does an event match? All that are set must hold; of several codes, texts, prefixes or parts one.
struct Matcher {
  std::vector<std::string> codes;     ///< exact; empty: any
  std::vector<std::string> texts;     ///< exact after folding (blanks collapsed, case and accents ignored); empty: any
  std::vector<std::string> prefixes;  ///< likewise folded
  std::vector<std::string> contains;  ///< likewise folded: parts, wherever they stand
  std::unique_ptr<RE2> pattern;       ///< over the unfolded text
  std::optional<Field> of;    ///< on the event's node: what texts, prefixes, contains and pattern look at instead
  std::optional<Query> when;  ///< boolean, on the event's node
};

/// [[track.status]]: the first rule that matches decides. No rule: unmapped.
struct StatusRule {
  Matcher matcher;
  bool ignored = false;  ///< what matches is no event at all
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
  std::optional<Field> error;         ///< its words
  std::optional<Query> auth_error;    ///< boolean: a bad login, at whatever HTTP status
  std::optional<Query> throttled;     ///< boolean: too many requests, at whatever HTTP status
};

/// What an answer says of shipments: [track.answer], [track.event], [[track.status]], [[track.reason]].
struct ReportRules {
  AnswerRules answer;
  std::vector<int> not_found_statuses;      ///< HTTP: none of the asked numbers is known (yet)
  std::vector<int> gone_statuses;           ///< HTTP: the asked numbers were known and are no more
  std::optional<Query> not_found;           ///< boolean on the document: none of the asked numbers is known (yet)
  std::optional<Query> gone;                ///< boolean on the document: the asked numbers were known and are no more
  std::optional<Query> shipments;           ///< node set; absent: the document is the one shipment asked about
  std::optional<Field> remito;              ///< on a shipment's node; absent only without `shipments`
  std::optional<Field> shipment_error;      ///< on a shipment's node; not empty: nothing is said of this one
  std::optional<Query> shipment_not_found;  ///< boolean on a shipment's node
  std::optional<Query> shipment_gone;       ///< boolean on a shipment's node
  std::optional<Query> events;              ///< node set on a shipment's node
  bool newest_first = false;                ///< how the carrier lists them
  bool snapshot = false;                    ///< only the present state: the shipment's node is the one event
  std::optional<Field> code, text, place, time, zone, reason;  ///< on an event's node
  std::optional<TimeReader> times;
  std::vector<StatusRule> status_rules;
  std::vector<ReasonRule> reason_rules;
  std::shared_ptr<const std::vector<VolatileSpan>> volatile_spans;  ///< null: none
};

/// [X.paging]: how to come from one page of an answer to the next.
struct Paging {
  enum class Kind : std::uint8_t { page, cursor, link };
  Kind kind = Kind::page;
  std::optional<Query> more;  ///< boolean on the document: there is a page after this one. Kind::page
  std::optional<Field> next;  ///< on the document: the next cursor or link; empty: none
  std::string next_header;    ///< instead of `next`: of the answer, in the form of RFC 8288
  int pages_max = 50;
};

struct TrackOperation {
  CutTemplate request;
  std::optional<Paging> paging;
  ReportRules reports;
  bool is_costly = false;  ///< has_quadratic_part(reports) (report_expressions.h)
};

struct FeedOperation {
  CallTemplate request;
  FeedSchedule schedule;
  std::optional<Paging> paging;
  ReportRules reports;
};

/// [create.range], its operation: the carrier gives ranges of numbers on request.
struct RangeOperation {
  CallTemplate request;
  AnswerRules answer;
  std::optional<Field> first, last;  ///< on the document, or ...
  std::optional<Query> numbers;      ///< ... node set: each number by itself
  std::int64_t block_size = 0;       ///< {{block_size}}: how many are asked for
};

/// [create.range]: the carrier gives its numbers ahead.
struct RangeRules {
  RemitoNumber number;
  std::int64_t low_water = 1;               ///< with fewer numbers left it is time for the next range
  std::optional<RangeOperation> operation;  ///< absent: people state the ranges
};

struct CreateOperation {
  CallTemplate request;
  std::vector<std::string> required;  ///< dotted paths into the payload that must not be empty
  ParcelRules parcels;
  AnswerRules answer;
  std::optional<Query> granted;  ///< boolean on the document
  std::optional<Query> refused;  ///< boolean on the document
  std::optional<Field> remito;   ///< on the document; absent: the order number is the remito
  bool remito_is_order_number = false;
  std::optional<RangeRules> range;      ///< the remito is known before the carrier is asked, if it is asked at all
  bool is_sent = true;                  ///< false: the carrier is told nothing, a number of the range is the grant
  std::optional<Query> number_refused;  ///< boolean on the document: nothing was made, because of the range's number
  std::optional<Query> accepted;        ///< boolean on the document: taken on, to be granted or refused later
  std::vector<int> accepted_statuses;   ///< HTTP: likewise, whatever the body is
  /// The carrier's promise: it made nothing, and takes the same request later. Boolean on the document; HTTP.
  std::optional<Query> try_again;
  std::vector<int> try_again_statuses;
  std::optional<Field> refusal_code, refusal_text;
  /// The carrier's promise: requests that name the same key make one shipment, for so long after the first of them.
  std::optional<std::chrono::milliseconds> key_window;
  bool key_is_order_number = false;  ///< and not client_ref
};

/// [confirm]: what became of a request that was accepted.
struct ConfirmOperation {
  CallTemplate request;
  std::vector<std::string> required;
  AnswerRules answer;
  std::vector<int> pending_statuses;               ///< HTTP: not decided yet
  std::optional<Query> granted, refused, pending;  ///< booleans on the document
  std::optional<Field> remito;                     ///< absent or empty: the number that came with the acceptance
  std::optional<Field> refusal_code, refusal_text;
  std::chrono::milliseconds interval{std::chrono::minutes{1}};      ///< between two looks
  std::chrono::milliseconds give_up_after{std::chrono::hours{24}};  ///< since it was accepted
};

struct FindOperation {
  CallTemplate request;
  std::vector<std::string> required;
  AnswerRules answer;
  std::optional<Query> found;                       ///< boolean on the document
  std::optional<Query> not_found;                   ///< boolean on the document
  std::optional<Query> shipments;                   ///< node set; absent: the document tells of one at most
  std::optional<Field> remito, reference, parcels;  ///< on a shipment's node, or on the document
  /// The carrier's promise: what it makes is found so long after at the latest. Absent: not being found proves nothing.
  std::optional<std::chrono::milliseconds> visible_after;
};

/// [cancel.lookup]: under what the carrier itself knows a shipment.
struct CancelLookup {
  CallTemplate request;
  AnswerRules answer;
  std::optional<Field> shipment_id;
};

struct CancelOperation {
  std::optional<CancelLookup> lookup;  ///< asked first
  CallTemplate request;
  AnswerRules answer;
  std::optional<Query> accepted, refused;  ///< booleans on the document
  /// The carrier's promise: it did nothing, and takes the same request later. Boolean on the document; HTTP.
  std::optional<Query> try_again;
  std::vector<int> try_again_statuses;
  std::optional<Field> refusal_code, refusal_text;
};

struct QuoteOperation {
  CallTemplate request;
  std::vector<std::string> required;
  ParcelRules parcels;
  AnswerRules answer;
  std::optional<Field> price, currency, days;
  std::string currency_is;       ///< where the answer names none
  std::optional<Query> refused;  ///< boolean on the document
  std::optional<Field> refusal_text;
};

/// Where one value of a session comes from.
struct SessionSource {
  std::optional<Field> field;    ///< on the document of the login's answer, or ...
  std::string header;            ///< ... a header of it
  std::unique_ptr<RE2> pattern;  ///< over the header's value: its group, or all that matches
};

/// One request of a login, and what is learned from its answer.
struct LoginStep {
  CallTemplate request;
  AnswerRules answer;
  bool reads_document = false;  ///< else only headers are of interest, and the body may be anything
  std::size_t first_value = 0;  ///< of the session's values, those of `sources` in their order
  std::vector<SessionSource> sources;
  std::optional<Field> lifetime;  ///< seconds
  std::optional<Field> expires_at;
  std::optional<TimeReader> times;  ///< of expires_at
};

/// [auth] kind = "oauth2" and "login".
struct SessionRules {
  std::vector<LoginStep> login;                  ///< in this order; later ones know what the earlier brought
  std::optional<LoginStep> refresh;              ///< instead of all of them, while there is a refresh token
  std::optional<std::size_t> refresh_token;      ///< its place among the values; the one that may be absent
  std::optional<std::chrono::seconds> lifetime;  ///< where the answer states none; absent: until refused
};

struct FilesOperation;  ///< files_operation.h

struct CompiledProfile {
  std::string title;
  std::string zone;
  StatedTexts publishes;
  std::uint64_t revision = 0;
  ProfileLimits limits;
  Verified verified = Verified::documentation;
  std::chrono::hours registration_grace{48};
  std::chrono::hours give_up_after{60 * 24};
  std::chrono::hours tail{72};
  std::shared_ptr<const TransportOptions> transport;
  std::vector<std::string> session_names;  ///< of {{session.X}}, in the order in which a login brings them
  std::optional<SessionRules> session;
  std::optional<AwsCredentials> aws;
  std::vector<std::string> secrets;  ///< every text that must not be shown: secrets, and what is made of them
  std::optional<TrackOperation> track;
  std::optional<CreateOperation> create;
  std::optional<ConfirmOperation> confirm;
  std::optional<FindOperation> find;
  std::optional<CancelOperation> cancel;
  std::optional<QuoteOperation> quote;
  std::optional<FeedOperation> feed;
  std::shared_ptr<const FilesOperation> files;  ///< [feed] kind = "files"
};

}  // namespace remitod::carriers
