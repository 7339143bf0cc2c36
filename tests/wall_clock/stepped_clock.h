#pragma once

// A wall clock that a test sets while the program under test waits for it.
//
// stepped_clock.cc takes the place of libc's functions, by LD_PRELOAD or because it is linked into
// the program. As the kernel does, it has waits for a time of the wall clock end when the clock
// that was set says so; nothing else notices. STEPPED_CLOCK_FILE may name a file of 8 bytes that
// holds by how many nanoseconds the clock is ahead (negative: behind), so that a test can set the
// clock of another process.

#include <cstdint>

// Sets the clock of this process ahead by so much of what it really is.
extern "C" void SetWallClockAhead(int64_t ns);
