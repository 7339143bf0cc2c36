#pragma once

// How much each connection holds of what all of them share, so that none takes all of it.
//
// A connection gets no more when it holds as much as is free, or a fixed multiple of that. So alone
// it comes to a share of the whole that is known (`most_percent`), and n of them that come and go
// to the same part each. Those that keep what they have leave less and less to who comes later; so
// the last eighth is for connections that hold next to nothing. Who holds nothing always gets
// something, but not a large reply.
//
// Connections are told apart by a table without locks, in which two of them may have the same cell.
// That harms only who has the cell of one that has taken its share, and few can at a time: with one
// in two, a single one; so it happens to one connection in 16,384.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ferrite {

// Thread-safe.
class ConnectionShares {
 public:
  // What one connection holds, as its owner counts it.
  using Cell = std::atomic<uint64_t>;

  // 1 to 100, which is no limit.
  explicit ConnectionShares(uint64_t most_percent) : most_percent_(most_percent) {}

  // `connection` as in Transport::connection().
  Cell* Of(uint64_t connection) {
    constexpr uint64_t kMix = 0x9E3779B97F4A7C15;  // 2^64 by the golden ratio
    return &cells_[connection * kMix >> kShift];
  }

  // Whether a connection that holds so much may get more of `limit`, of which all hold `used`.
  bool Allows(uint64_t held, uint64_t used, uint64_t limit) const {
    return Allows(held, used, limit, most_percent_);
  }
  // The same for what is counted elsewhere.
  static bool Allows(uint64_t held, uint64_t used, uint64_t limit, uint64_t most_percent) {
    if (held == 0) [[likely]]
      return true;
    const uint64_t free = limit > used ? limit - used : 0;
    if (most_percent < 100 && free <= limit / kPartForNewcomers)
      return held * kNextToNothing < free;
    return held * (100 - most_percent) < free * most_percent;
  }
  // Whether a reply of so many bytes, which `held` and `used` include, may wait for its client: of
  // the last eighth it takes next to nothing, or others hold less than half of all.
  bool AllowsReply(uint64_t bytes, uint64_t held, uint64_t used, uint64_t limit) const {
    const uint64_t free = limit > used ? limit - used : 0;
    if (most_percent_ == 100 || free > limit / kPartForNewcomers || held >= used / 2) return true;
    return bytes * kNextToNothing < free;
  }
  uint64_t most_percent() const { return most_percent_; }

 private:
  static constexpr int kShift = 64 - 14;
  static constexpr uint64_t kPartForNewcomers = 8;
  static constexpr uint64_t kNextToNothing = 64;  // times that is less than what is free

  const uint64_t most_percent_;
  std::array<Cell, size_t{1} << (64 - kShift)> cells_{};
};

}  // namespace ferrite
