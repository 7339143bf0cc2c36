#pragma once

// Ctrl-C as a request to end in order: with the results so far, or with a complete screen.

#include "absl/time/time.h"

namespace ferrite::cli {

// While one exists, the first SIGINT or SIGTERM only sets a flag; the second ends the process as
// usual. At most one may exist.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  bool is_set() const;

  // Waits this long, or until the flag is set. Returns is_set().
  bool WaitFor(absl::Duration duration) const;
};

// Waits this long for something to print. False once the flag is set, or nobody reads the output.
bool WaitForMore(const InterruptFlag& flag, absl::Duration duration);

// The signal that set the latest flag; 0 if none did. The process owes it its end.
int CaughtSignal();

// Has the process end by `signal` once all is done, as if a flag had caught it.
void RaiseAtTheEnd(int signal);

// Settles that, where a prompt goes on after a command was interrupted.
void ForgetCaughtSignal();

}  // namespace ferrite::cli
