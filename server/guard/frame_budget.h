#pragma once

// Counts frames against rates, those of a connection and those of the process. Pure: time is handed
// in.
//
// Whoever exceeds the connection's rate is cut. Where all connections together exceed that of the
// process, those are cut that sent more than an eighth of an equal share lately. So a flood over
// many connections is stopped, and no one else is cut for it.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/guard/cut_reason.h"
#include "server/guard/frame_limits.h"

namespace ferrite {

// When the last one that was taken would have been due, had all come at an even rate.
class TokenBucket {
 public:
  // Takes `count`, or nothing and returns false if there are fewer. Not thread-safe.
  bool Take(const FrameRate& rate, int64_t now_ns, int64_t count);

 private:
  int64_t due_ns_ = 0;
};

// The same for many threads.
class SharedTokenBucket {
 public:
  bool Take(const FrameRate& rate, int64_t now_ns, int64_t count);

 private:
  std::atomic<int64_t> due_ns_{0};
};

// Counts of the second at hand and the one before. Not thread-safe.
class RecentCount {
 public:
  // Returns how many there were lately, these included.
  int64_t Add(int64_t now_ns, int64_t count);

 private:
  int64_t second_ = 0;
  int64_t now_ = 0;
  int64_t before_ = 0;
};

// What a thread reads, of whichever connections, before it asks for what to do next. gRPC reads for
// as long as there is something to read, and deals with streams only afterwards; so what is begun
// and reset in one batch is there at once, and a rate over time does not bound it.
struct ReadBatch {
  uint64_t number = 0;  // of this batch alone; 0: of none
  int64_t resets = 0;
};

// Of the process. Thread-safe.
class ProcessFrameBudget {
 public:
  explicit ProcessFrameBudget(const FrameLimits& limits) : limits_(limits) {}

  const FrameLimits& limits() const { return limits_; }
  // Streams reset in batches that have not ended.
  int64_t AddResets(int64_t count) {
    return resets_.fetch_add(count, std::memory_order_relaxed) + count;
  }
  bool Take(size_t kind, int64_t now_ns, int64_t count) {
    return buckets_[kind].Take(limits_.process[kind], now_ns, count);
  }

 private:
  const FrameLimits limits_;
  std::array<SharedTokenBucket, kCountedFrames> buckets_;
  std::atomic<int64_t> resets_{0};
};

// Of a connection. Not thread-safe.
class FrameBudget {
 public:
  // What was read in this batch, and how many connections there are. Returns why the connection has
  // to end.
  std::optional<CutReason> Charge(const FrameCounts& frames, int64_t now_ns, size_t connections,
                                  ReadBatch* batch, ProcessFrameBudget* process);

 private:
  // Whether it, or all together, have reset too many streams in this batch.
  bool ResetsTooMany(int64_t count, size_t connections, ReadBatch* batch,
                     ProcessFrameBudget* process);

  uint64_t batch_ = 0;
  int64_t resets_ = 0;  // in it
  std::array<TokenBucket, kCountedFrames> buckets_;
  std::array<RecentCount, kCountedFrames> recent_;
};

}  // namespace ferrite
