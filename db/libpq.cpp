#include "db/libpq.h"

#include <libpq-fe.h>
#include <poll.h>

namespace remitod::db {

bool still_connected(pg_conn* connection) {
  // A server that ends a connection says so first: the end itself is behind its farewell.
  pollfd polled{PQsocket(connection), POLLIN, 0};
  while (PQstatus(connection) == CONNECTION_OK && ::poll(&polled, 1, 0) > 0)
    if (PQconsumeInput(connection) == 0) return false;
  return PQstatus(connection) == CONNECTION_OK;
}

}  // namespace remitod::db
