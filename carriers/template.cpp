#include "carriers/template.h"

#include <algorithm>

#include "carriers/template_marks.h"

namespace remitod::carriers {

std::string_view TrackValues::of(TrackVariable variable) const {
  const std::string_view date{registered_date.data(), registered_date.size()};
  switch (variable) {
    case TrackVariable::remito:
      return remito;
    case TrackVariable::registered_yy:
      return date.substr(2, 2);
    case TrackVariable::registered_yyyy:
      return date.substr(0, 4);
    case TrackVariable::registered_date:
      return date;
  }
  return {};
}

/// Reads a rendered text from mark to mark. Each mark ends the piece before it.
class Cutter {
 public:
  std::expected<TrackText, std::string> run(std::string_view rendered) {
    while (!rendered.empty()) {
      const std::size_t plain = std::min(rendered.find_first_of("\x01\x03\x04\x05\x06"), rendered.size());
      piece_.literal = rendered.substr(0, plain);
      rendered.remove_prefix(plain);
      if (rendered.empty()) break;
      if (rendered.front() == mark::hole_begin) {
        const std::size_t end = rendered.find(mark::hole_end);
        read_hole(rendered.substr(1, end - 1));
        rendered.remove_prefix(end + 1);
      } else {
        if (rendered.front() == mark::items_begin && std::exchange(seen_items_, true))
          return std::unexpected("{{#items}} stands twice in one text; once is possible");
        read_boundary(rendered.front());
        rendered.remove_prefix(1);
      }
    }
    finish_piece();
    if (text_.pieces_.empty()) text_.pieces_.emplace_back();
    estimate_bytes();
    return std::move(text_);
  }

 private:
  void read_hole(std::string_view letters) {
    piece_.variable = static_cast<TrackVariable>(mark::index_of(letters.front()));
    for (const char letter : letters.substr(1)) piece_.escapes.push_back(static_cast<Escape>(mark::index_of(letter)));
    finish_piece();
  }

  void read_boundary(char boundary) {
    finish_piece();
    if (boundary == mark::items_begin) text_.items_begin_ = text_.pieces_.size();
    if (boundary == mark::items_end) text_.items_end_ = text_.pieces_.size();
    piece_.between = boundary == mark::between_begin;
  }

  void finish_piece() {
    const bool between = piece_.between;
    if (!piece_.literal.empty() || piece_.variable) text_.pieces_.push_back(std::move(piece_));
    piece_ = {};
    piece_.between = between;
  }

  void estimate_bytes() {
    constexpr std::size_t value_bytes = 32;  // a guess at a value's length: one allocation nearly always
    for (std::size_t i = 0; i < text_.pieces_.size(); ++i) {
      const bool in_items = i >= text_.items_begin_ && i < text_.items_end_;
      (in_items ? text_.item_bytes_ : text_.bytes_) += text_.pieces_[i].literal.size() + value_bytes;
    }
  }

  TrackText text_;
  TrackText::Piece piece_;
  bool seen_items_ = false;
};

std::expected<TrackText, std::string> TrackText::cut(const std::string& text, const JsonValue& constants,
                                                     const Rendering& rendering) {
  JsonValue data = constants;
  for (unsigned i = 0; i < track_variable_names.size(); ++i)
    data.members.insert_or_assign(std::string(track_variable_names[i]), JsonValue::of_text(mark::hole(i)));
  const std::expected<std::string, RenderError> rendered = render(text, data, rendering);
  if (!rendered)
    return std::unexpected(rendered.error().name.empty()
                               ? rendered.error().message
                               : "{{" + rendered.error().name + "}} " + rendered.error().message);
  return Cutter().run(*rendered);
}

void TrackText::append_piece(std::string& out, const Piece& piece, const TrackValues& values) {
  out += piece.literal;
  if (!piece.variable) return;
  const std::string_view value = values.of(*piece.variable);
  if (piece.escapes.empty()) {
    out += value;
  } else if (piece.escapes.size() == 1) {
    append_escaped(out, value, piece.escapes.front());
  } else {
    std::string escaped(value);
    for (const Escape escape : piece.escapes) {
      std::string again;
      append_escaped(again, escaped, escape);
      escaped = std::move(again);
    }
    out += escaped;
  }
}

void TrackText::append_to(std::string& out, std::span<const TrackValues> items) const {
  out.reserve(out.size() + bytes_ + item_bytes_ * items.size());
  for (std::size_t i = 0; i < items_begin_; ++i) append_piece(out, pieces_[i], items.front());
  if (repeats_items())
    for (std::size_t item = 0; item < items.size(); ++item)
      for (std::size_t i = items_begin_; i < items_end_; ++i)
        if (!pieces_[i].between || item + 1 < items.size()) append_piece(out, pieces_[i], items[item]);
  for (std::size_t i = items_end_; i < pieces_.size(); ++i) append_piece(out, pieces_[i], items.front());
}

bool TrackText::is_constant() const {
  return !repeats_items() &&
         std::none_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.variable.has_value(); });
}

bool TrackText::uses_dates() const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& piece) { return piece.variable && *piece.variable != TrackVariable::remito; });
}

}  // namespace remitod::carriers
