// The keys of [feed] where kind = "files": the folder, how to get in, which files are read and what becomes of them.
// Private to carriers/; README.md lists the keys.
#pragma once

#include <memory>

#include "carriers/files_operation.h"
#include "carriers/profile_parts.h"

namespace remitod::carriers {

/// Does this [feed] read files?
bool is_file_feed(TableReader& feed);

/// What is wrong is reported to the reader's log. `transport` is what [transport] says.
std::shared_ptr<const FilesOperation> load_file_feed(TableReader& feed, const LoadContext& context,
                                                     const TransportOptions& transport);

}  // namespace remitod::carriers
