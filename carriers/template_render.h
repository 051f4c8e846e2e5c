// Mustache (kainjow) with our escaping. The only place that knows the library.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "carriers/escape.h"
#include "carriers/json_value.h"

namespace remitod::carriers {

/// Where a template stands in a request.
enum class Part : std::uint8_t { url, header, body };

struct Rendering {
  Part part = Part::body;
  Escape escape = Escape::none;  ///< of variables; URLs are always percent-encoded, headers never escaped
  std::string_view base_url;     ///< {{base_url}}: verbatim in a URL, escaped elsewhere
};

struct RenderError {
  std::string name;  ///< the variable whose value was refused
  std::string message;
};

/// Names resolve as the mustache specification has it (the innermost scope that knows the first segment decides), a
/// number steps into a list. What is empty (JsonValue::is_empty) renders as nothing and as a section is absent.
/// {{#as_xml_text}} and {{#as_json_text}} render their content as a document of that kind, and escape it as the place
/// where it stands needs it. Control characters in a value are refused in a URL and in a header.
///
/// `text` has passed check_template. Marks (template_marks.h) in values come out as marks.
std::expected<std::string, RenderError> render(const std::string& text, const JsonValue& data,
                                               const Rendering& rendering);

}  // namespace remitod::carriers
