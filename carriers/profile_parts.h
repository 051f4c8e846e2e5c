// The parts of a profile's loader: each reads its tables, and reports what is wrong with them. Private to carriers/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/profile_fields.h"
#include "carriers/table_reader.h"
#include "carriers/template.h"

namespace remitod::carriers {

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// load_profile with the log of a caller that wants to know which keys were looked for.
std::expected<std::shared_ptr<const Profile>, std::vector<ProfileError>> load_profile(const std::filesystem::path& dir,
                                                                                      const CarrierSettings& settings,
                                                                                      ErrorLog& errors);

/// What the operations need of the rest of the profile and of the installation.
struct LoadContext {
  std::string zone;
  std::string base_url;
  JsonValue constants;  ///< {"settings": {...}, "secrets": {...}}
  bool http_allowed = false;
  int batch_max = 1;
  std::vector<std::string> session;  ///< names of {{session.X}}
  // Of [auth], for every operation: names, and templates that have been checked.
  NamedTexts auth_headers;
  NamedTexts auth_query;
};

/// What is wrong with the scheme or the host of a URL, or "".
std::string url_problem(std::string_view url, bool http_allowed);
/// What never leaves this machine needs no encryption: test carriers, a tunnel's end.
bool is_loopback(std::string_view url);
/// Why the characters of a URL cannot stay as they are. Empty: they can.
std::string unencoded_problem(std::string_view url);

// profile_names.cpp: what the templates of each operation may name.

/// {{base_url}}, {{settings.X}}, {{secrets.X}}, {{session.X}}, functions, and the sections that every template may use.
NameTree common_names(const LoadContext& context);
NameTree text_name();
void add_functions(NameTree& names, FunctionScope scope);
/// {{page}}, {{cursor}}, {{#next_page}}.
void add_page_names(NameTree& names);
NameTree track_names(const LoadContext& context, bool has_pages);
/// What an order and its payload bring: reads `required` and `optional`.
NameTree order_names(TableReader& operation, std::vector<std::string>& required);

// profile_requests.cpp: method, URL, headers and body.

/// Reports what check_template finds in the text under `key`. False: there was something.
bool check_text(TableReader& reader, std::string_view key, const std::string& text, const NameTree& names);
/// Headers, and what only rendering tells of them. False: something was wrong, and has been reported.
bool check_headers(TableReader& reader, std::string_view key, const NamedTexts& headers, const NameTree& names,
                   const LoadContext& context);
bool check_url(TableReader& reader, std::string_view key, const std::string& url, const NameTree& names,
               const LoadContext& context);
/// The text of a template that names constants only.
std::string constant_text(TableReader& reader, std::string_view key, const LoadContext& context);

/// Reports where the request asks for the first page again and again: nothing in it changes from page to page.
void check_paging(TableReader& operation, const CutTemplate& request, const std::optional<Paging>& paging);
CutTemplate load_track_request(TableReader& track, const LoadContext& context, const std::optional<Paging>& paging,
                               int first_page);
/// A request of any other kind. `names`: what its texts may name besides the common names.
CallTemplate load_call_request(TableReader& operation, NameTree names, const LoadContext& context);

// profile_auth.cpp, profile_transport.cpp

/// [auth]. Fills what of it is for every operation into the context.
void load_auth(TableReader& root, LoadContext& context, CompiledProfile& profile, TransportOptions& transport);
/// [transport]. Relative paths are in `folder`.
void load_transport(TableReader& root, const LoadContext& context, const std::filesystem::path& folder,
                    TransportOptions& transport);

// profile_operations.cpp

/// [track], [create], [find], [cancel], [quote], [feed]. The transport learns which headers of answers they read.
void load_operations(TableReader& root, const LoadContext& context, CompiledProfile& profile,
                     TransportOptions& transport);

// profile_answers.cpp

/// What [X.answer] says of every kind of answer.
AnswerRules read_answer_rules(TableReader& answer, const NoValue& no_value);
/// None of them is one of success_statuses.
std::vector<int> read_try_again_statuses(TableReader& answer, const AnswerRules& rules);
/// [track.answer], [track.event], [[track.status]], [[track.reason]]; likewise those of [feed].
/// A feed tells of what has changed: it can say of no number that it is gone.
enum class Asks : std::uint8_t { for_numbers, for_changes };
void load_reports(TableReader& operation, ReportRules& rules, const LoadContext& context, Asks asks);
// profile_remito.cpp

/// [create] remito_is = "range" and [create.range].
std::optional<RangeRules> load_range(TableReader& create, const LoadContext& context);
ConfirmOperation load_confirm(TableReader& confirm, const LoadContext& context);

/// [create.answer].
void load_create_answer(TableReader& create, CreateOperation& operation);

}  // namespace remitod::carriers
