#pragma once

// When an entry expires, as it is kept: in milliseconds, by the clock that was meant. A time to
// live ends by the steady clock, whatever is done to the other; a Unix time comes when the wall
// clock says so, however often that is set before. There is no guess at whether, or by how much,
// the wall clock was set: whoever looks for what has expired asks both clocks.

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace ferrite {

// What tells times of the wall clock from those of the steady one; both are far below it for the
// next thousand years.
inline constexpr int64_t kByWallClock = int64_t{1} << 46;

inline int64_t ExpiryAtUnixMs(int64_t unix_ms) {
  return std::clamp<int64_t>(unix_ms, 0, kByWallClock - 1) | kByWallClock;
}

inline bool IsByWallClock(int64_t expires_at) { return (expires_at & kByWallClock) != 0; }
inline int64_t UnixMsOf(int64_t expires_at) { return expires_at ^ kByWallClock; }

// What is left until then; 0 or less: it is over.
inline int64_t LeftMs(int64_t expires_at, const Clock& clock) {
  if (!IsByWallClock(expires_at)) [[likely]]
    return expires_at - clock.MonotonicMs();
  return UnixMsOf(expires_at) - clock.UnixMs();
}

// Both clocks, read once for whoever looks at many entries.
struct Moment {
  explicit Moment(const Clock& clock) : steady_ms(clock.MonotonicMs()), unix_ms(clock.UnixMs()) {}

  const int64_t steady_ms;
  const int64_t unix_ms;
};
inline int64_t LeftMs(int64_t expires_at, const Moment& now) {
  return IsByWallClock(expires_at) ? UnixMsOf(expires_at) - now.unix_ms
                                   : expires_at - now.steady_ms;
}

}  // namespace ferrite
