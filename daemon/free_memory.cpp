#include "daemon/free_memory.h"

#include <malloc.h>

#include <cstddef>

namespace remitod::daemon {
namespace {

// Less than that is used again before it is missed.
constexpr std::size_t worth_a_walk = 8u << 20;

constexpr int large_piece = 256 << 10;
constexpr int kept_at_an_end = 1 << 20;

}  // namespace

void keep_large_pieces_apart() {
  mallopt(M_MMAP_THRESHOLD, large_piece);
  mallopt(M_TRIM_THRESHOLD, kept_at_an_end);
}

void give_back_free_memory() {
  if (mallinfo2().fordblks > worth_a_walk) malloc_trim(0);
}

}  // namespace remitod::daemon
