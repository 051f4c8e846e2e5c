// The files of the status page (page/), which are in the program.
#pragma once

#include <string_view>

namespace remitod::daemon {

struct PageFile {
  std::string_view path;  ///< "/page.js"
  std::string_view content_type;
  std::string_view content;
};

/// Null where there is none of that path.
const PageFile* page_file(std::string_view path);

}  // namespace remitod::daemon
