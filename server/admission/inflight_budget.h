#pragma once

// How much work the whole server may have in progress: operations, and bytes of requests and
// replies, from the moment at which a call is taken up until its answer is out. Answers that their
// clients do not read stay in progress, and so cannot take more memory than the budget.
//
// The budget admits as long as it is not used up. What is admitted last may go beyond it, as nobody
// knows a reply's size before it is there: by one request and one reply for each serving thread.
//
// It is the one cache line that all threads write: three times for each call or frame (taken, the
// reply's bytes added, given back). bench/results/limits.md works out how far that goes: some 3
// million calls a second.

#include <atomic>
#include <cstdint>

namespace ferrite {

struct InflightLimits {
  uint64_t operations = 0;
  uint64_t bytes = 0;
};

enum class Admission { kAdmitted, kNoOperations, kNoBytes };

// Thread-safe.
class InflightBudget {
 public:
  // The greatest limits that it can keep; whoever configures them checks.
  static constexpr uint64_t kMaxOperations = uint64_t{1} << 22;
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 38;

  explicit InflightBudget(const InflightLimits& limits) : limits_(limits) {}

  // Takes the amounts, or nothing if either is used up.
  Admission Take(uint64_t operations, uint64_t bytes);
  // Takes bytes without asking, as they are in use already, in place of others that were taken.
  void Exchange(uint64_t returned_bytes, uint64_t bytes) {
    used_.fetch_add(bytes - returned_bytes, std::memory_order_relaxed);
  }
  void GiveBack(uint64_t operations, uint64_t bytes) {
    used_.fetch_sub(Packed(operations, bytes), std::memory_order_relaxed);
  }

  uint64_t operations() const { return used_.load(std::memory_order_relaxed) >> kByteBits; }
  uint64_t bytes() const { return used_.load(std::memory_order_relaxed) & kByteMask; }
  const InflightLimits& limits() const { return limits_; }

 private:
  // Both amounts in one word, so that each change costs one locked instruction and not two. Each
  // has room for what goes beyond its limit.
  static constexpr int kByteBits = 40;
  static constexpr uint64_t kByteMask = (uint64_t{1} << kByteBits) - 1;
  static uint64_t Packed(uint64_t operations, uint64_t bytes) {
    return operations << kByteBits | bytes;
  }

  const InflightLimits limits_;
  // On a cache line of its own: every thread writes it.
  alignas(64) std::atomic<uint64_t> used_{0};
};

}  // namespace ferrite
