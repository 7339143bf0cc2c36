#include "base/clock.h"

#include <ctime>

namespace ferrite {
namespace {

class SystemClock final : public Clock {
 public:
  int64_t MonotonicMs() const override { return Milliseconds(Read(CLOCK_MONOTONIC)); }
  int64_t UnixMs() const override { return Milliseconds(Read(CLOCK_REALTIME)); }
  // Versions only have to grow, and every write asks: the coarse clock is several times cheaper.
  int64_t UnixUs() const override {
    const timespec now = Read(CLOCK_REALTIME_COARSE);
    return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  }

 private:
  static timespec Read(clockid_t id) {
    timespec now;
    clock_gettime(id, &now);
    return now;
  }
  static int64_t Milliseconds(const timespec& time) {
    return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
  }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace ferrite
