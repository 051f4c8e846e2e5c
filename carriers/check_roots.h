// XPaths that begin at the root of another format: /json/message in an answer that is read as XML. Private to
// carriers/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/answer.h"
#include "carriers/check.h"
#include "carriers/compiled.h"
#include "carriers/profile_lines.h"

namespace remitod::carriers {

/// The first element of an absolute path in the expression that is the root of no answer in this format: "/json".
/// An answer has the format that its profile states, whatever its Content-Type says. Paths that begin with // or a
/// wildcard are none of these, and of XML only the roots of the other formats are.
std::optional<std::string> foreign_root(std::string_view xpath, Format format);

/// One remark for each XPath that can find nothing for that.
std::vector<Remark> remarks_on_roots(const CompiledProfile& profile, const ProfileLines& lines);

}  // namespace remitod::carriers
