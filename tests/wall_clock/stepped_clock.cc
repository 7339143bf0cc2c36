#include "tests/wall_clock/stepped_clock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// How often a wait looks whether the clock was set.
constexpr int64_t kSliceNs = 10'000'000;

// What libc would have done.
template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::atomic<int64_t>& Ahead() {
  static std::atomic<int64_t> own{0};
  static std::atomic<int64_t>* const shared = [] {
    const char* const path = std::getenv("STEPPED_CLOCK_FILE");
    if (path == nullptr) return &own;
    const int file = open(path, O_RDWR | O_CLOEXEC);
    void* const memory = mmap(nullptr, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) std::abort();
    close(file);
    return static_cast<std::atomic<int64_t>*>(memory);
  }();
  return *shared;
}

bool IsWall(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE; }

int64_t ToNs(const timespec& time) { return int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec; }
timespec ToTimespec(int64_t ns) { return {ns / kNsPerSecond, ns % kNsPerSecond}; }

int64_t RealWallNs() {
  static auto* const real = Real<int(clockid_t, timespec*)>("clock_gettime");
  timespec now;
  real(CLOCK_REALTIME, &now);
  return ToNs(now);
}
int64_t WallNs() { return RealWallNs() + Ahead().load(); }

// How long to really wait for that time: until a moment later at most.
int64_t SliceNs(int64_t end_ns) { return std::clamp<int64_t>(end_ns - WallNs(), 0, kSliceNs); }

// Waits for a time of the wall clock by `wait`, which takes a real time. What is called wakes up
// without a reason between two slices, which its callers have to expect anyhow.
template <typename Wait>
int WaitSlice(const timespec* end, const Wait& wait) {
  const int64_t slice_ns = SliceNs(ToNs(*end));
  const timespec real_end = ToTimespec(RealWallNs() + slice_ns);
  const int outcome = wait(&real_end);
  return outcome == ETIMEDOUT && WallNs() < ToNs(*end) ? 0 : outcome;
}

}  // namespace

extern "C" {

void SetWallClockAhead(int64_t ns) { Ahead().store(ns); }

int clock_gettime(clockid_t id, timespec* time) noexcept {
  static auto* const real = Real<int(clockid_t, timespec*)>("clock_gettime");
  const int outcome = real(id, time);
  if (outcome == 0 && IsWall(id)) *time = ToTimespec(ToNs(*time) + Ahead().load());
  return outcome;
}

int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  const int64_t ns = WallNs();
  *time = {ns / kNsPerSecond, ns % kNsPerSecond / 1000};
  return 0;
}

time_t time(time_t* seconds) noexcept {
  const time_t now = WallNs() / kNsPerSecond;
  if (seconds != nullptr) *seconds = now;
  return now;
}

int pthread_cond_timedwait(pthread_cond_t* __restrict condition, pthread_mutex_t* __restrict mutex,
                           const timespec* __restrict end) {
  static auto* const real =
      Real<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait");
  constexpr unsigned kOfSteadyClock = 2;  // glibc's flag of pthread_condattr_setclock
  if ((condition->__data.__wrefs & kOfSteadyClock) != 0) return real(condition, mutex, end);
  return WaitSlice(end, [&](const timespec* slice) { return real(condition, mutex, slice); });
}

int pthread_cond_clockwait(pthread_cond_t* __restrict condition, pthread_mutex_t* __restrict mutex,
                           clockid_t clock, const timespec* __restrict end) {
  static auto* const real =
      Real<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>(
          "pthread_cond_clockwait");
  if (!IsWall(clock)) return real(condition, mutex, clock, end);
  return WaitSlice(end,
                   [&](const timespec* slice) { return real(condition, mutex, clock, slice); });
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  static auto* const real =
      Real<int(clockid_t, int, const timespec*, timespec*)>("clock_nanosleep");
  if (!IsWall(clock) || (flags & TIMER_ABSTIME) == 0) return real(clock, flags, time, left);
  while (WallNs() < ToNs(*time)) {
    const timespec slice = ToTimespec(SliceNs(ToNs(*time)));
    if (const int outcome = real(CLOCK_MONOTONIC, 0, &slice, left); outcome != 0) return outcome;
  }
  return 0;
}

// Abseil sleeps on futexes itself.
long syscall(long number, ...) noexcept {
  static auto* const real = Real<long(long, ...)>("syscall");
  va_list list;
  va_start(list, number);
  long argument[6];
  for (long& each : argument) each = va_arg(list, long);
  va_end(list);
  const auto call = [&] {
    return real(number, argument[0], argument[1], argument[2], argument[3], argument[4],
                argument[5]);
  };
  if (number == SYS_clock_gettime) {
    return clock_gettime(static_cast<clockid_t>(argument[0]),
                         reinterpret_cast<timespec*>(argument[1]));
  }
  const auto* const end = reinterpret_cast<const timespec*>(argument[3]);
  if (number != SYS_futex || (argument[1] & FUTEX_CLOCK_REALTIME) == 0 || end == nullptr) {
    return call();
  }
  const int64_t end_ns = ToNs(*end);
  while (true) {
    const int64_t slice_ns = SliceNs(end_ns);
    const timespec real_end = ToTimespec(RealWallNs() + slice_ns);
    argument[3] = reinterpret_cast<long>(&real_end);
    const long outcome = call();
    if (outcome == 0 || errno != ETIMEDOUT || WallNs() >= end_ns) return outcome;
  }
}

}  // extern "C"
