#include "base/steady_waits.h"

#include "absl/base/config.h"

// A later Abseil, also one that is no release, has other types here, and no need of this.
#if defined(ABSL_LTS_RELEASE_VERSION) && ABSL_LTS_RELEASE_VERSION <= 20230125 && defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "absl/synchronization/internal/create_thread_identity.h"
#include "absl/synchronization/internal/per_thread_sem.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/wall_clock_steps.h"

namespace ferrite {
namespace {

using absl::base_internal::ThreadIdentity;
using absl::synchronization_internal::KernelTimeout;

constexpr int64_t kNsPerSecond = 1'000'000'000;

constinit thread_local bool this_thread_has_waited = false;

// A thread's semaphore: how often it may go on. In the place that Abseil keeps for it, and sets
// to zero.
std::atomic<int32_t>& SemaphoreOf(ThreadIdentity* identity) {
  static_assert(sizeof(std::atomic<int32_t>) == sizeof(int32_t), "what a futex is");
  return *reinterpret_cast<std::atomic<int32_t>*>(identity->waiter_state.data);
}

bool TryTake(std::atomic<int32_t>& semaphore) {
  int32_t count = semaphore.load(std::memory_order_relaxed);
  while (count != 0) {
    if (semaphore.compare_exchange_weak(count, count - 1, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

constinit WallClockSteps wall_clock;
// When the program begins: the first wait, too, has to see that the clock was set just before it.
[[maybe_unused]] const int64_t first_look_ns =
    wall_clock.SteadyNsAt(0, WallClockSteps::ReadClocks());

int64_t Futex(std::atomic<int32_t>& semaphore, int operation, int32_t value,
              const timespec* longest) {
  return syscall(SYS_futex, &semaphore, operation | FUTEX_PRIVATE_FLAG, value, longest, nullptr, 0);
}

// Sleeps while the semaphore is zero, for so long at most; may return without a reason. The kernel
// counts a relative time by the steady clock.
void Sleep(std::atomic<int32_t>& semaphore, const timespec* longest) {
  if (Futex(semaphore, FUTEX_WAIT, 0, longest) == 0) return;
  // Anything else would have every wait spin.
  FERRITE_CHECK(errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT);
}

// The time of the wall clock that it stands for.
int64_t WallNsOf(KernelTimeout timeout) {
  const timespec end = timeout.MakeAbsTimespec();
  const int64_t seconds = std::min<int64_t>(end.tv_sec, INT64_MAX / kNsPerSecond - 1);
  return seconds * kNsPerSecond + end.tv_nsec;
}

bool Take(std::atomic<int32_t>& semaphore, KernelTimeout timeout) {
  if (!timeout.has_timeout()) {
    while (!TryTake(semaphore)) Sleep(semaphore, nullptr);
    return true;
  }
  const int64_t end_ns = wall_clock.SteadyNsAt(WallNsOf(timeout), WallClockSteps::ReadClocks());
  while (!TryTake(semaphore)) {
    const int64_t left_ns = end_ns - SteadyNs();
    if (left_ns <= 0) return false;
    const timespec left = {left_ns / kNsPerSecond, left_ns % kNsPerSecond};
    Sleep(semaphore, &left);
  }
  return true;
}

}  // namespace
}  // namespace ferrite

extern "C" {

// Weak again, so that a program that brings its own may use the client library.
__attribute__((weak)) void ABSL_INTERNAL_C_SYMBOL(AbslInternalPerThreadSemPost)(
    ferrite::ThreadIdentity* identity) {
  std::atomic<int32_t>& semaphore = ferrite::SemaphoreOf(identity);
  if (semaphore.fetch_add(1, std::memory_order_release) == 0) {
    FERRITE_CHECK(ferrite::Futex(semaphore, FUTEX_WAKE, 1, nullptr) >= 0);
  }
}

__attribute__((weak)) bool ABSL_INTERNAL_C_SYMBOL(AbslInternalPerThreadSemWait)(
    ferrite::KernelTimeout timeout) {
  ferrite::this_thread_has_waited = true;
  ferrite::ThreadIdentity* const identity =
      absl::synchronization_internal::GetOrCreateCurrentThreadIdentity();
  std::atomic<int>* const blocked = identity->blocked_count_ptr;
  if (blocked != nullptr) blocked->fetch_add(1, std::memory_order_relaxed);
  const bool woken = ferrite::Take(ferrite::SemaphoreOf(identity), timeout);
  if (blocked != nullptr) blocked->fetch_sub(1, std::memory_order_relaxed);
  return woken;
}

}  // extern "C"

namespace ferrite {

bool WaitsAreSteady() {
  this_thread_has_waited = false;
  absl::Mutex mutex;
  absl::CondVar never;
  absl::MutexLock lock(&mutex);
  never.WaitWithTimeout(&mutex, absl::Nanoseconds(1));
  return this_thread_has_waited;
}

}  // namespace ferrite

#else

namespace ferrite {

bool WaitsAreSteady() { return true; }

}  // namespace ferrite

#endif
