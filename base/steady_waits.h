#pragma once

// Has Abseil's waits, and with them all of gRPC's, last by the steady clock.
//
// Abseil 20220623 turns "in 5 s" into a time of the wall clock, and waits for that: after the wall
// clock was set back by a minute, gRPC's timers ring a minute late. What depends on them is late as
// well: alarms, deadlines, keepalive, connection ages, reconnection, every queue that more than one
// thread polls. Later Abseils wait by the steady clock themselves. This does the same by the means
// that Abseil offers for it: the two functions that let a thread sleep and wake it are weak, and a
// program may bring its own.
//
// They reach Abseil where a program is linked with this: a program, not a library that is loaded at
// run time, whose definitions come too late.

namespace ferrite {

// Whether Abseil's waits last by the steady clock in this process. Asking for it is also what links
// the functions. Thread-safe.
bool WaitsAreSteady();

}  // namespace ferrite
