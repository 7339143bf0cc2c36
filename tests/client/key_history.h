#pragma once

// The writes of one key, and so the values that a read of it may return. Writes are numbered and do
// not overlap; the value of write n is n.

#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>

namespace ferrite {

// Thread-safe. Times are in nanoseconds of one steady clock.
class KeyHistory {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // The next write is about to be sent; returns its number. `gone`: it leaves no entry, or one that
  // expires.
  uint64_t Begin(bool gone) {
    const std::lock_guard lock(mutex_);
    if (gone)
      last_gone_ = ++last_;
    else
      ++last_;
    return last_;
  }

  // The write was acknowledged at `now`. Its value must not be seen from `gone_at` on.
  void Acknowledge(int64_t now, int64_t gone_at) {
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back({last_, now, gone_at});
  }

  // What a read that begins now may return.
  struct Bounds {
    uint64_t least = 0;       // no value below this
    bool may_be_gone = true;  // whether it may be a miss, even if nothing happens meanwhile
  };
  // Everything that was acknowledged at `seen_from` or earlier must be visible.
  Bounds BoundsOf(int64_t seen_from) {
    const std::lock_guard lock(mutex_);
    while (acknowledged_.size() > 1 && acknowledged_[1].at <= seen_from) acknowledged_.pop_front();
    if (acknowledged_.empty() || acknowledged_[0].at > seen_from) return {};
    const Write& write = acknowledged_[0];
    return {.least = write.gone_at <= seen_from ? write.number + 1 : write.number,
            .may_be_gone = write.gone_at != kNever};
  }

  // Whether the answer of the read is within its bounds. Absent: a miss.
  bool Allows(const Bounds& bounds, std::optional<uint64_t> answer) {
    const std::lock_guard lock(mutex_);
    if (!answer.has_value()) return bounds.may_be_gone || last_gone_ > bounds.least;
    return bounds.least <= *answer && *answer <= last_;
  }

 private:
  struct Write {
    uint64_t number;
    int64_t at;
    int64_t gone_at;
  };

  std::mutex mutex_;
  uint64_t last_ = 0;
  uint64_t last_gone_ = 0;  // the newest write begun that leaves no lasting entry
  // In order. Each read asks for its bounds when it begins, so writes before the newest one that
  // must be visible are of no use to later reads.
  std::deque<Write> acknowledged_;
};

}  // namespace ferrite
