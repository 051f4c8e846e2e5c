// What servers answer when they are asked what is in a folder. Pure. Private to carriers/.
//
// Each line is read by itself, in whichever of these forms it is:
//   MLSD (RFC 3659): `type=file;size=812;modify=20261123210405; EVENTS.csv`
//   as ls -l writes it, which SFTP servers and most FTP servers do:
//     `-rw-r--r--    1 1000  1000      812 Nov 23 21:04 EVENTS.csv`
//   or with the day first:
//     `-rw-r--r--   1 0        0             812 23 Nov 21:04 EVENTS.csv`
//   as DIR writes it, which FTP servers of Windows do: `11-23-26  09:04PM       812 EVENTS.csv`
#pragma once

#include <expected>
#include <string_view>

#include "carriers/file_transport.h"

namespace remitod::carriers {

std::expected<FileListing, FetchError> read_listing(std::string_view text);

/// May a file be called so? Else it cannot be asked for, or not be told about.
bool is_file_name(std::string_view name);

}  // namespace remitod::carriers
