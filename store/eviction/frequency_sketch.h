#pragma once

// How often a key was used recently, whether or not it is in the cache: a count-min sketch with
// counters of four bits, as TinyLFU has it (Einziger, Friedman and Manes, 2017).

#include <cstddef>
#include <cstdint>

namespace ferrite {

// Counts hashes, in eight bytes per entry of its capacity. A count may be too high where keys share
// counters, and stops at kMaxCount. All counts are halved each time that sixteen uses per entry
// were added, so that the past fades.
//
// Each call takes constant time and touches one cache line: a line halves its counters when it is
// next used, and not when all the others do. A sketch that grows forgets nothing: each line becomes
// two that start with the same counts. They are copied in order, a few at a time, and until then
// both share the old one. So fresh memory is touched page by page, and hardly a call waits for the
// kernel to find it; in any other order the first few hundred calls would all do.
//
// Not thread-safe.
class FrequencySketch {
 public:
  FrequencySketch() = default;
  ~FrequencySketch();
  FrequencySketch(const FrequencySketch&) = delete;
  FrequencySketch& operator=(const FrequencySketch&) = delete;

  static constexpr int kMaxCount = 15;

  // Forgets everything and makes room for this many entries; where there are many more, let it grow
  // step by step. The memory comes from the kernel, which zeroes it as it is used, so that this
  // takes no time either.
  void Reset(size_t capacity);

  // Makes room for twice as many entries, unless it has not come round to all lines since the last
  // time. Takes no time either, but until all lines are copied half as much memory again.
  void Grow();

  // Before the first Reset, counts are 0 and adding does nothing.
  void Add(uint32_t hash, int count);
  int Count(uint32_t hash) const;

  size_t capacity() const { return capacity_; }
  size_t memory_bytes() const { return (line_count_ + old_line_count()) * sizeof(Line); }

 private:
  static constexpr size_t kEntriesPerLine = 8;
  static constexpr size_t kCounters = 126;  // of a line
  static constexpr int kProbes = 4;
  static constexpr size_t kUsesPerHalving = 16;  // times the capacity

  struct Line {
    uint8_t halvings;  // how many it has seen, modulo 256
    uint8_t counters[kCounters / 2];
  };
  static_assert(sizeof(Line) == 64);
  // Where a hash is counted.
  struct Spot {
    size_t line;
    size_t counters[kProbes];
  };

  Spot SpotOf(uint32_t hash) const;
  static int CounterOf(const Line& line, size_t counter) {
    return line.counters[counter / 2] >> (counter % 2 * 4) & 15;
  }
  static Line* Map(size_t line_count);
  static void Unmap(Line** lines, size_t line_count);
  // A line, or the one that it is to be a copy of.
  Line* Current(size_t number) const {
    const bool is_old = old_lines_ != nullptr && number >= next_to_copy_;
    return is_old ? &old_lines_[number / 2] : &lines_[number];
  }
  void CopySome();
  void CatchUp(Line* line) const;
  size_t old_line_count() const { return old_lines_ != nullptr ? line_count_ / 2 : 0; }

  size_t capacity_ = 0;
  size_t line_count_ = 0;
  size_t uses_ = 0;       // since the last halving
  uint8_t halvings_ = 0;  // modulo 256
  Line* lines_ = nullptr;
  // While it grows: the lines before, and the first that is not copied.
  Line* old_lines_ = nullptr;
  size_t next_to_copy_ = 0;
};

}  // namespace ferrite
