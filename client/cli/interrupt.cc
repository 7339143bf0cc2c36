#include "client/cli/interrupt.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "client/cli/output.h"

namespace ferrite::cli {
namespace {

// The signal, or 0.
volatile std::sig_atomic_t interrupted = 0;

absl::Duration SteadyTime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void OnSignal(int signal) { interrupted = signal; }

void Install(int signal) {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(signal, &action, nullptr);
}

}  // namespace

InterruptFlag::InterruptFlag() {
  interrupted = 0;
  Install(SIGINT);
  Install(SIGTERM);
}

InterruptFlag::~InterruptFlag() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool InterruptFlag::WaitFor(absl::Duration duration) const {
  // A signal ends poll() early; one that comes just before poll() is noticed at the end of the
  // slice.
  constexpr absl::Duration kSlice = absl::Milliseconds(50);
  const absl::Duration end = SteadyTime() + duration;
  while (!is_set()) {
    const absl::Duration left = end - SteadyTime();
    if (left <= absl::ZeroDuration()) break;
    const auto ms =
        absl::ToInt64Milliseconds(absl::Ceil(std::min(left, kSlice), absl::Milliseconds(1)));
    poll(nullptr, 0, static_cast<int>(ms));
  }
  return is_set();
}

bool WaitForMore(const InterruptFlag& flag, absl::Duration duration) {
  constexpr absl::Duration kStep = absl::Milliseconds(200);
  const absl::Duration end = SteadyTime() + duration;
  while (IsRead()) {
    const absl::Duration left = end - SteadyTime();
    if (left <= absl::ZeroDuration()) return true;
    if (flag.WaitFor(std::min(left, kStep))) return false;
  }
  return false;
}

bool InterruptFlag::is_set() const { return interrupted != 0; }

int CaughtSignal() { return interrupted; }

void RaiseAtTheEnd(int signal) { interrupted = signal; }

void ForgetCaughtSignal() { interrupted = 0; }

}  // namespace ferrite::cli
