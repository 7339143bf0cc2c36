#pragma once

// Bytes that a reader without a lock may copy while their writer changes them. What such a reader
// gets may be a mixture of old and new; it finds that out by the entry's version, and throws the
// copy away. Hence the thread sanitizer is told not to look at the reading side.
//
// The shared side is aligned to a word and as long as whole words; the private side is any bytes.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/base/attributes.h"
#include "absl/base/config.h"

// For functions that read what others may be writing. Inline, as most are but a few instructions;
// but for the thread sanitizer, which would look at them again inside their callers.
#ifdef ABSL_HAVE_THREAD_SANITIZER
#define FERRITE_UNLOCKED ABSL_ATTRIBUTE_NO_SANITIZE_THREAD ABSL_ATTRIBUTE_NOINLINE
#else
#define FERRITE_UNLOCKED ABSL_ATTRIBUTE_ALWAYS_INLINE
#endif

namespace ferrite {

inline constexpr size_t kWordBytes = sizeof(uint64_t);

constexpr size_t RoundUpToWords(size_t bytes) {
  return (bytes + kWordBytes - 1) / kWordBytes * kWordBytes;
}

// Whether two words hold all bytes of a key so long: 8 to 16 bytes. Most keys are, and everything
// that every operation does with its key has a short way for them.
constexpr bool IsOfTwoWords(size_t size) { return size - kWordBytes <= kWordBytes; }

// Moves `bytes`, which are whole words, in steps of a constant size: for the few words of a small
// entry that is faster than a call of memcpy, and the sanitizer does not intercept it.
ABSL_ATTRIBUTE_NO_SANITIZE_THREAD inline void MoveWords(char* to, const char* from, size_t bytes) {
  constexpr size_t kStep = 4 * kWordBytes;
  for (; bytes >= kStep; bytes -= kStep, to += kStep, from += kStep) {
    __builtin_memcpy(to, from, kStep);
  }
  for (; bytes > 0; bytes -= kWordBytes, to += kWordBytes, from += kWordBytes) {
    __builtin_memcpy(to, from, kWordBytes);
  }
}

// Writes `bytes` bytes to the shared words at `to`; what is left of the last word becomes zero.
inline void StoreWords(char* to, const char* from, size_t bytes) {
  const size_t whole = bytes / kWordBytes * kWordBytes;
  MoveWords(to, from, whole);
  if (whole == bytes) return;
  uint64_t word = 0;
  std::memcpy(&word, from + whole, bytes - whole);
  std::memcpy(to + whole, &word, kWordBytes);
}

template <typename T>
FERRITE_UNLOCKED inline T LoadAs(const char* from) {
  T loaded;
  __builtin_memcpy(&loaded, from, sizeof(T));
  return loaded;
}

// Any number of bytes takes few steps of constant size, none of which goes beyond the end: the last
// takes some that were taken before.

// Copies the first and the last bytes, each as many as a T has.
template <typename T>
FERRITE_UNLOCKED inline void CopyEnds(char* to, const char* from, size_t size) {
  const T first = LoadAs<T>(from), last = LoadAs<T>(from + size - sizeof(T));
  __builtin_memcpy(to, &first, sizeof(T));
  __builtin_memcpy(to + size - sizeof(T), &last, sizeof(T));
}

// Whether they are the same.
template <typename T>
FERRITE_UNLOCKED inline bool EqualEnds(const char* a, const char* b, size_t size) {
  const size_t last = size - sizeof(T);
  return LoadAs<T>(a) == LoadAs<T>(b) && LoadAs<T>(a + last) == LoadAs<T>(b + last);
}

// Copies `size` shared bytes.
FERRITE_UNLOCKED inline void CopyShared(char* to, const char* shared, size_t size) {
  struct TwoWords {
    uint64_t words[2];
  };
  constexpr size_t kStep = 2 * sizeof(TwoWords);
  if (size > kStep) {
    size_t at = 0;
    do {
      CopyEnds<TwoWords>(to + at, shared + at, kStep);
      at += kStep;
    } while (at + kStep < size);
    return CopyEnds<TwoWords>(to + size - kStep, shared + size - kStep, kStep);
  }
  if (size >= sizeof(TwoWords)) return CopyEnds<TwoWords>(to, shared, size);
  if (size >= sizeof(uint64_t)) return CopyEnds<uint64_t>(to, shared, size);
  if (size >= sizeof(uint32_t)) return CopyEnds<uint32_t>(to, shared, size);
  if (size == 0) return;
  CopyEnds<char>(to, shared, size);
  CopyEnds<char>(to + size / 2, shared + size / 2, 1);
}

// Whether `size` shared bytes are these; at least one.
FERRITE_UNLOCKED inline bool EqualShared(const char* shared, const char* bytes, size_t size) {
  constexpr size_t kStep = 2 * kWordBytes;
  if (IsOfTwoWords(size)) [[likely]]
    return EqualEnds<uint64_t>(shared, bytes, size);
  if (size < sizeof(uint32_t)) {
    return EqualEnds<char>(shared, bytes, size) &&
           LoadAs<char>(shared + size / 2) == LoadAs<char>(bytes + size / 2);
  }
  if (size < kWordBytes) return EqualEnds<uint32_t>(shared, bytes, size);
  for (size_t at = 0; at + kStep < size; at += kStep) {
    if (!EqualEnds<uint64_t>(shared + at, bytes + at, kStep)) return false;
  }
  return EqualEnds<uint64_t>(shared + size - kStep, bytes + size - kStep, kStep);
}

}  // namespace ferrite
