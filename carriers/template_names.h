// What a template may name. kainjow's mustache renders an unknown variable as nothing; here it is an error when the
// profile is loaded, so that a misspelt field never leaves a hole in an address.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace remitod::carriers {

/// The data of a template as a tree of names.
struct NameTree {
  enum class Kind : std::uint8_t {
    text,      ///< {{name}}, and {{#name}} or {{^name}} for whether it is there
    group,     ///< {{group.name}}, or {{#group}}{{name}}{{/group}}
    list,      ///< {{#list}}{{name}}{{/list}}, or {{list.0.name}}; `members` are those of each element
    lambda,    ///< {{#name}}...{{/name}} only; `members` may be named inside
    unlisted,  ///< a field that orders have and this profile does not list: it may not be named
  };
  Kind kind = Kind::group;
  std::map<std::string, NameTree, std::less<>> members;
};

/// `offset` counts bytes of the template.
struct TemplateError {
  std::size_t offset = 0;
  std::string message;
};

/// Everything that is wrong with a template: unknown names (with the nearest known one), sections that do not close,
/// and what is not part of the language: {{{triple}}} and {{&x}} (they would pass by the escaping), partials, other
/// delimiters, control characters.
std::vector<TemplateError> check_template(std::string_view text, const NameTree& names);

}  // namespace remitod::carriers
