#include "carriers/template.h"

#include <algorithm>

#include "carriers/template_marks.h"

namespace remitod::carriers {
namespace {

/// What is known only when the request goes out, as marks.
void add_marks(JsonValue& data, std::span<const std::string> session) {
  for (unsigned i = 0; i < variable_names.size(); ++i)
    data.members.emplace(variable_names[i], JsonValue::of_text(mark::hole(i)));  // a value that is known stays
  JsonValue values = JsonValue::of_object();
  auto number = static_cast<unsigned>(variable_names.size());
  for (const std::string& name : session) values.members.emplace(name, JsonValue::of_text(mark::hole(number++)));
  data.members.insert_or_assign("session", std::move(values));
}

}  // namespace

/// Reads a rendered text from mark to mark. Each mark ends the piece before it.
class Cutter {
 public:
  std::expected<CutText, RenderError> run(std::string_view rendered) {
    while (!rendered.empty() && problem_.empty()) {
      const std::size_t plain = std::min(rendered.find_first_of(mark::boundaries), rendered.size());
      piece_.literal = rendered.substr(0, plain);
      rendered.remove_prefix(plain);
      if (!rendered.empty()) rendered.remove_prefix(read_mark(rendered));
    }
    if (!problem_.empty()) return std::unexpected(RenderError{"", std::move(problem_)});
    finish_piece();
    if (text_.pieces_.empty()) text_.pieces_.emplace_back();
    estimate_bytes();
    return std::move(text_);
  }

 private:
  using Then = CutText::Piece::Then;
  struct OpenFunction {
    unsigned number = 0;
    bool has_key = false;
  };

  /// Returns the bytes of the mark.
  std::size_t read_mark(std::string_view rendered) {
    switch (rendered.front()) {
      case mark::hole_begin: {
        const std::size_t end = rendered.find(mark::hole_end);
        piece_.then = Then::variable;
        piece_.number = mark::index_of(rendered[1]);
        note_name();
        read_escapes(rendered.substr(2, end - 2));
        return end + 1;
      }
      case mark::function_begin:
        piece_.then = Then::function_begin;
        piece_.number = mark::index_of(rendered[1]);
        open_.push_back({piece_.number, false});
        finish_piece();
        return 2;
      case mark::function_end: {
        const std::size_t end = rendered.find(mark::hole_end);
        close_function();
        read_escapes(rendered.substr(1, end - 1));
        return end + 1;
      }
      default:
        read_boundary(rendered.front());
        return 1;
    }
  }

  void read_escapes(std::string_view letters) {
    for (const char letter : letters) piece_.escapes.push_back(static_cast<Escape>(mark::index_of(letter)));
    finish_piece();
  }

  void close_function() {
    piece_.then = Then::function_end;
    piece_.number = open_.back().number;
    const FunctionRow& row = template_functions()[piece_.number];
    const std::string name = "{{#" + std::string(row.name) + "}} ";
    if (row.takes_key && !open_.back().has_key) problem_ = name + "needs a key: {{#key}}...{{/key}} inside it";
    if (row.takes_format) check_format(name);
    open_.pop_back();
    if (row.gives_bytes && open_.empty())
      problem_ = name + "gives bytes, not text: it has to stand in another function, such as {{#base64}}";
    if (piece_.number == key_function() && !open_.empty()) open_.back().has_key = true;
  }

  void check_format(const std::string& name) {
    const bool is_literal = !text_.pieces_.empty() && text_.pieces_.back().then == Then::function_begin;
    const auto written = is_literal ? apply_function(piece_.number, piece_.literal, "", {})
                                    : std::unexpected(std::string("takes the format of a time, and no variable"));
    if (!written) problem_ = name + written.error();
  }

  void read_boundary(char boundary) {
    finish_piece();
    if (boundary == mark::items_begin) begin_items();
    if (boundary == mark::items_end && items_) end_items();
    if (boundary == mark::between_begin || boundary == mark::between_end)
      piece_.between = boundary == mark::between_begin;
    if (boundary == mark::next_page_begin || boundary == mark::next_page_end)
      piece_.next_page = boundary == mark::next_page_begin;
  }

