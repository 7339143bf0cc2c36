#pragma once

// Streams whose answers a client does not take. gRPC keeps 13 KiB of each until its answer, be it a
// refusal, has been written. What a connection has begun since all was written to it may be such a
// stream; it counts, with those of all other connections, from when nothing can be written.

#include <atomic>
#include <cstdint>

namespace ferrite {

// Thread-safe. Of one connection; `all` is the count of all connections.
class UntakenAnswers {
 public:
  // Nothing can be written.
  bool blocked() const { return blocked_.load(); }

  void BeginStreams(int64_t streams, std::atomic<int64_t>* all) {
    streams_.fetch_add(streams, std::memory_order_relaxed);
    if (blocked_.load(std::memory_order_relaxed)) Count(streams, all);
  }
  void Block(std::atomic<int64_t>* all) {
    if (!blocked_.exchange(true)) Count(streams_.load(std::memory_order_relaxed), all);
  }
  // All that there was has been written, or never will be. Returns whether it was blocked.
  bool EndBlock(std::atomic<int64_t>* all) {
    if (streams_.load(std::memory_order_relaxed) != 0) streams_.store(0, std::memory_order_relaxed);
    // Also those that were counted just after the last end.
    if (counted_.load(std::memory_order_relaxed) != 0)
      all->fetch_sub(counted_.exchange(0), std::memory_order_relaxed);
    return blocked_.load(std::memory_order_relaxed) && blocked_.exchange(false);
  }

 private:
  void Count(int64_t streams, std::atomic<int64_t>* all) {
    counted_.fetch_add(streams, std::memory_order_relaxed);
    all->fetch_add(streams, std::memory_order_relaxed);
  }

  std::atomic<bool> blocked_{false};
  std::atomic<int64_t> streams_{0};  // begun since all was written
  std::atomic<int64_t> counted_{0};  // of them, in the count of all
};

}  // namespace ferrite
