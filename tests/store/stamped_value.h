#pragma once

// Values that vouch for themselves: a torn one, one of another key, and one that mixes two writes
// of the same key all show.
//
// The first eight bytes are the stamp: 32 bits that the writer chose, and a checksum of them, the
// key and the size. Every further word follows from the stamp and its position.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace ferrite {

inline constexpr size_t kStampBytes = sizeof(uint64_t);

namespace stamped_value {

inline uint64_t Stamp(std::string_view key, size_t size, uint32_t chosen) {
  const size_t hash = absl::HashOf(absl::string_view(key.data(), key.size()), size, chosen);
  return uint64_t{chosen} << 32 | static_cast<uint32_t>(hash);
}
inline uint64_t Word(uint64_t stamp, size_t offset) {
  return offset == 0 ? stamp : stamp * (2 * offset + 1);
}

}  // namespace stamped_value

// Such a value of at least kStampBytes. Two with different `chosen` differ.
inline std::string StampedValue(std::string_view key, size_t size, uint32_t chosen) {
  std::string value(std::max(size, kStampBytes), '\0');
  const uint64_t stamp = stamped_value::Stamp(key, value.size(), chosen);
  for (size_t offset = 0; offset < value.size(); offset += kStampBytes) {
    const uint64_t word = stamped_value::Word(stamp, offset);
    std::memcpy(value.data() + offset, &word, std::min(kStampBytes, value.size() - offset));
  }
  return value;
}

// The stamp, which identifies the value among all that were written to `key`; none if this is not
// a whole value of this key.
inline std::optional<uint64_t> StampOf(std::string_view key, std::string_view value) {
  if (value.size() < kStampBytes) return std::nullopt;
  uint64_t stamp;
  std::memcpy(&stamp, value.data(), sizeof(stamp));
  if (stamp != stamped_value::Stamp(key, value.size(), static_cast<uint32_t>(stamp >> 32))) {
    return std::nullopt;
  }
  for (size_t offset = kStampBytes; offset < value.size(); offset += kStampBytes) {
    const uint64_t word = stamped_value::Word(stamp, offset);
    const size_t size = std::min(kStampBytes, value.size() - offset);
    if (std::memcmp(value.data() + offset, &word, size) != 0) return std::nullopt;
  }
  return stamp;
}

}  // namespace ferrite
