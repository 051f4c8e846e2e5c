// The parts of a profile's loader: each reads its tables, and reports what is wrong with them. Private to carriers/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/table_reader.h"
#include "carriers/template.h"

namespace remitod::carriers {

/// What the operations need of the rest of the profile and of the installation.
struct LoadContext {
  std::string zone;
  std::string base_url;
  JsonValue constants;  ///< {"settings": {...}, "secrets": {...}}
  bool http_allowed = false;
  int batch_max = 1;
  std::vector<std::string> auth_headers;  ///< "Name: value", of [auth] kind = "header"
};

/// {{base_url}}, {{settings.X}}, {{secrets.X}} and the sections that every template may use.
NameTree constant_names(const JsonValue& constants);

/// What is wrong with the scheme or the host of a URL, or "".
std::string url_problem(std::string_view url, bool http_allowed);
/// What never leaves this machine needs no encryption: test carriers, a tunnel's end.
bool is_loopback(std::string_view url);

/// May this be the name of a header?
bool is_header_name(std::string_view name);

/// Reports what check_template finds in the text under `key`. False: there was something.
bool check_text(TableReader& reader, std::string_view key, const std::string& text, const NameTree& names);

TrackTemplate load_track_request(TableReader& track, const LoadContext& context);
/// `required` and `optional` are read too: they say what the templates may name.
CreateTemplate load_create_request(TableReader& create, std::vector<std::string>& required, const LoadContext& context);

/// [track.answer], [track.event], [[track.status]], [[track.reason]].
void load_track_answer(TableReader& track, TrackOperation& operation, const LoadContext& context);
/// [create.answer].
void load_create_answer(TableReader& create, CreateOperation& operation);

}  // namespace remitod::carriers
