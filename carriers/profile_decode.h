// How the answers of an operation are written: the keys of [track.answer] and its like that say what decode() needs.
// Private to carriers/; README.md lists the keys.
#pragma once

#include "carriers/answer.h"
#include "carriers/table_reader.h"

namespace remitod::carriers {

/// Reads format, charset and what belongs to the format. What is wrong is reported to the reader's log.
DecodeOptions read_decode_options(TableReader& answer);

}  // namespace remitod::carriers
