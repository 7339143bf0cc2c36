#pragma once

// What signals do to the server: SIGTERM and SIGINT end it, in order the first time and at once the
// second time. SIGHUP opens the audit log anew. Without one SIGHUP, and always SIGUSR1 and SIGUSR2,
// which would end the server by default, are told to the log and do nothing: settings change with a
// restart, and the log is standard error. SIGPIPE is nothing to a server. All others do what they
// do to every program.

#include <csignal>
#include <functional>

namespace ferrite {

class Signals {
 public:
  // Call it before any thread is started: threads inherit what is blocked.
  Signals();

  // Waits for the signal to end; returns its name. From then on another one ends the process.
  // Calls hang_up() for each SIGHUP, which says whether there was anything to do.
  const char* AwaitEnd(const std::function<bool()>& hang_up) const;

 private:
  sigset_t awaited_;
};

}  // namespace ferrite
