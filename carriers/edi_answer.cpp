// EDIFACT and X12 answers -> the document tree. Carriers' programs forget trailers and count wrong, and files arrive
// cut off: what can be read is read, and told.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "carriers/document_tree.h"
#include "carriers/edi_syntax.h"
#include "carriers/excerpt.h"

namespace remitod::carriers {
namespace {

/// What a header segment opens and a trailer closes. The trailer's first element counts what stands between, its second
/// repeats the header's control number.
struct Envelope {
  std::string_view header;
  std::string_view trailer;
  const char* element;
  std::size_t control;  ///< which element of the header is the control number, from 1
};

using Envelopes = std::array<Envelope, 3>;  // from the outermost on; the last holds segments, the others envelopes

std::string_view tag_of(std::string_view segment, const EdiSyntax& syntax) {
  const char ends[] = {syntax.element, syntax.component};
  return segment.substr(0, segment.find_first_of({ends, 2}));
}

/// The element at a place from 1 on, as written, with its components.
std::string_view element_of(std::string_view segment, std::size_t place, const EdiSyntax& syntax) {
  std::optional<std::string_view> rest = segment;
  std::string_view element = cut(rest, syntax.element, syntax.release);
  for (; place > 0; --place) {
    if (!rest) return {};
    element = cut(rest, syntax.element, syntax.release);
  }
  return element;
}

/// Writes segments one after the other, below the envelopes and groups that they stand in.
class EdiWriter {
 public:
  EdiWriter(const Envelopes& envelopes, pugi::xml_node root, TreeBuilder& builder)
      : envelopes_(envelopes), builder_(builder), root_(root) {}

  void write(std::string_view segment, const EdiSyntax& syntax) {
    const std::string_view tag = tag_of(segment, syntax);
    for (std::size_t level = 0; level < envelopes_.size(); ++level) {
      if (tag == envelopes_[level].header) return open_envelope(level, segment, syntax);
      if (tag == envelopes_[level].trailer) return close_envelope(level, segment, syntax);
    }
    if (!open_.empty()) ++open_.back().segments;
    place_in_group(tag);
    write_segment(here(), segment, tag, syntax);
  }

  bool is_trailer(std::string_view segment, const EdiSyntax& syntax) const {
    const std::string_view tag = tag_of(segment, syntax);
    return std::ranges::any_of(envelopes_, [&](const Envelope& envelope) { return envelope.trailer == tag; });
  }

  void end() { close_from(0); }

 private:
  struct Open {
    std::size_t level;
    pugi::xml_node node;
    std::string control;
    std::size_t segments = 1;   ///< with the header
    std::size_t envelopes = 0;  ///< directly in it
  };

  struct Group {
    std::string_view path;  ///< as the profile has it, "CNI/STS"
    pugi::xml_node node;
  };

  pugi::xml_node here() const {
    return !groups_.empty() ? groups_.back().node : open_.empty() ? root_ : open_.back().node;
  }

  bool is_within_message() const { return !open_.empty() && open_.back().level + 1 == envelopes_.size(); }

  void open_envelope(std::size_t level, std::string_view segment, const EdiSyntax& syntax) {
    close_from(level);
    if (!open_.empty()) ++open_.back().envelopes;
    const pugi::xml_node node = builder_.append(here(), envelopes_[level].element);
    open_.push_back({level, node, std::string(element_of(segment, envelopes_[level].control, syntax))});
    write_segment(node, segment, envelopes_[level].header, syntax);
  }

  void close_envelope(std::size_t level, std::string_view segment, const EdiSyntax& syntax) {
    const Envelope& envelope = envelopes_[level];
    close_from(level + 1);
    groups_.clear();
    const bool is_open = !open_.empty() && open_.back().level == level;
    write_segment(here(), segment, envelope.trailer, syntax);
    if (!is_open) {
      builder_.note(std::string(envelope.trailer) + " without " + std::string(envelope.header));
      return;
    }
    check_trailer(open_.back(), element_of(segment, 1, syntax), element_of(segment, 2, syntax));
    open_.pop_back();
  }

  void check_trailer(const Open& open, std::string_view count, std::string_view control) {
    const bool holds_segments = open.level + 1 == envelopes_.size();
    const std::size_t counted = holds_segments ? open.segments + 1 : open.envelopes;
    std::size_t stated = 0;
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), stated);
    if (error != std::errc{} || end != count.data() + count.size() || stated != counted)
      builder_.note(name_of(open) + ": says that it holds " + excerpt(count, 0, 20) + ", and holds " +
                    std::to_string(counted));
    if (control != open.control) builder_.note(name_of(open) + ": its trailer is numbered " + excerpt(control, 0, 20));
  }

  /// Closes the envelopes from `level` inwards, whose trailers did not come.
  void close_from(std::size_t level) {
    while (!open_.empty() && open_.back().level >= level) {
      const std::string_view trailer = envelopes_[open_.back().level].trailer;
      builder_.note(name_of(open_.back()) + ": ends without its trailer " + std::string(trailer));
      open_.pop_back();
      groups_.clear();
    }
  }

  /// "transaction 0001"
  std::string name_of(const Open& open) const {
    return envelopes_[open.level].element + (" " + excerpt(open.control, 0, 40));
  }

