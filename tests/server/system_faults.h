#pragma once

// Makes calls of the system fail in this process: the test's program defines them in the place of
// the C library's. Thread-safe.

namespace ferrite {

enum class SystemCall { kPoll, kAccept, kEventFd, kThread, kV6Socket, kEpollSet, kEpollWatch };

struct Fault {
  SystemCall call;
  int error;  // errno
};

// From now on the call fails so, on every thread, until StopFaults().
void InjectFaults(const Fault& fault);
void StopFaults();
// Waits until the call has failed a few times.
void AwaitFaults();

}  // namespace ferrite
