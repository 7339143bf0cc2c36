#pragma once

// Until when this node may serve what the view says is its own.
//
// A call about a slot of this node asks twice: before it does anything, and again before it
// answers; and the second time it also asks the view whether the slot is still here. If not, its
// answer is not sent: what it did may be another node's to do, or be gone already.

#include <atomic>
#include <cstdint>

namespace ferrite::cluster {

// Thread-safe.
class ServingRight {
 public:
  // `now_ns` is of a clock that also runs while the machine sleeps: CLOCK_BOOTTIME. One load and a
  // comparison.
  bool Holds(int64_t now_ns) const { return now_ns < end_ns_.load(std::memory_order_acquire); }

  // Sets the end, which may come earlier than the one before. 0: at once.
  void Set(int64_t end_ns) { end_ns_.store(end_ns, std::memory_order_release); }

  int64_t end_ns() const { return end_ns_.load(std::memory_order_acquire); }

 private:
  std::atomic<int64_t> end_ns_{0};
};

}  // namespace ferrite::cluster
