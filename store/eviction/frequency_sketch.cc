#include "store/eviction/frequency_sketch.h"

#include <sys/mman.h>

#include <algorithm>

#include "base/check.h"

namespace ferrite {
namespace {

// How many lines one addition copies while the sketch grows.
constexpr size_t kCopiesPerAddition = 4;

// The low bits of a hash also choose its bucket, the rest its shard: spread them (the finalizer of
// splitmix64).
uint64_t Spread(uint32_t hash) {
  uint64_t x = hash * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  return x ^ (x >> 27);
}

}  // namespace

FrequencySketch::~FrequencySketch() {
  Unmap(&old_lines_, old_line_count());
  Unmap(&lines_, line_count_);
}

FrequencySketch::Line* FrequencySketch::Map(size_t line_count) {
  void* memory = mmap(nullptr, line_count * sizeof(Line), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FERRITE_CHECK(memory != MAP_FAILED);
  return static_cast<Line*>(memory);
}

void FrequencySketch::Unmap(Line** lines, size_t line_count) {
  if (*lines != nullptr) munmap(*lines, line_count * sizeof(Line));
  *lines = nullptr;
}

void FrequencySketch::Reset(size_t capacity) {
  Unmap(&old_lines_, old_line_count());
  Unmap(&lines_, line_count_);
  capacity_ = std::max(capacity, kEntriesPerLine);
  line_count_ = (capacity_ + kEntriesPerLine - 1) / kEntriesPerLine;
  uses_ = 0;
  halvings_ = 0;
  lines_ = Map(line_count_);
}

void FrequencySketch::Grow() {
  if (old_lines_ != nullptr) return;
  Line* const lines = Map(2 * line_count_);
  old_lines_ = lines_;
  lines_ = lines;
  line_count_ *= 2;
  capacity_ *= 2;
  next_to_copy_ = 0;
}

void FrequencySketch::CopySome() {
  if (old_lines_ == nullptr) return;
  const size_t end = std::min(next_to_copy_ + kCopiesPerAddition, line_count_);
  for (; next_to_copy_ < end; ++next_to_copy_) {
    lines_[next_to_copy_] = old_lines_[next_to_copy_ / 2];
  }
  if (end < line_count_) return;
  Unmap(&old_lines_, old_line_count());
}

FrequencySketch::Spot FrequencySketch::SpotOf(uint32_t hash) const {
  const uint64_t spread = Spread(hash);
  Spot spot;
  spot.line = static_cast<size_t>((spread >> 32) * line_count_ >> 32);
  uint64_t rest = spread * 0x94D049BB133111EBu;
  for (size_t& counter : spot.counters) {
    counter = (rest & 0xFFFF) * kCounters >> 16;
    rest >>= 16;
  }
  return spot;
}

void FrequencySketch::CatchUp(Line* line) const {
  const int missed = static_cast<uint8_t>(halvings_ - line->halvings);
  if (missed == 0) return;
  line->halvings = halvings_;
  for (uint8_t& pair : line->counters) {
    const int low = (pair & 15) >> std::min(missed, 4);
    const int high = (pair >> 4) >> std::min(missed, 4);
    pair = static_cast<uint8_t>(high << 4 | low);
  }
}

void FrequencySketch::Add(uint32_t hash, int count) {
  if (line_count_ == 0 || count == 0) return;
  CopySome();
  const Spot spot = SpotOf(hash);
  Line& line = *Current(spot.line);
  CatchUp(&line);
  // Only the lowest counters are raised: the others are too high already.
  const int raised = std::min(Count(hash) + count, kMaxCount);
  for (const size_t counter : spot.counters) {
    if (CounterOf(line, counter) >= raised) continue;
    const size_t shift = counter % 2 * 4;
    uint8_t& pair = line.counters[counter / 2];
    pair = static_cast<uint8_t>((pair & ~(15 << shift)) | raised << shift);
  }
  uses_ += static_cast<size_t>(count);
  if (uses_ >= kUsesPerHalving * capacity_) {
    uses_ = 0;
    ++halvings_;
  }
}

int FrequencySketch::Count(uint32_t hash) const {
  if (line_count_ == 0) return 0;
  const Spot spot = SpotOf(hash);
  const Line& line = *Current(spot.line);
  int count = kMaxCount;
  for (const size_t counter : spot.counters) count = std::min(count, CounterOf(line, counter));
  return count >> std::min<int>(static_cast<uint8_t>(halvings_ - line.halvings), 4);
}

}  // namespace ferrite
