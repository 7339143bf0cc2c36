#pragma once

// When an entry expires, as it is kept: in milliseconds, by the clock that was meant. A time to
// live ends by the steady clock, whatever is done to the other; a Unix time comes when the wall
// clock says so, however often that is set before.

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

// What is left until then; 0 or less: it is over.
inline int64_t LeftMs(int64_t expires_at, const Clock& clock) {
  if ((expires_at & kByWallClock) == 0) [[likely]]
    return expires_at - clock.MonotonicMs();
  return (expires_at ^ kByWallClock) - clock.UnixMs();
}

// When whoever reclaims expired entries has to look at the entry again, by the steady clock. As the
// wall clock may be set, that is soon.
inline int64_t NextLookMs(int64_t expires_at, const Clock& clock) {
  constexpr int64_t kSoonMs = 10'000;
  if ((expires_at & kByWallClock) == 0) return expires_at;
  return clock.MonotonicMs() + std::clamp<int64_t>(LeftMs(expires_at, clock), 0, kSoonMs);
}

}  // namespace ferrite
