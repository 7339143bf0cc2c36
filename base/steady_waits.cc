#include "base/steady_waits.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "absl/base/config.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"

// A later Abseil has other types here, and no need of this.
#if ABSL_LTS_RELEASE_VERSION <= 20230125
#include "absl/synchronization/internal/create_thread_identity.h"
#include "absl/synchronization/internal/per_thread_sem.h"

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

// Turns times of the wall clock into durations. Thread-safe.
class WallClock {
 public:
  // How long it is until then. The time was made a moment ago, perhaps before the clock was set:
  // for a while after that, it may be less.
  int64_t NsUntil(KernelTimeout timeout) {
    const timespec end = timeout.MakeAbsTimespec();
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t steady_ns = SteadyNs();
    const int64_t ahead_ns = now.tv_sec * kNsPerSecond + now.tv_nsec - steady_ns;
    if (const int64_t last_ns = ahead_ns_.load(); std::abs(ahead_ns - last_ns) > kStepNs) {
      before_ns_.store(last_ns);
      set_at_ns_.store(steady_ns);
      ahead_ns_.store(ahead_ns);
    }
    const int64_t seconds = std::min<int64_t>(end.tv_sec, INT64_MAX / kNsPerSecond - 1);
    const int64_t end_ns = seconds * kNsPerSecond + end.tv_nsec;
    const int64_t left_ns = end_ns - steady_ns - ahead_ns;
    if (steady_ns - set_at_ns_.load() > kWhileNs) return left_ns;
    return std::min(left_ns, std::max(end_ns - steady_ns - before_ns_.load(), kShortNs));
  }

 private:
  // What is no step is as much as a wait may be too long.
  static constexpr int64_t kStepNs = 50'000'000;
  static constexpr int64_t kWhileNs = kNsPerSecond;
  static constexpr int64_t kShortNs = 10'000'000;

  // By how much it is ahead of the steady clock, and was before it was set.
  std::atomic<int64_t> ahead_ns_{0};
  std::atomic<int64_t> before_ns_{0};
  std::atomic<int64_t> set_at_ns_{INT64_MIN / 2};
};

constinit WallClock wall_clock;

// Sleeps while the semaphore is zero, for so long at most; may return without a reason. The kernel
// counts a relative time by the steady clock.
void Sleep(std::atomic<int32_t>& semaphore, const timespec* longest) {
  syscall(SYS_futex, &semaphore, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, longest, nullptr, 0);
}

bool Take(std::atomic<int32_t>& semaphore, KernelTimeout timeout) {
  if (!timeout.has_timeout()) {
    while (!TryTake(semaphore)) Sleep(semaphore, nullptr);
    return true;
  }
  const int64_t start_ns = SteadyNs();
  const int64_t end_ns = start_ns + std::min(wall_clock.NsUntil(timeout), INT64_MAX - start_ns);
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
    syscall(SYS_futex, &semaphore, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
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
