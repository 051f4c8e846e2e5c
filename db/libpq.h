// What we ask of libpq itself, beside SOCI.
#pragma once

struct pg_conn;  // PGconn

namespace remitod::db {

/// False when the server has hung up, as far as can be told without asking it: reads what has already arrived.
bool still_connected(pg_conn* connection);

}  // namespace remitod::db
