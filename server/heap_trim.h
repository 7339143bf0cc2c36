#pragma once

// Has the allocator give back what was freed. By itself glibc's keeps it, as long as something
// later in the heap is in use: of 800 MB that an attack made gRPC take, all stayed.
//
// To ask takes a walk over all free memory, under the locks of the heap; so nobody asks while there
// is little more than there was, and seldom while it gives nothing back.

#include <chrono>
#include <cstdint>
#include <optional>

namespace ferrite {

// When to ask. Pure: time and sizes are handed in.
class TrimSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // What the process has of memory, without what the store counts, in bytes.
  bool IsDue(Time now, int64_t bytes) const;
  // It was asked; there were so many bytes, and then so many.
  void Asked(Time now, int64_t before, int64_t after);

 private:
  std::optional<int64_t> least_;  // after it was asked
  Time next_;
  std::chrono::seconds pause_{1};
};

// What the process has in memory, its own and shared, in bytes; 0 if the system does not tell.
int64_t ResidentBytes();

// Not thread-safe.
class HeapTrim {
 public:
  // To be called about every second, or more often; `counted` is what the store has.
  void Run(size_t counted);

 private:
  TrimSchedule schedule_;
  TrimSchedule::Time next_look_;
};

}  // namespace ferrite
