// A broken invariant stops the program: going on would ask a carrier for the wrong thing.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace remitod::scheduler {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "remitod: scheduler: broken invariant: %s\n", what);
  std::abort();
}

}  // namespace remitod::scheduler
