#include "server/signals.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace ferrite {
namespace {

// As they are spelled; Debian's sigabbrev_np() says the same without "SIG".
const char* NameOf(int signal) {
  switch (signal) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    case SIGHUP:
      return "SIGHUP";
    case SIGUSR1:
      return "SIGUSR1";
    default:
      return "SIGUSR2";
  }
}

// Ends the process by the signal, as if nobody had asked for it; that has no effect on the first
// process of a container.
void EndAtOnce(int signal) {
  constexpr int kShellsCodeOfSignals = 128;
  std::signal(signal, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  raise(signal);
  _exit(kShellsCodeOfSignals + signal);
}

}  // namespace

Signals::Signals() {
  sigemptyset(&awaited_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&awaited_, signal);
  pthread_sigmask(SIG_BLOCK, &awaited_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

const char* Signals::AwaitEnd(const std::function<bool()>& hang_up) const {
  int received = 0;
  while (true) {
    sigwait(&awaited_, &received);
    if (received == SIGTERM || received == SIGINT) break;
    if (received == SIGHUP && hang_up()) continue;
    spdlog::info("{}: nothing to do; `ferrite config set` changes settings", NameOf(received));
  }
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, EndAtOnce);
  pthread_sigmask(SIG_UNBLOCK, &awaited_, nullptr);
  return NameOf(received);
}

}  // namespace ferrite
