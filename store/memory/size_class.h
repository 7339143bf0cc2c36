#pragma once

// The sizes in which slots come: steps of 8 B up to 256 B, 16 B up to 512 B, 32 B up to 1 KiB, then
// 256 B and 512 B. At most one eighth of a slot is lost to rounding, and far less where it counts.

#include <array>
#include <cstddef>
#include <cstdint>

namespace ferrite {

namespace size_class_table {

inline constexpr size_t kMinBytes = 64;
inline constexpr size_t kCount = 25 + 16 + 16 + 4 + 5;

constexpr std::array<uint16_t, kCount> Make() {
  std::array<uint16_t, kCount> sizes{};
  size_t bytes = kMinBytes;
  for (size_t i = 0; i < kCount; ++i) {
    sizes[i] = static_cast<uint16_t>(bytes);
    bytes += bytes < 256 ? 8 : bytes < 512 ? 16 : bytes < 1024 ? 32 : bytes < 2048 ? 256 : 512;
  }
  return sizes;
}

inline constexpr std::array<uint16_t, kCount> kBytes = Make();

}  // namespace size_class_table

inline constexpr size_t kSizeClassCount = size_class_table::kCount;
inline constexpr size_t kMaxSlotBytes = size_class_table::kBytes.back();

// What a slot of the class holds.
constexpr size_t SlotBytes(uint8_t size_class) { return size_class_table::kBytes[size_class]; }

// The smallest class that holds `bytes`, which must be at most kMaxSlotBytes.
constexpr uint8_t SizeClassOf(size_t bytes) {
  const auto above = [bytes](size_t base, size_t step) { return (bytes - base + step - 1) / step; };
  if (bytes <= 64) return 0;
  if (bytes <= 256) return static_cast<uint8_t>(above(64, 8));
  if (bytes <= 512) return static_cast<uint8_t>(24 + above(256, 16));
  if (bytes <= 1024) return static_cast<uint8_t>(40 + above(512, 32));
  if (bytes <= 2048) return static_cast<uint8_t>(56 + above(1024, 256));
  return static_cast<uint8_t>(60 + above(2048, 512));
}

static_assert(SlotBytes(SizeClassOf(128)) == 128 && SlotBytes(SizeClassOf(129)) == 136);
static_assert(SlotBytes(SizeClassOf(257)) == 272 && SlotBytes(SizeClassOf(1000)) == 1024);
static_assert(SlotBytes(SizeClassOf(1025)) == 1280 && SlotBytes(SizeClassOf(2049)) == 2560);
static_assert(SizeClassOf(kMaxSlotBytes) == kSizeClassCount - 1 && kMaxSlotBytes >= 4160);

}  // namespace ferrite
