// Request templates: mustache, with escaping by context and without its silence about missing values.
//
// A create request is rare and its template may hold conditions over the order: it is rendered anew each time.
//
// A track request is the hot path (tens of thousands a second), and rendering a template costs more than the rest of
// the request. All that differs between two of them are the shipments; settings, secrets and the base URL are known
// when the profile is loaded. So each text is rendered once, at load, with private marks (template_marks.h) in place of
// the shipment's variables, and the result is cut at the marks into pieces: literal bytes, and which variable follows
// them under which escapes. The content of {{#items}} is the run of pieces that is repeated for each shipment, and what
// {{#comma}} holds is left out after the last. Building a request is then appending.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/escape.h"
#include "carriers/json_value.h"
#include "carriers/template_names.h"
#include "carriers/template_render.h"

namespace remitod::carriers {

/// registered_*: the shipment's registration as a day in the carrier's zone: "26", "2026", "2026-11-23".
enum class TrackVariable : std::uint8_t { remito, registered_yy, registered_yyyy, registered_date };
inline constexpr std::array<std::string_view, 4> track_variable_names{"remito", "registered_yy", "registered_yyyy",
                                                                      "registered_date"};

/// The variables of one shipment.
struct TrackValues {
  std::string_view remito;
  std::array<char, 10> registered_date{};  ///< YYYY-MM-DD
  std::string_view of(TrackVariable variable) const;
};

/// One text of a track request (URL, header, body), cut.
class TrackText {
 public:
  /// `text` has passed check_template; `constants` holds settings and secrets.
  static std::expected<TrackText, std::string> cut(const std::string& text, const JsonValue& constants,
                                                   const Rendering& rendering);

  /// Variables outside {{#items}} are those of the first item. `items` is not empty.
  void append_to(std::string& out, std::span<const TrackValues> items) const;

  bool is_constant() const;
  bool repeats_items() const { return items_begin_ < items_end_; }
  bool uses_dates() const;
  /// What stands before the first variable.
  std::string_view first_literal() const { return pieces_.front().literal; }

 private:
  struct Piece {
    std::string literal;
    std::optional<TrackVariable> variable;  ///< follows the literal
    std::vector<Escape> escapes;            ///< of its value, innermost first
    bool between = false;                   ///< in {{#comma}}: not after the last item
  };
  friend class Cutter;
  static void append_piece(std::string& out, const Piece& piece, const TrackValues& values);

  std::vector<Piece> pieces_;  ///< at least one
  std::size_t items_begin_ = 0, items_end_ = 0;
  std::size_t bytes_ = 0;       ///< about what the text takes without its items ...
  std::size_t item_bytes_ = 0;  ///< ... and for each item
};

/// A track request, ready to be filled.
struct TrackTemplate {
  std::string method;
  TrackText url;
  std::vector<std::string> constant_headers;  ///< "Name: value"
  std::vector<TrackText> headers;             ///< likewise, with variables in the value
  std::optional<TrackText> body;
  bool uses_dates = false;  ///< a local day costs a look at the time zone: only where it is asked for
};

/// A create request: its texts as they stand in the profile, checked.
struct CreateTemplate {
  std::string method;
  std::string url;
  std::vector<std::string> constant_headers;                 ///< "Name: value"
  std::vector<std::pair<std::string, std::string>> headers;  ///< name and the template of its value
  std::string body;
  Escape body_escape = Escape::none;
  std::string base_url;
  JsonValue constants;  ///< settings and secrets
  NameTree names;       ///< what the texts may name: the only parts of a payload that they see
};

}  // namespace remitod::carriers