  void begin_items() {
    if (items_) problem_ = "{{#items}} cannot stand inside another {{#items}}";
    items_ = {text_.pieces_.size(), 0, false};
  }

  /// A digest cannot be read back, and what stands between two or on further pages alone leaves one out.
  void note_name() {
    const auto digests = [](const OpenFunction& open) { return template_functions()[open.number].gives_digest; };
    const bool is_remito = piece_.number == static_cast<unsigned>(Variable::remito);
    if (items_ && is_remito && !piece_.between && !piece_.next_page && std::ranges::none_of(open_, digests))
      items_->names_each = true;
  }

  void end_items() {
    items_->end = text_.pieces_.size();
    if (items_->begin < items_->end) text_.items_.push_back(*items_);
    items_.reset();
  }

  void finish_piece() {
    const bool between = piece_.between, next_page = piece_.next_page;
    if (!piece_.literal.empty() || piece_.then != Then::nothing) text_.pieces_.push_back(std::move(piece_));
    piece_ = {};
    piece_.between = between;
    piece_.next_page = next_page;
  }

  void estimate_bytes() {
    constexpr std::size_t value_bytes = 32;  // a guess at a value's length: one allocation nearly always
    for (std::size_t i = 0; i < text_.pieces_.size(); ++i) {
      const bool in_items =
          std::ranges::any_of(text_.items_, [i](const CutText::Run& run) { return i >= run.begin && i < run.end; });
      (in_items ? text_.item_bytes_ : text_.bytes_) += text_.pieces_[i].literal.size() + value_bytes;
    }
  }

  CutText text_;
  CutText::Piece piece_;
  std::vector<OpenFunction> open_;
  std::string problem_;
  std::optional<CutText::Run> items_;  ///< that are open
};

/// Appends pieces, and applies functions to what was appended inside them.
class Filler {
 public:
  using Piece = CutText::Piece;
  Filler(std::string& out, const CallValues& call, std::string_view first_remito)
      : out_(out), call_(call), first_remito_(first_remito) {}

  void append(const Piece& piece, const ItemValues& item) {
    std::string& out = functions_.empty() ? out_ : functions_.back().content;
    out += piece.literal;
    switch (piece.then) {
      case Piece::Then::nothing:
        return;
      case Piece::Then::variable:
        return append_value(out, value_of(piece.number, item), piece.escapes);
      case Piece::Then::function_begin:
        functions_.emplace_back();
        return;
      case Piece::Then::function_end:
        return finish_function(piece, item);
    }
  }
  const std::string& problem() const { return problem_; }

 private:
  struct Open {
    std::string content, key;
  };

  static void append_value(std::string& out, std::string_view value, std::span<const Escape> escapes) {
    if (escapes.empty()) {
      out += value;
      return;
    }
    std::string escaped;
    for (; escapes.size() > 1; escapes = escapes.subspan(1)) {
      std::string once;
      append_escaped(once, value, escapes.front());
      escaped = std::move(once);
      value = escaped;
    }
    append_escaped(out, value, escapes.front());
  }

  void finish_function(const Piece& piece, const ItemValues& item) {
    const Open ended = std::move(functions_.back());
    functions_.pop_back();
    if (piece.number == key_function()) {
      functions_.back().key = ended.content;
      return;
    }
    TemplateTimes times = call_.times;
    times.registered = item.registered;
    const auto result = apply_function(piece.number, ended.content, ended.key, times);
    if (!result && problem_.empty()) problem_ = result.error();
    if (result) append_value(functions_.empty() ? out_ : functions_.back().content, *result, piece.escapes);
  }

  std::string_view value_of(unsigned number, const ItemValues& item) const {
    const std::string_view date{item.registered_date.data(), item.registered_date.size()};
    if (number >= variable_names.size()) return call_.session[number - variable_names.size()];
    switch (static_cast<Variable>(number)) {
      case Variable::remito:
        return item.remito;
      case Variable::registered_yy:
        return date.substr(2, 2);
      case Variable::registered_yyyy:
        return date.substr(0, 4);
      case Variable::registered_date:
        return date;
      case Variable::first_remito:
        return first_remito_;
      case Variable::uuid:
        return call_.uuid;
      case Variable::page:
        return call_.page;
      case Variable::cursor:
        return call_.cursor;
      case Variable::method:
        return call_.method;
      case Variable::url:
        return call_.url;
      case Variable::url_path:
        return call_.url_path;
      case Variable::url_query:
        return call_.url_query;
      case Variable::body:
        return call_.body;
    }
    return {};
  }

