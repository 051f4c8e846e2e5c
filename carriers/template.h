// Request templates: mustache, with escaping by context and without its silence about missing values.
//
// A template is filled in two steps. What is known early is rendered by mustache: settings, secrets and the base URL,
// and of a create request the order. What is known only when the request goes out (the session's token, the time, a
// page's number, functions over all of that) and, in a track request, the shipments, stand in the rendered text as
// private marks (template_marks.h). The text is cut at them into pieces: literal bytes, and what follows them under
// which escapes. Filling is then appending.
//
// A track request is the hot path (tens of thousands a second), and rendering costs more than the rest of the request:
// its texts are rendered and cut once, when the profile is loaded. The content of an {{#items}} is a run of pieces that
// is repeated for each shipment, and what {{#comma}} holds is left out after the last. All other requests are rare and
// may hold conditions over an order: they are rendered and cut anew each time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/escape.h"
#include "carriers/json_value.h"
#include "carriers/template_functions.h"
#include "carriers/template_names.h"
#include "carriers/template_render.h"

namespace remitod::carriers {

/// What is filled in last. The values of the session come after these, in the order of their names.
///   first_remito: that of the first shipment asked about, inside {{#items}} as well
///   registered_*: the shipment's registration as a day in the carrier's zone: "26", "2026", "2026-11-23"
///   method, url, ..., body: of this request, for signatures. `url_query` is without '?'
enum class Variable : std::uint8_t {
  remito,
  registered_yy,
  registered_yyyy,
  registered_date,
  first_remito,
  uuid,
  page,
  cursor,
  method,
  url,
  url_path,
  url_query,
  body,
};
inline constexpr std::array<std::string_view, 13> variable_names{
    "remito", "registered_yy", "registered_yyyy", "registered_date", "first_remito", "uuid", "page", "cursor",
    "method", "url",           "url_path",        "url_query",       "body"};
inline constexpr std::size_t shipment_variables = 4;  ///< the first ones; they stand in {{#items}} of a batch
inline constexpr std::size_t session_values_max = 20;

/// The variables of one shipment.
struct ItemValues {
  std::string_view remito;
  std::array<char, 10> registered_date{};  ///< YYYY-MM-DD
  Instant registered{};
};

/// The variables of one request.
struct CallValues {
  TemplateTimes times;
  std::string_view uuid;
  std::span<const std::string> session;
  std::string_view page, cursor;
  bool is_next_page = false;  ///< not the first
  std::string_view method, url, url_path, url_query, body;
};

/// One text of a request (URL, header, body), cut.
class CutText {
 public:
  /// `text` has passed check_template; `data` holds what is known by now; `session` are the names of its values.
  static std::expected<CutText, RenderError> cut(const std::string& text, const JsonValue& data,
                                                 std::span<const std::string> session, const Rendering& rendering);

  /// Variables of a shipment outside {{#items}} are those of the first item. The error says which function's content
  /// is wrong; a text of which that is known when it is cut gives none.
  std::expected<void, std::string> append_to(std::string& out, const CallValues& call,
                                             std::span<const ItemValues> items = {}) const;

  /// Nothing is left to be filled in.
  bool is_constant() const;
  bool repeats_items() const { return !items_.empty(); }
  /// Every shipment's remito can be read in it: a digest over them all does not name them.
  bool names_items() const;
  bool uses(std::initializer_list<Variable> variables) const;  ///< one of them
  /// What stands before the first variable.
  std::string_view first_literal() const { return pieces_.front().literal; }

 private:
  struct Piece {
    enum class Then : std::uint8_t { nothing, variable, function_begin, function_end };
    std::string literal;
    Then then = Then::nothing;    ///< what follows the literal
    unsigned number = 0;          ///< of the variable or the function
    std::vector<Escape> escapes;  ///< of its value, innermost first
    bool between = false;         ///< in {{#comma}}: not after the last item
    bool next_page = false;       ///< in {{#next_page}}: not on the first page
  };
  /// The content of an {{#items}}.
  struct Run {
    std::size_t begin = 0, end = 0;
    bool names_each = false;  ///< every shipment's remito can be read in it
  };
  friend class Cutter;
  friend class Filler;

  std::vector<Piece> pieces_;  ///< at least one
  std::vector<Run> items_;
  std::size_t bytes_ = 0;       ///< about what the text takes without its items ...
  std::size_t item_bytes_ = 0;  ///< ... and for each item
};

/// A request, ready to be filled.
struct CutTemplate {
  std::string method;
  CutText url;
  std::vector<std::string> constant_headers;  ///< "Name: value"
  std::vector<CutText> headers;               ///< likewise, with variables in the value
  std::optional<CutText> body;
  std::string body_charset;              ///< that it leaves in; empty: UTF-8
  Escape body_escape = Escape::none;     ///< how what that charset lacks is written
  std::chrono::milliseconds timeout{0};  ///< zero: the transport's
  std::size_t session_values = 0;        ///< so many have to be there
  int first_page = 1;                    ///< the number by which the carrier calls its first page
  // What costs something is made only where it is asked for.
  bool uses_dates = false, uses_url_parts = false, uses_uuid = false, uses_page = false;

  /// To be called with each text that is added.
  void note_uses(const CutText& text);
};

/// A request that is rendered anew each time: its texts as they stand in the profile, checked.
struct CallTemplate {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  ///< name and the template of its value
  std::optional<std::string> body;
  Escape body_escape = Escape::none;
  std::string body_charset;              ///< that it leaves in; empty: UTF-8
  std::chrono::milliseconds timeout{0};  ///< zero: the transport's
  int first_page = 1;
  std::string base_url;
  JsonValue constants;               ///< settings and secrets
  std::vector<std::string> session;  ///< the names of {{session.X}}, the first of the session's
  NameTree names;                    ///< what else of the caller's knowledge the texts may name: all that they see
};

/// Rendered with `data` and cut. The error names the variable whose value cannot stand where it does.
std::expected<CutTemplate, RenderError> cut_template(const CallTemplate& request, const JsonValue& data);

}  // namespace remitod::carriers
