#pragma once

// Between two looks at a lock that somebody else holds: lets the other thread of the core, and the
// bus, have their turn.

namespace ferrite {

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace ferrite
