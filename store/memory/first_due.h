#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace ferrite {

// When the first of several is due, in milliseconds: a lower bound. Thread-safe.
class FirstDue {
 public:
  // There is one more, which is due then.
  void Add(int64_t at_ms) {
    int64_t due_ms = due_ms_.load();
    while (at_ms < due_ms && !due_ms_.compare_exchange_weak(due_ms, at_ms)) {
    }
  }
  bool IsOver(int64_t now_ms) const { return due_ms_.load() <= now_ms; }
  // Forgets all of them. What is still to come is added again.
  void Reset() { due_ms_.store(kNever); }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  std::atomic<int64_t> due_ms_{kNever};
};

}  // namespace ferrite
