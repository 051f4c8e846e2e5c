#include "carriers/starter.h"

#include <algorithm>

namespace remitod::carriers {
namespace {

constexpr std::string_view profile_text = R"toml(#:schema file:///usr/share/remitod/profile.schema.json
# What is read here, and every other key: carriers/README.md and carriers/profile.md. Replace line by line what is the
# carrier's own, then:  remitod --check-carrier FOLDER

title = "@NAME@"                       # for people
verified = "documentation"             # how far this is proven: documentation, recorded answers, live
zone = "America/Lima"                  # of times without an offset
base_url = "https://ws.carrier.example/v1"
settings = ["account"]                 # the installation states them in [carriers.@NAME@.settings]: {{settings.account}}
secrets = ["api_key"]                  # and these in [carriers.@NAME@.secrets]: {{secrets.api_key}}, shown nowhere

[limits]                               # what the carrier allows
requests_per_second = 1.0
concurrency = 2                        # requests under way at the same time
batch_max = 1                          # shipments in one request; above 1 the request has {{#items}}...{{/items}}

[auth]
kind = "header"
headers = { "X-Api-Key" = "{{secrets.api_key}}" }

# Where is a shipment?
[track]
method = "GET"
url = "{{base_url}}/accounts/{{settings.account}}/shipments/{{remito}}"
headers = { Accept = "application/json" }

[track.answer]
format = "json"                        # the root is /json, keys are elements, a list repeats its element
success = "/json/ok = 'true'"          # XPath 1.0. False: the carrier failed, in the words of `error`
error = "/json/error/message"
auth_error = "/json/error/code = 'AUTH'"             # a bad login that is told at HTTP 200
not_found_statuses = [404]             # it does not know the number (yet), which is normal for hours
events = "/json/history"
order = "oldest_first"                 # how the carrier lists them

[track.event]                          # what is read of each event; XPaths start at the event
code = "code"
text = ["detail", "title"]             # the first that is not empty
place = { join = ["city", "country"], with = ", " }
reason = "why"
time = { join = ["date", "hour"] }
formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]             # tried in order

# What the carrier's codes mean here: the first rule that fits decides. A code without a rule is `unmapped`: stored,
# counted and shown to ops. Never add a rule that fits everything.
[[track.status]]
codes = ["10", "11"]
status = "in_transit"
[[track.status]]
code = "50"
status = "delivered"
[[track.status]]
prefix = "visita fallida"              # of the text, without case and accents
status = "attempt_failed"

# Why an attempt failed: over `reason`, where the status rule gave none.
[[track.reason]]
contains = ["ausente", "nadie"]        # likewise
reason = "recipient_absent"

# What else a carrier may do, each with an answer of its own and described in profile.md, "Operations":
# [create]   makes a shipment; [confirm] asks later whether it was granted
# [find]     looks for a shipment by our reference, where it is unclear whether it was made
# [cancel]   cancels one; [quote] asks for its price; [feed] lists what has changed, instead of or beside [track]
# Answers are format = "json", "xml", "csv", "fixed_width", "edifact" or "x12": profile.md, "Formats".
)toml";

constexpr std::string_view delivered = R"json({
  "ok": true,
  "history": [
    {"code": "10", "title": "En ruta", "detail": "", "city": "Lima", "country": "PE", "date": "02/11/2026", "hour": "08:15"},
    {"code": "20", "title": "Visita fallida", "why": "Cliente ausente", "city": "Arequipa", "date": "03/11/2026", "hour": "16:40"},
    {"code": "50", "title": "Entregado", "detail": "Entregado en portería", "date": "04/11/2026"}
  ]
}
)json";

constexpr std::string_view delivered_expected = R"json({
  "operation": "track",
  "http_status": 200,
  "content_type": "application/json",
  "asked": ["0041700001"],
  "reports": [
    {"remito": "0041700001", "kind": "events", "events": [
      {"code": "10", "text": "En ruta", "status": "in_transit", "occurred_at": "2026-11-02T13:15:00Z", "zone": "profile", "place": "Lima, PE", "position": 0},
      {"code": "20", "text": "Visita fallida: Cliente ausente", "status": "attempt_failed", "reason": "recipient_absent", "occurred_at": "2026-11-03T21:40:00Z", "zone": "profile", "place": "Arequipa", "position": 1},
      {"code": "50", "text": "Entregado en portería", "status": "delivered", "occurred_at": "2026-11-04T05:00:00Z", "zone": "profile", "date_only": true, "position": 2}
    ]}
  ]
}
)json";

constexpr std::string_view bad_login = R"json({"ok": false, "error": {"code": "AUTH", "message": "Clave no válida"}}
)json";

constexpr std::string_view bad_login_expected = R"json({
  "operation": "track",
  "http_status": 200,
  "content_type": "application/json",
  "asked": ["0041700001"],
  "trouble": {"kind": "auth", "message_contains": "Clave no válida"}
}
)json";

std::string with_name(std::string_view text, std::string_view name) {
  constexpr std::string_view mark = "@NAME@";
  std::string filled;
  for (std::size_t at; (at = text.find(mark)) != text.npos; text.remove_prefix(at + mark.size()))
    filled.append(text.substr(0, at)).append(name);
  return filled.append(text);
}

}  // namespace

bool is_carrier_name(std::string_view name) {
  constexpr std::size_t bytes_max = 60;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= bytes_max && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::vector<StarterFile> starter_files(std::string_view name) {
  return {{"carrier.toml", with_name(profile_text, name)},
          {"samples/delivered.json", std::string(delivered)},
          {"samples/delivered.expected.json", std::string(delivered_expected)},
          {"samples/bad_login.json", std::string(bad_login)},
          {"samples/bad_login.expected.json", std::string(bad_login_expected)}};
}

}  // namespace remitod::carriers
