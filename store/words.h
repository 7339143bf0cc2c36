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

namespace ferrite {

inline constexpr size_t kWordBytes = sizeof(uint64_t);

constexpr size_t RoundUpToWords(size_t bytes) {
  return (bytes + kWordBytes - 1) / kWordBytes * kWordBytes;
}

// Moves `bytes`, which are whole words, in steps of a constant size: for the few words of a small
// entry that is faster than a call of memcpy, and nothing that the sanitizer would intercept.
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

// Reads the shared words that hold `bytes` bytes into `to`, which has room for whole words.
inline void LoadWords(char* to, const char* from, size_t bytes) {
  MoveWords(to, from, RoundUpToWords(bytes));
}

ABSL_ATTRIBUTE_NO_SANITIZE_THREAD inline uint64_t LoadWord(const char* from) {
  uint64_t word;
  __builtin_memcpy(&word, from, kWordBytes);
  return word;
}

// Whether the shared words that hold a key of this size hold this key.
ABSL_ATTRIBUTE_NO_SANITIZE_THREAD inline bool EqualWords(const char* shared, const char* bytes,
                                                         size_t size) {
  size_t at = 0;
  for (; at + 2 * kWordBytes <= size; at += 2 * kWordBytes) {
    const uint64_t difference =
        (LoadWord(shared + at) ^ LoadWord(bytes + at)) |
        (LoadWord(shared + at + kWordBytes) ^ LoadWord(bytes + at + kWordBytes));
    if (difference != 0) return false;
  }
  if (at + kWordBytes <= size) {
    if (LoadWord(shared + at) != LoadWord(bytes + at)) return false;
    at += kWordBytes;
  }
  if (at == size) return true;
  uint64_t last = 0;
  std::memcpy(&last, bytes + at, size - at);
  return LoadWord(shared + at) == last;  // the rest of the last word is zero
}

}  // namespace ferrite
