// [track], [create], [find], [cancel], [quote], [feed]: what the carrier can be asked.
#include <algorithm>

#include "carriers/profile_files.h"
#include "carriers/profile_parts.h"
#include "carriers/query.h"
#include "carriers/report_expressions.h"

namespace remitod::carriers {
namespace {

struct LoadedPaging {
  std::optional<Paging> paging;
  int first_page = 1;
};

/// [X.paging].
LoadedPaging load_paging(TableReader& operation, TransportOptions& transport) {
  static const std::vector<std::string> kinds{"page", "cursor", "link"};  // as Paging::Kind has them
  auto table = operation.table("paging");
  if (!table) return {};
  LoadedPaging loaded;
  Paging paging;
  if (!table->has("kind")) table->error("kind", R"(is missing: expected "page", "cursor" or "link")");
  paging.kind = static_cast<Paging::Kind>(table->choice("kind", kinds).value_or(0));
  if (const auto count = table->integer("pages_max", 2, 1000)) paging.pages_max = static_cast<int>(*count);
  if (paging.kind == Paging::Kind::page) {
    paging.more = require_query(*table, "more");
    loaded.first_page = static_cast<int>(table->integer("first", 0, 1000).value_or(1));
  } else {
    paging.next = read_field(*table, "next", nullptr);
    if (paging.kind == Paging::Kind::link) paging.next_header = table->text("next_header").value_or("");
    if (!paging.next_header.empty()) transport.kept_headers.push_back(paging.next_header);
    if (table->has("next") == !paging.next_header.empty())
      table->error("next", paging.kind == Paging::Kind::link
                               ? "expected either next, what the answer says, or next_header, such as \"Link\""
                               : "is missing: expected what the answer gives as the next cursor");
  }
  table->refuse_other_keys();
  loaded.paging = std::move(paging);
  return loaded;
}

std::optional<TableReader> require_answer(TableReader& operation) {
  if (!operation.has("answer"))
    operation.error("answer", "is missing: expected the table [" + operation.path_of("answer") + "]");
  return operation.table("answer");
}

std::optional<Field> require_field(TableReader& answer, std::string_view key, const NoValue& no_value) {
  if (!answer.has(key)) answer.error(key, "is missing: expected an XPath");
  return read_field(answer, key, no_value);
}

TrackOperation load_track(TableReader& track, const LoadContext& context, TransportOptions& transport) {
  TrackOperation operation;
  LoadedPaging paging = load_paging(track, transport);
  operation.request = load_track_request(track, context, paging.paging, paging.first_page);
  operation.paging = std::move(paging.paging);
  load_reports(track, operation.reports, context, Asks::for_numbers);
  operation.is_costly = has_quadratic_part(operation.reports);
  return operation;
}

FeedSchedule load_feed_schedule(TableReader& feed) {
  constexpr std::chrono::seconds second{1}, minute{60}, day{std::chrono::hours{24}};
  FeedSchedule schedule;
  schedule.interval = feed.seconds("interval", second, day).value_or(schedule.interval);
  schedule.window_max = feed.seconds("window_max", minute, 31 * day).value_or(schedule.window_max);
  schedule.overlap = feed.seconds("overlap", second, 31 * day).value_or(schedule.overlap);
  if (schedule.overlap >= schedule.window_max)
    feed.error(feed.has("overlap") ? "overlap" : "window_max", "overlap (default 1 h) is to be less than window_max");
  return schedule;
}

FeedOperation load_feed(TableReader& feed, const LoadContext& context, TransportOptions& transport) {
  FeedOperation operation;
  operation.schedule = load_feed_schedule(feed);
  LoadedPaging paging = load_paging(feed, transport);
  NameTree names;
  add_functions(names, FunctionScope::window);
  if (paging.paging) add_page_names(names);
  operation.request = load_call_request(feed, std::move(names), context);
  operation.request.first_page = paging.first_page;
  if (const auto cut = cut_template(operation.request, context.constants); cut && !operation.request.url.empty())
    check_paging(feed, *cut, paging.paging);
  operation.paging = std::move(paging.paging);
  load_reports(feed, operation.reports, context, Asks::for_changes);
  if (feed.has("answer") && !operation.reports.shipments)
    feed.error("answer", "a feed tells of many shipments: shipments and remito are missing");
  return operation;
}

ParcelRules load_parcel_rules(TableReader& operation) {
  return {.max = static_cast<int>(operation.integer("parcels_max", 1, order_parcels_max).value_or(0)),
          .each = operation.boolean("each_parcel").value_or(false)};
}

/// {{variable}} stands in the text. A carrier's own field may be called alike: {"client_reference": "..."}.
bool names(std::string_view text, std::string_view variable) {
  while (text.contains("{{")) {
    text.remove_prefix(text.find("{{") + 2);
    const std::string_view tag = text.substr(0, text.find("}}"));
    if (tidy(tag, tag.size()) == variable) return true;
  }
  return false;
}

bool names(const CallTemplate& request, std::string_view variable) {
  return names(request.url, variable) || (request.body && names(*request.body, variable)) ||
         std::ranges::any_of(request.headers, [&](const auto& header) { return names(header.second, variable); });
}

/// is_idempotent_by and key_window. A promise that no request takes up would be relied on for nothing.
void load_key(TableReader& create, const CallTemplate& request, CreateOperation& operation) {
  static const std::vector<std::string> keys{"client_ref", "order_number"};
  const auto key = create.choice("is_idempotent_by", keys);
  const auto window = create.duration("key_window");
  if (create.has("is_idempotent_by") != create.has("key_window"))
    create.error(create.has("key_window") ? "is_idempotent_by" : "key_window",
                 "is missing: is_idempotent_by, and for how long the carrier remembers the key, go together");
  if (!key || !window) return;
  if (!names(request, keys[*key]))
    create.error("is_idempotent_by", "neither url, headers nor body name {{" + keys[*key] + "}}");
  operation.key_window = window;
  operation.key_is_order_number = *key == 1;
}

CreateOperation load_create(TableReader& create, const LoadContext& context) {
  CreateOperation operation;
  NameTree names = order_names(create, operation.required);
  operation.parcels = load_parcel_rules(create);
  operation.range = load_range(create, context);
  operation.is_sent = !operation.range || create.has("url");
  if (!operation.is_sent) return operation;
  if (operation.range) names.members.emplace("remito", text_name());
  operation.request = load_call_request(create, std::move(names), context);
  load_create_answer(create, operation);
  load_key(create, operation.request, operation);
  return operation;
}

FindOperation load_find(TableReader& find, const LoadContext& context) {
  FindOperation operation;
  operation.visible_after = find.duration("visible_after");
  NameTree names = order_names(find, operation.required);
  operation.request = load_call_request(find, std::move(names), context);
  if (auto answer = require_answer(find)) {
    const NoValue no_value = read_no_value(*answer);
    operation.answer = read_answer_rules(*answer, no_value);
    operation.found = require_query(*answer, "found");
    operation.not_found = read_query(*answer, "not_found");
    operation.shipments = read_query(*answer, "shipments", Yields::nodes);
    operation.remito = require_field(*answer, "remito", no_value);
    operation.reference = read_field(*answer, "reference", no_value);
    operation.parcels = read_field(*answer, "parcels", no_value);
    answer->refuse_other_keys();
  }
  return operation;
}

/// [cancel.lookup]. `names` is what the operation itself may name, too.
CancelLookup load_lookup(TableReader& table, const NameTree& names, const LoadContext& context) {
  CancelLookup lookup;
  lookup.request = load_call_request(table, names, context);
  if (auto answer = require_answer(table)) {
    const NoValue no_value = read_no_value(*answer);
    lookup.answer = read_answer_rules(*answer, no_value);
    lookup.shipment_id = require_field(*answer, "shipment_id", no_value);
    answer->refuse_other_keys();
  }
  table.refuse_other_keys();
  return lookup;
}

CancelOperation load_cancel(TableReader& cancel, const LoadContext& context) {
  CancelOperation operation;
  NameTree names;
  for (const char* name : {"remito", "order_number", "client_ref"}) names.members.emplace(name, text_name());
  if (auto lookup = cancel.table("lookup")) {
    operation.lookup = load_lookup(*lookup, names, context);
    names.members.emplace("shipment_id", text_name());
  }
  operation.request = load_call_request(cancel, std::move(names), context);
  if (auto answer = require_answer(cancel)) {
    const NoValue no_value = read_no_value(*answer);
    operation.answer = read_answer_rules(*answer, no_value);
    operation.accepted = require_query(*answer, "accepted");
    operation.refused = read_query(*answer, "refused");
    operation.try_again = read_query(*answer, "try_again");
    operation.try_again_statuses = read_try_again_statuses(*answer, operation.answer);
    operation.refusal_code = read_field(*answer, "refusal_code", no_value);
    operation.refusal_text = read_field(*answer, "refusal_text", no_value);
    answer->refuse_other_keys();
  }
  return operation;
}

QuoteOperation load_quote(TableReader& quote, const LoadContext& context) {
  QuoteOperation operation;
  NameTree names = order_names(quote, operation.required);
  operation.parcels = load_parcel_rules(quote);
  operation.request = load_call_request(quote, std::move(names), context);
  if (auto answer = require_answer(quote)) {
    const NoValue no_value = read_no_value(*answer);
    operation.answer = read_answer_rules(*answer, no_value);
    operation.price = require_field(*answer, "price", no_value);
    operation.currency = read_field(*answer, "currency", no_value);
    operation.currency_is = answer->text("currency_is").value_or("");
    operation.days = read_field(*answer, "days", no_value);
    operation.refused = read_query(*answer, "refused");
    operation.refusal_text = read_field(*answer, "refusal_text", no_value);
    if (!answer->has("currency") && !answer->has("currency_is"))
      answer->error("currency", "is missing: expected an XPath, or currency_is = \"PEN\"");
    answer->refuse_other_keys();
  }
  return operation;
}

}  // namespace

void load_operations(TableReader& root, const LoadContext& context, CompiledProfile& profile,
                     TransportOptions& transport) {
  const auto load = [&root](const char* key, auto& operation, auto loader) {
    auto table = root.table(key);
    if (!table) return;
    operation = loader(*table);
    table->refuse_other_keys();
  };
  load("track", profile.track, [&](TableReader& table) { return load_track(table, context, transport); });
  load("create", profile.create, [&](TableReader& table) { return load_create(table, context); });
  load("confirm", profile.confirm, [&](TableReader& table) { return load_confirm(table, context); });
  const bool can_accept = profile.create && (profile.create->accepted || !profile.create->accepted_statuses.empty());
  if (can_accept != profile.confirm.has_value())
    root.error(can_accept ? "create" : "confirm",
               "[confirm] and accepted or accepted_statuses in [create.answer] go together");
  load("find", profile.find, [&](TableReader& table) { return load_find(table, context); });
  load("cancel", profile.cancel, [&](TableReader& table) { return load_cancel(table, context); });
  load("quote", profile.quote, [&](TableReader& table) { return load_quote(table, context); });
  if (auto feed = root.table("feed")) {
    if (is_file_feed(*feed))
      profile.files = load_file_feed(*feed, context, transport);
    else
      profile.feed = load_feed(*feed, context, transport);
    feed->refuse_other_keys();
  }
  if (!root.has("track") && !root.has("create") && !root.has("feed"))
    root.error("", "a profile has [track], [create] or [feed]: this one can do nothing");
}

}  // namespace remitod::carriers
