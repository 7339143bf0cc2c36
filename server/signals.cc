#include "server/signals.h"

#include <spdlog/spdlog.h>

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

}  // namespace

Signals::Signals() {
  sigemptyset(&awaited_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&awaited_, signal);
  pthread_sigmask(SIG_BLOCK, &awaited_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

const char* Signals::AwaitEnd() const {
  int received = 0;
  while (true) {
    sigwait(&awaited_, &received);
    if (received == SIGTERM || received == SIGINT) break;
    spdlog::info("{}: nothing to do; settings change with a restart", NameOf(received));
  }
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_IGN);
  // A shell starts background jobs with SIGINT ignored.
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &awaited_, nullptr);
  return NameOf(received);
}

}  // namespace ferrite
