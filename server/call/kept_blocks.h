#pragma once

// The blocks of large values that replies keep until they are out, and what they take: each block
// once, however many replies refer to it, and once for each connection whose replies do.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "store/value.h"

namespace ferrite {

// Thread-safe. Outlives the server that uses it, as gRPC may let go of a reply later.
class KeptBlocks {
 public:
  // What a connection holds, to which its blocks are added; null: nobody is charged.
  using Share = std::atomic<uint64_t>;

  // A reply refers to the block.
  void Keep(const ValueBlock* block, Share* share) {
    bool first = false;
    bool first_of_share = false;
    {
      Part& part = PartOf(block);
      MutexLock lock(&part.mutex);
      first = ++part.replies[{block, nullptr}] == 1;
      first_of_share = share != nullptr && ++part.replies[{block, share}] == 1;
    }
    if (first) bytes_.fetch_add(block->bytes().size(), std::memory_order_relaxed);
    if (first_of_share) share->fetch_add(block->bytes().size(), std::memory_order_relaxed);
  }
  // It no longer does.
  void LetGo(const ValueBlock* block, Share* share) {
    bool last = false;
    bool last_of_share = false;
    {
      Part& part = PartOf(block);
      MutexLock lock(&part.mutex);
      last = part.LetGo({block, nullptr});
      last_of_share = share != nullptr && part.LetGo({block, share});
    }
    if (last) bytes_.fetch_sub(block->bytes().size(), std::memory_order_relaxed);
    if (last_of_share) share->fetch_sub(block->bytes().size(), std::memory_order_relaxed);
  }

  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  // Of one connection, or with null of all.
  using Kept = std::pair<const ValueBlock*, Share*>;

  struct alignas(64) Part {
    // Whether that was the last reply.
    bool LetGo(const Kept& kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      const auto found = replies.find(kept);
      if (--found->second > 0) return false;
      replies.erase(found);
      return true;
    }

    Mutex mutex;
    absl::flat_hash_map<Kept, uint32_t> replies ABSL_GUARDED_BY(mutex);
  };

  Part& PartOf(const ValueBlock* block) {
    constexpr uint64_t kMix = 0x9E3779B97F4A7C15;  // 2^64 by the golden ratio
    return parts_[reinterpret_cast<uintptr_t>(block) * kMix >> 60];
  }

  std::array<Part, 16> parts_;
  alignas(64) std::atomic<uint64_t> bytes_{0};
};

}  // namespace ferrite
