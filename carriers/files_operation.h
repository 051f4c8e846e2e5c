// What [feed] with kind = "files" compiles to. Private to carriers/.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <vector>

#include "carriers/compiled.h"
#include "carriers/file_feed.h"

namespace remitod::carriers {

struct FilesOperation {
  FileFeed feed;
  std::vector<std::unique_ptr<RE2>> names;  ///< a file is read where its whole name matches them all
  ReportRules reports;
};

/// How the answers of a feed are read, whether it comes as files or is asked for. Null: there is none.
const ReportRules* feed_rules(const CompiledProfile& profile);

}  // namespace remitod::carriers
