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

// Of the process. Thread-safe.
class ProcessFrameBudget {
 public:
  explicit ProcessFrameBudget(const FrameLimits& limits) : limits_(limits) {}

  const FrameLimits& limits() const { return limits_; }
  bool Take(size_t kind, int64_t now_ns, int64_t count) {
    return buckets_[kind].Take(limits_.process[kind], now_ns, count);
  }

 private:
  const FrameLimits limits_;
  std::array<SharedTokenBucket, kCountedFrames> buckets_;
};

// Of a connection. Not thread-safe.
class FrameBudget {
 public:
  // What was read just now, and how many connections there are. Returns why the connection has to
  // end.
  std::optional<CutReason> Charge(const FrameCounts& frames, int64_t now_ns, size_t connections,
                                  ProcessFrameBudget* process);

 private:
  std::array<TokenBucket, kCountedFrames> buckets_;
  std::array<RecentCount, kCountedFrames> recent_;
};

}  // namespace ferrite