  /// Opens the group that a segment begins, in the innermost open group that it may stand in.
  void place_in_group(std::string_view tag) {
    if (!is_within_message()) return;
    for (std::size_t depth = groups_.size() + 1; depth-- > 0;) {
      const std::string_view parent = depth == 0 ? std::string_view{} : groups_[depth - 1].path;
      for (const std::string& path : builder_.options().segment_groups) {
        if (!is_path(path, parent, tag)) continue;
        groups_.resize(depth);
        const std::string name = element_name(tag) + "_group";
        groups_.push_back({path, builder_.append(here(), name.c_str())});
        return;
      }
    }
  }

  static bool is_path(std::string_view path, std::string_view parent, std::string_view tag) {
    if (parent.empty()) return path == tag;
    return path.size() == parent.size() + 1 + tag.size() && path.starts_with(parent) && path.ends_with(tag) &&
           path[parent.size()] == '/';
  }

  void write_segment(pugi::xml_node parent, std::string_view segment, std::string_view tag, const EdiSyntax& syntax) {
    const pugi::xml_node node = builder_.append(parent, element_name(tag).c_str());
    std::optional<std::string_view> rest = segment.substr(tag.size());
    cut(rest, syntax.element, syntax.release);
    for (std::size_t place = 1; rest && !builder_.error(); ++place) {
      std::optional<std::string_view> repeated = cut(rest, syntax.element, syntax.release);
      while (repeated) write_element(node, place, cut(repeated, syntax.repetition, syntax.release), syntax);
    }
  }

  void write_element(pugi::xml_node segment, std::size_t place, std::string_view element, const EdiSyntax& syntax) {
    if (element.empty()) return;
    const pugi::xml_node node = builder_.append(segment, ("e" + std::to_string(place)).c_str());
    std::optional<std::string_view> rest = element;
    for (std::size_t component = 1; rest && !builder_.error(); ++component) {
      const std::string_view text =
          without_release(cut(rest, syntax.component, syntax.release), syntax.release, scratch_);
      if (!text.empty()) builder_.append_text(node, ("c" + std::to_string(component)).c_str(), text);
    }
  }

  const Envelopes& envelopes_;
  TreeBuilder& builder_;
  pugi::xml_node root_;
  std::vector<Open> open_;
  std::vector<Group> groups_;  ///< of the message
  std::string scratch_;
};

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\x1a"), text.size()));
}

/// What tells the two standards apart.
struct Standard {
  const char* root;
  Envelopes envelopes;
  std::array<std::string_view, 2> starts;  ///< of an interchange
  /// Of the interchange at the beginning of a text, and how many bytes say so that are no segment.
  std::optional<EdiSyntax> (*syntax)(std::string_view text, std::size_t& advice_bytes);

  bool begins_interchange(std::string_view text) const {
    return text.starts_with(starts[0]) || text.starts_with(starts[1]);
  }
};

constexpr Standard edifact{
    "edifact",
    {{{"UNB", "UNZ", "interchange", 5}, {"UNG", "UNE", "functional_group", 5}, {"UNH", "UNT", "message", 1}}},
    {"UNA", "UNB"},
    edifact_syntax};
constexpr Standard x12{
    "x12",
    {{{"ISA", "IEA", "interchange", 13}, {"GS", "GE", "functional_group", 6}, {"ST", "SE", "transaction", 2}}},
    {"ISA", "ISA"},
    x12_syntax};

/// Reads segments until the text ends or the next interchange begins, which may have other separators.
void read_interchange(std::string_view& text, const EdiSyntax& syntax, const Standard& standard, EdiWriter& writer,
                      TreeBuilder& builder) {
  for (bool is_first = true; !builder.error(); is_first = false) {
    skip_blanks(text);
    if (text.empty() || (standard.begins_interchange(text) && !is_first)) return;
    const std::size_t end = find_unreleased(text, 0, syntax.terminator, syntax.release);
    const std::string_view segment = text.substr(0, end);
    text.remove_prefix(std::min(segment.size() + 1, text.size()));
    if (end == std::string_view::npos && !writer.is_trailer(segment, syntax))
      builder.note("the last segment has no end and is left out: '" + excerpt(segment, 0, 60) + "'");
    else if (!segment.empty())
      writer.write(segment, syntax);
  }
}

void read_edi(std::string_view text, const Standard& standard, TreeBuilder& builder) {
  constexpr std::size_t header_bytes = 106;  // of ISA; no header of EDIFACT's is longer to its separators
  const std::string_view whole = text;
  EdiWriter writer(standard.envelopes, builder.append(builder.tree(), standard.root), builder);
  for (skip_blanks(text); !text.empty() && !builder.error(); skip_blanks(text)) {
    std::size_t advice_bytes = 0;
    const std::optional<EdiSyntax> syntax = standard.syntax(text, advice_bytes);
    if (syntax) {
      text.remove_prefix(advice_bytes);
      read_interchange(text, *syntax, standard, writer, builder);
      continue;
    }
    const bool cut_off = standard.begins_interchange(text) && text.size() < header_bytes;
    DecodeError error =
        wrong_at(cut_off ? DecodeError::Kind::truncated : DecodeError::Kind::malformed, whole,
                 whole.size() - text.size(), "no interchange begins here (" + std::string(standard.starts[1]) + ")");
    if (text.size() == whole.size()) return builder.fail(std::move(error));
    builder.note(std::move(error.message));  // the interchanges before it are whole
    break;
  }
  writer.end();
}

}  // namespace

void read_edifact(std::string_view text, TreeBuilder& builder) {
  read_edi(text, edifact, builder);
}

void read_x12(std::string_view text, TreeBuilder& builder) {
  read_edi(text, x12, builder);
}

}  // namespace remitod::carriers
