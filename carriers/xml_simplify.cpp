#include "carriers/xml_simplify.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace remitod::carriers {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// As pugixml has it: beyond ASCII everything is a letter.
constexpr std::array<bool, 256> name_characters = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c)
    table[c] = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  for (const char c : {'_', ':', '-', '.'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool begins_name(char c) {
  return name_characters[static_cast<unsigned char>(c)] && c != '-' && c != '.' && !(c >= '0' && c <= '9');
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos || colon + 1 == name.size() || !begins_name(name[colon + 1])) return name;
  return name.substr(colon + 1);
}

class Simplifier {
 public:
  Simplifier(std::string_view text, std::size_t depth, char* to, TreeBuilder& builder)
      : text_(text), base_(depth), depth_(depth), builder_(builder), begin_(to), out_(to) {}

  std::optional<std::size_t> run() {
    for (take_text(); at_ < text_.size(); take_text())
      if (!take_markup() || builder_.error()) return std::nullopt;
    return static_cast<std::size_t>(out_ - begin_);
  }

 private:
  /// Writes up to `end`.
  void write(std::size_t end) {
    std::memcpy(out_, text_.data() + at_, end - at_);
    out_ += end - at_;
    at_ = end;
  }

  void write(std::string_view piece) {
    std::memcpy(out_, piece.data(), piece.size());
    out_ += piece.size();
  }

  void take_text() {
    const std::size_t end = std::min(text_.find('<', at_), text_.size());
    const std::string_view run = text_.substr(at_, end - at_);
    if (depth_ > 0 && !std::ranges::all_of(run, is_blank)) builder_.count_nodes(1);
    write(end);
  }

  // These take one piece each, and give false where it is not well formed.

  bool take_markup() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("</")) return take_end_tag();
    if (rest.starts_with("<!--")) return take_from_to("<!--", "-->");
    if (rest.starts_with("<![CDATA[")) return builder_.count_nodes(1) && take_from_to("<![CDATA[", "]]>");
    if (rest.starts_with("<?")) return take_from_to("<?", "?>");
    if (rest.starts_with("<!")) return take_declaration();
    return take_start_tag();
  }

  /// <!DOCTYPE, with the declarations that stand in it.
  bool take_declaration() {
    std::size_t open = 0;
    for (std::size_t at = at_; at < text_.size(); ++at) {
      const std::string_view rest = text_.substr(at);
      const bool quoted = rest[0] == '"' || rest[0] == '\'';
      if (quoted || rest.starts_with("<!--")) {
        const std::string_view open_mark = quoted ? rest.substr(0, 1) : "<!--";
        const std::string_view close = quoted ? open_mark : "-->";
        at = text_.find(close, at + open_mark.size());
        if (at == std::string_view::npos) return false;
        at += close.size() - 1;
      } else if (rest[0] == '<') {
        ++open;
      } else if (rest[0] == '>' && --open == 0) {
        write(at + 1);
        return true;
      }
    }
    return false;
  }

  /// "<!-->" opens a comment and does not close it.
  bool take_from_to(std::string_view open, std::string_view close) {
    const std::size_t end = text_.find(close, at_ + open.size());
    if (end == std::string_view::npos) return false;
    write(end + close.size());
    return true;
  }

  /// The name at at_, behind which at_ then is.
  std::string_view take_name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && name_characters[static_cast<unsigned char>(text_[at_])]) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool take_end_tag() {
    write(at_ + 2);
    write(local_name(take_name()));
    skip_blanks();
    if (depth_ == base_ || !text_.substr(at_).starts_with('>')) return false;
    --depth_;
    write(at_ + 1);
    return true;
  }

  bool take_start_tag() {
    if (depth_ >= builder_.options().depth_max) builder_.fail(too_deep(builder_.options()));
    if (!builder_.count_nodes(1)) return false;
    write(at_ + 1);
    write(local_name(take_name()));
    while (at_ < text_.size() && is_blank(text_[at_])) {
      skip_blanks();
      if (at_ < text_.size() && begins_name(text_[at_]) && !take_attribute()) return false;
    }
    if (text_.substr(at_).starts_with('>')) {
      ++depth_;
      write(at_ + 1);
      return true;
    }
    if (!text_.substr(at_).starts_with("/>")) return false;
    write(at_ + 2);
    return true;
  }

  bool take_attribute() {
    const std::string_view name = take_name();
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != '=') return false;
    ++at_;
    skip_blanks();
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return false;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    const std::string_view value = text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    if (name == "xmlns" || name.starts_with("xmlns:")) return true;
    builder_.count_nodes(1);
    write(" ");
    write(local_name(name));
    write("=");
    write(value);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t base_;
  std::size_t depth_;
  TreeBuilder& builder_;
  char* begin_;
  char* out_;
};

}  // namespace

std::optional<std::size_t> simplify_xml(std::string_view text, std::size_t depth, char* to, TreeBuilder& builder) {
  return Simplifier(text, depth, to, builder).run();
}

}  // namespace remitod::carriers
