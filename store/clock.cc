#include "store/clock.h"

#include <ctime>

namespace ferrite {
namespace {

class SystemClock final : public Clock {
 public:
  int64_t MonotonicMs() const override {
    const timespec now = Read(CLOCK_MONOTONIC);
    return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  }

  // Only versions and absolute expiry need it: coarse is enough for both, and four times cheaper.
  int64_t UnixNs() const override {
    const timespec now = Read(CLOCK_REALTIME_COARSE);
    return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }

 private:
  static timespec Read(clockid_t id) {
    timespec now;
    clock_gettime(id, &now);
    return now;
  }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace ferrite
