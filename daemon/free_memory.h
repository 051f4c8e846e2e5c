// What the C library keeps of memory that was freed.
#pragma once

namespace remitod::daemon {

/// Large pieces are taken from the system by themselves and go back at once. (The library would move that limit up with
/// the first of them that is freed, and then keep them among the small ones.) Once, at the start.
void keep_large_pieces_apart();

/// Gives it back to the system where it is much: after an evening at which a carrier publishes for everybody, most of
/// what that took lies free in one arena or another, for as long as something small above it lives. Takes milliseconds,
/// in which an arena may be locked. Any thread.
void give_back_free_memory();

}  // namespace remitod::daemon
