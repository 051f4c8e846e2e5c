#include "carriers/template_names.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "carriers/escape.h"
#include "carriers/nearest_word.h"
#include "carriers/template_functions.h"

namespace remitod::carriers {
namespace {

struct Tag {
  std::size_t offset = 0;
  char sigil = 0;  ///< '#', '^', '/' or another of mustache's; 0: a variable
  std::string_view name;
};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_index(std::string_view segment) {
  return !segment.empty() && segment.find_first_not_of("0123456789") == std::string_view::npos;
}

/// What may be named, and how where "recipient.address.street" would not do: {{#items}}{{remito}}{{/items}}.
struct Known {
  std::string path, form;
};

/// Where names stand: behind what in a path and in a variable, and in which sections.
struct Place {
  std::string path, variable, open, close;
};

void collect(const NameTree& names, const Place& at, std::vector<Known>& known) {
  for (const auto& [name, child] : names.members) {
    const std::string variable = at.variable + name;
    const std::string begin = at.open + "{{#" + variable + "}}", end = "{{/" + variable + "}}" + at.close;
    const bool is_lambda = child.kind == NameTree::Kind::lambda, is_list = child.kind == NameTree::Kind::list;
    known.push_back({at.path + name, at.open.empty() ? ""
                                     : is_lambda     ? begin + "..." + end
                                                     : at.open + "{{" + variable + "}}" + at.close});
    const std::string behind = find_function(name) ? "text" : "";  // {{#key}} is before what it is the key of
    if (is_lambda || is_list) collect(child, {at.path + name + ".", "", begin, behind + end}, known);
    if (is_lambda) continue;
    const std::string dot = is_list ? ".0." : ".";
    collect(child, {at.path + name + dot, variable + dot, at.open, at.close}, known);
  }
}

class Checker {
 public:
  Checker(std::string_view text, const NameTree& names) : text_(text), scopes_{&names} {}

  std::vector<TemplateError> run() {
    check_characters();
    std::size_t at = 0;
    while (const std::optional<Tag> tag = next_tag(at)) check(*tag);
    for (const Tag& open : open_) fail(open, "is never closed: {{/" + std::string(open.name) + "}} is missing");
    return std::move(errors_);
  }

 private:
  void fail(std::size_t offset, std::string message) { errors_.push_back({offset, std::move(message)}); }
  void fail(const Tag& tag, const std::string& message) {
    const std::string sigil = tag.sigil ? std::string(1, tag.sigil) : std::string{};
    fail(tag.offset, "{{" + sigil + std::string(tag.name) + "}} " + message);
  }

  void check_characters() {
    for (std::size_t at = 0; at < text_.size(); ++at) {
      const char c = text_[at];
      if (c != '\t' && c != '\n' && c != '\r' && has_control_characters({&c, 1}))
        return fail(at, "a template holds no control characters");
    }
  }

  std::optional<Tag> next_tag(std::size_t& at) {
    const std::size_t begin = text_.find("{{", at);
    if (begin == std::string_view::npos) return std::nullopt;
    if (text_.substr(begin).starts_with("{{{")) {
      fail(begin,
           "'{{{' is not allowed: values are always escaped (where a brace stands before a variable, put a blank "
           "between them)");
      const std::size_t end = text_.find("}}}", begin);
      at = end == std::string_view::npos ? text_.size() : end + 3;
      return next_tag(at);
    }
    const std::size_t end = text_.find("}}", begin + 2);
    if (end == std::string_view::npos) {
      fail(begin, "'{{' without '}}'");
      return std::nullopt;
    }
    at = end + 2;
    std::string_view content = trim(text_.substr(begin + 2, end - begin - 2));
    Tag tag{begin, 0, content};
    if (!content.empty() && std::string_view{"#^/!&>="}.find(content.front()) != std::string_view::npos) {
      tag.sigil = content.front();
      tag.name = trim(content.substr(1));
    }
    return tag;
  }

  void check(const Tag& tag) {
    switch (tag.sigil) {
      case '!':
        return;
      case '&':
        return fail(tag, "is not allowed: values are always escaped");
      case '>':
        return fail(tag, "is not allowed: there are no partials");
      case '=':
        return fail(tag, "is not allowed: the delimiters are {{ and }}");
      case '#':
      case '^':
        return open(tag);
      case '/':
        return close(tag);
      default:
        return variable(tag);
    }
  }

