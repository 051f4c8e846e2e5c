// Sets of rows for one statement: a JSON text parameter, read by jsonb_to_recordset on PostgreSQL and json_each on
// SQLite. SOCI's vectors would send one statement a row.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace remitod::db {

/// The parameter. Invalid UTF-8 is replaced, never an error: a carrier's bytes must not stop a whole batch.
std::string to_parameter(const nlohmann::json& rows);

/// Text from outside without the zero characters that PostgreSQL cannot hold.
std::string storable(std::string_view text);

std::string ids_parameter(std::span<const std::int64_t> ids);
std::string texts_parameter(std::span<const std::string> texts);

}  // namespace remitod::db
