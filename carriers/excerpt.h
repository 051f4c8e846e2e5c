// A piece of what a carrier sent, fit for a log line. Private to carriers/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace remitod::carriers {

/// At most `bytes_max` bytes of `text` from `offset` on, in whole characters: runs of blanks and control characters as
/// one blank, bytes that are no UTF-8 as "\xF3", and "..." where something was left out.
std::string excerpt(std::string_view text, std::size_t offset, std::size_t bytes_max);

}  // namespace remitod::carriers
