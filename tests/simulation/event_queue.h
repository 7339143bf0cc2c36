#pragma once

// What happens next, in the world's own time.

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace ferrite::simulation {

class EventQueue {
 public:
  // Things due at the same time happen in the order in which they were put here.
  void At(int64_t time_ns, std::function<void()> act) {
    queue_.push({std::max(time_ns, now_ns_), ++count_, std::move(act)});
  }
  void After(int64_t delay_ns, std::function<void()> act) {
    At(now_ns_ + delay_ns, std::move(act));
  }

  // Does the next thing, unless it is due after `end_ns`; then the time is `end_ns`, and it returns
  // false.
  bool Step(int64_t end_ns) {
    if (queue_.empty() || queue_.top().time_ns > end_ns) {
      now_ns_ = end_ns;
      return false;
    }
    now_ns_ = queue_.top().time_ns;
    // The queue gives constant references only; the element goes right away.
    const std::function<void()> act = std::move(const_cast<Entry&>(queue_.top()).act);
    queue_.pop();
    act();
    return true;
  }

  int64_t now_ns() const { return now_ns_; }

 private:
  struct Entry {
    int64_t time_ns;
    uint64_t number;
    std::function<void()> act;
    bool operator<(const Entry& other) const {
      return std::pair(time_ns, number) > std::pair(other.time_ns, other.number);
    }
  };

  std::priority_queue<Entry> queue_;
  int64_t now_ns_ = 0;
  uint64_t count_ = 0;
};

}  // namespace ferrite::simulation
