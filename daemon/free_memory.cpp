#include "daemon/free_memory.h"

#include <malloc.h>

#include <cstddef>

namespace remitod::daemon {
namespace {

// Less than that is used again before it is missed.
constexpr std::size_t worth_a_walk = 8u << 20;

}  // namespace

void give_back_free_memory() {
  if (mallinfo2().fordblks > worth_a_walk) malloc_trim(0);
}

}  // namespace remitod::daemon
