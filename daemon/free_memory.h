// What the C library keeps of memory that was freed.
#pragma once

namespace remitod::daemon {

/// Gives it back to the system where it is much: after an evening at which a carrier publishes for everybody, most of
/// what that took lies free in one arena or another, for as long as something small above it lives. Takes milliseconds,
/// in which an arena may be locked. Any thread.
void give_back_free_memory();

}  // namespace remitod::daemon
