#pragma once

// FERRITE_CHECK(condition): ends the process, naming the place, when a promise between parts of
// Ferrite is broken. It stays on in release builds. Never for input that comes from outside: that
// gets a status.

#include <cstdio>
#include <cstdlib>

#define FERRITE_CHECK(condition)                                                         \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
