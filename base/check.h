#pragma once

// FERRITE_CHECK(condition): ends the process, naming the place, when a promise between parts of
// Ferrite is broken. It stays on in release builds. Never for input that comes from outside: that
// gets a status.

#include <cstdio>
#include <cstdlib>

namespace ferrite {

// Apart from where it is called, so that a check costs its caller a comparison and nothing else.
[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const char* condition) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ferrite

#define FERRITE_CHECK(condition)                              \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::ferrite::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
