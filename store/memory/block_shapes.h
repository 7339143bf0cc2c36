#pragma once

// The sizes in which blocks of large values come, derived when this is compiled.
//
// Blocks of one size share a span of whole pages of the kernel. What eviction spares is scattered,
// and each survivor keeps its span; so spans are small: from 1 KiB on they have at most 13 pages
// and 12 blocks, below that one page. Within these bounds each size is the largest that wastes
// little on the smallest value which it is for: a sixth of it from 1 KiB on, three tenths below,
// and a twelfth of a value of a power of two with its header.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ferrite::block_shapes {

inline constexpr size_t kSystemPageBytes = 4096;
inline constexpr size_t kSpanHeaderBytes = 32;
inline constexpr size_t kAlignment = 16;
// Of a value, in its block.
inline constexpr size_t kValueHeaderBytes = 16;

// How many of the kernel's pages a span has, and how many blocks lie in it.
struct Shape {
  uint8_t span_pages;
  uint8_t blocks;

  constexpr size_t span_bytes() const { return span_pages * kSystemPageBytes; }
  constexpr size_t block_bytes() const {
    return (span_bytes() - kSpanHeaderBytes) / blocks / kAlignment * kAlignment;
  }
  // What one block takes of the span.
  constexpr size_t share() const { return span_bytes() / blocks; }
};

inline constexpr size_t kOnePageEnd = 1024;
inline constexpr size_t kMaxSpanPages = 13;
inline constexpr size_t kMaxBlocks = 12;
inline constexpr size_t kLargestValue = 16384;
inline constexpr Shape kSmallest = {1, 42};

// Whether blocks of this shape may be for all that is larger than those of `before` and fits.
constexpr bool WastesLittle(const Shape& shape, const Shape& before) {
  const size_t least = before.block_bytes() + kAlignment;
  if (least <= kOnePageEnd - kAlignment) return shape.share() * 10 <= least * 13;
  for (size_t value = kOnePageEnd; value <= kLargestValue; value *= 2) {
    const size_t bytes = value + kValueHeaderBytes;
    const bool holds_it = least <= bytes && bytes <= shape.block_bytes();
    if (holds_it && shape.share() * 1000 > value * 1092) return false;
  }
  return shape.share() * 6 <= least * 7;
}

constexpr Shape ShapeAfter(const Shape& before) {
  const bool in_one_page = before.block_bytes() + kAlignment <= kOnePageEnd - kAlignment;
  const size_t most_pages = in_one_page ? 1 : kMaxSpanPages;
  const size_t most_blocks = in_one_page ? kSmallest.blocks : kMaxBlocks;
  Shape best = before;
  for (size_t pages = 1; pages <= most_pages; ++pages) {
    for (size_t blocks = 1; blocks <= most_blocks; ++blocks) {
      const Shape shape = {static_cast<uint8_t>(pages), static_cast<uint8_t>(blocks)};
      if (in_one_page && shape.block_bytes() >= kOnePageEnd) continue;
      const bool better =
          shape.block_bytes() > best.block_bytes() ||
          (shape.block_bytes() == best.block_bytes() && shape.share() < best.share());
      if (better && WastesLittle(shape, before)) best = shape;
    }
  }
  return best;
}

constexpr bool HoldsTheLargest(const Shape& shape) {
  return shape.block_bytes() >= kLargestValue + kValueHeaderBytes;
}

constexpr size_t Count() {
  size_t count = 1;
  for (Shape shape = kSmallest; !HoldsTheLargest(shape); shape = ShapeAfter(shape)) ++count;
  return count;
}

template <size_t kCount>
constexpr std::array<Shape, kCount> Derive() {
  std::array<Shape, kCount> shapes{};
  shapes[0] = kSmallest;
  for (size_t i = 1; i < kCount; ++i) shapes[i] = ShapeAfter(shapes[i - 1]);
  return shapes;
}

// By size.
inline constexpr auto kShapes = Derive<Count()>();

}  // namespace ferrite::block_shapes