  std::string& out_;
  const CallValues& call_;
  std::string_view first_remito_;
  std::vector<Open> functions_;
  std::string problem_;
};

std::expected<CutText, RenderError> CutText::cut(const std::string& text, const JsonValue& data,
                                                 std::span<const std::string> session, const Rendering& rendering) {
  JsonValue all = data;
  add_marks(all, session);
  const std::expected<std::string, RenderError> rendered = render(text, all, rendering);
  if (!rendered) return std::unexpected(rendered.error());
  return Cutter().run(*rendered);
}

std::expected<void, std::string> CutText::append_to(std::string& out, const CallValues& call,
                                                    std::span<const ItemValues> items) const {
  static const ItemValues no_item;
  const ItemValues& first = items.empty() ? no_item : items.front();
  out.reserve(out.size() + bytes_ + item_bytes_ * items.size());
  Filler filler(out, call, first.remito);
  const auto append = [&](const Piece& piece, const ItemValues& item) {
    if (!piece.next_page || call.is_next_page) filler.append(piece, item);
  };
  std::size_t at = 0;
  for (const Run& run : items_) {
    for (; at < run.begin; ++at) append(pieces_[at], first);
    for (std::size_t item = 0; item < items.size(); ++item)
      for (at = run.begin; at < run.end; ++at)
        if (!pieces_[at].between || item + 1 < items.size()) append(pieces_[at], items[item]);
    at = run.end;  // without items, too
  }
  for (; at < pieces_.size(); ++at) append(pieces_[at], first);
  if (!filler.problem().empty()) return std::unexpected(filler.problem());
  return {};
}

bool CutText::is_constant() const {
  return pieces_.size() == 1 && pieces_.front().then == Piece::Then::nothing && !pieces_.front().next_page &&
         !repeats_items();
}

bool CutText::names_items() const {
  return std::ranges::any_of(items_, &Run::names_each);
}

bool CutText::uses(std::initializer_list<Variable> variables) const {
  return std::ranges::any_of(pieces_, [variables](const Piece& piece) {
    return piece.then == Piece::Then::variable &&
           std::ranges::any_of(variables, [&](Variable one) { return piece.number == static_cast<unsigned>(one); });
  });
}

void CutTemplate::note_uses(const CutText& text) {
  using enum Variable;
  uses_dates |= text.uses({registered_yy, registered_yyyy, registered_date});
  uses_url_parts |= text.uses({url_path, url_query});
  uses_uuid |= text.uses({uuid});
  uses_page |= text.uses({page});
}

std::expected<CutTemplate, RenderError> cut_template(const CallTemplate& request, const JsonValue& data) {
  CutTemplate result;
  result.method = request.method;
  result.body_charset = request.body_charset;
  result.body_escape = request.body_escape;
  result.timeout = request.timeout;
  result.first_page = request.first_page;
  result.session_values = request.session.size();
  std::optional<RenderError> error;
  const auto cut = [&](const std::string& text, Part part) {
    auto made = CutText::cut(text, data, request.session, {part, request.body_escape, request.base_url});
    if (!made && !error) error = made.error();
    return made ? *std::move(made) : CutText{};
  };
  result.url = cut(request.url, Part::url);
  result.note_uses(result.url);
  for (const auto& [name, value] : request.headers) {
    CutText header = cut(name + ": " + value, Part::header);
    result.note_uses(header);
    if (!header.is_constant())
      result.headers.push_back(std::move(header));
    else if (!is_blank(header.first_literal().substr(name.size() + 1)))
      result.constant_headers.emplace_back(header.first_literal());
  }
  if (request.body) result.note_uses(result.body.emplace(cut(*request.body, Part::body)));
  if (error) return std::unexpected(*std::move(error));
  return result;
}

}  // namespace remitod::carriers