  void variable(const Tag& tag) {
    const NameTree* node = resolve(tag.name);
    if (!node) return unknown(tag);
    if (node->kind == NameTree::Kind::unlisted) return unlisted(tag);
    if (node->kind != NameTree::Kind::text)
      fail(tag, "is a section: write {{#" + std::string(tag.name) + "}}...{{/" + std::string(tag.name) + "}}");
  }

  void open(const Tag& tag) {
    const NameTree* node = resolve(tag.name);
    if (!node) unknown(tag);
    if (node && node->kind == NameTree::Kind::unlisted) unlisted(tag);
    if (node && node->kind == NameTree::Kind::lambda && tag.sigil == '^') fail(tag, "cannot be inverted");
    open_.push_back(tag);
    // An unknown section opens the scope around it once more, so that the names inside are judged as they stand.
    const bool enters = node && tag.sigil == '#' && !node->members.empty();
    scopes_.push_back(enters ? node : scopes_.back());
  }

  void close(const Tag& tag) {
    if (open_.empty()) return fail(tag, "closes nothing");
    if (open_.back().name != tag.name)
      return fail(tag, "stands where {{/" + std::string(open_.back().name) + "}} is expected");
    open_.pop_back();
    scopes_.pop_back();
  }

  void unlisted(const Tag& tag) {
    fail(tag, "is a field of the payload: list it under `required` or `optional` of this operation");
  }

  void unknown(const Tag& tag) {
    std::vector<Known> known;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) collect(**scope, {}, known);
    // What was written is no help, where another name of a nearer scope hides it.
    std::erase_if(known, [&](const Known& one) { return one.path == tag.name && one.form.empty(); });
    std::vector<std::string> paths;
    std::ranges::transform(known, std::back_inserter(paths), &Known::path);
    // Out of its scope, a name is most likely the end of a known path.
    const auto whole = std::ranges::find_if(
        paths, [&](const std::string& path) { return path.ends_with("." + std::string(tag.name)); });
    const std::optional<std::string> nearest =
        nearest_word(whole == paths.end() ? tag.name : std::string_view{*whole}, paths);
    if (!nearest) return fail(tag, "is not a variable here");
    const std::string form = std::ranges::find(known, *nearest, &Known::path)->form;
    fail(tag, "is not a variable here (did you mean " + (form.empty() ? "'" + *nearest + "'" : form) + "?)");
  }

  // As the mustache specification has it: the innermost scope that knows the first segment decides. What is not listed
  // is not there when the template is filled, and hides nothing.
  const NameTree* resolve(std::string_view name) const {
    const std::string_view segment = name.substr(0, name.find('.'));
    const std::string_view first = listed_name(segment);
    const NameTree* unlisted = nullptr;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      const auto found = (*scope)->members.find(first);
      if (found == (*scope)->members.end()) continue;
      const NameTree* const node =
          segment.size() == name.size() ? &found->second : descend(found->second, name.substr(segment.size() + 1));
      if (found->second.kind != NameTree::Kind::unlisted) return node;
      unlisted = &found->second;
    }
    return unlisted;
  }

  static const NameTree* descend(const NameTree& node, std::string_view path) {
    if (node.kind == NameTree::Kind::unlisted) return &node;
    const std::size_t dot = path.find('.');
    const std::string_view segment = path.substr(0, dot);
    if (node.kind == NameTree::Kind::list && is_index(segment))
      return dot == std::string_view::npos ? nullptr : member(node, path.substr(dot + 1));
    return node.kind == NameTree::Kind::group ? member(node, path) : nullptr;
  }

  static const NameTree* member(const NameTree& node, std::string_view path) {
    const std::string_view segment = path.substr(0, path.find('.'));
    const auto found = node.members.find(segment);
    if (found == node.members.end()) return nullptr;
    return segment.size() == path.size() ? &found->second : descend(found->second, path.substr(segment.size() + 1));
  }

  std::string_view text_;
  std::vector<const NameTree*> scopes_;
  std::vector<Tag> open_;
  std::vector<TemplateError> errors_;
};

}  // namespace

std::vector<TemplateError> check_template(std::string_view text, const NameTree& names) {
  return Checker(text, names).run();
}

}  // namespace remitod::carriers
