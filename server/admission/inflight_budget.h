#pragma once

// How much work the whole server may have in progress: operations, and bytes of requests and
// replies, from the moment at which a call is taken up until its answer is out. Answers that their
// clients do not read stay in progress, and so cannot take more memory than the budget.
//
// The budget admits as long as it is not used up. What is admitted last may go beyond it, as nobody
// knows a reply's size before it is there: by one request and one reply for each serving thread.
// A block of a value that several replies refer to counts once (call/kept_blocks.h).
// It admits nothing of a connection that holds its share (connection_shares.h).
//
// It is the one cache line that all threads write: three times for each call or frame (taken, the
// reply's bytes added, given back). bench/results/limits.md works out how far that goes: some 3
// million calls a second.

#include <atomic>
#include <cstdint>
#include <memory>

#include "server/admission/connection_shares.h"
#include "server/call/kept_blocks.h"

namespace ferrite {

struct InflightLimits {
  uint64_t operations = 0;
  uint64_t bytes = 0;
  uint64_t connection_percent = 50;  // of both, for one connection that is alone
};

enum class Admission { kAdmitted, kNoOperations, kNoBytes, kShareTaken };

// Thread-safe.
class InflightBudget {
 public:
  // The greatest limits that it can keep; whoever configures them checks.
  static constexpr uint64_t kMaxOperations = uint64_t{1} << 22;
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 38;

  // What a connection holds of the budget, in the same form.
  using Share = ConnectionShares::Cell;

  explicit InflightBudget(const InflightLimits& limits)
      : limits_(limits), lasting_(std::make_shared<Lasting>(limits.connection_percent)) {}

  Share* ShareOf(uint64_t connection) { return lasting_->shares.Of(connection); }

  // Takes the amounts, or nothing if either is used up or `share` holds too much of it.
  Admission Take(Share* share, uint64_t operations, uint64_t bytes);
  // Takes bytes without asking, as they are in use already, in place of others that were taken.
  void Exchange(Share* share, uint64_t returned_bytes, uint64_t bytes) {
    Exchange(returned_bytes, bytes);
    share->fetch_add(bytes - returned_bytes, std::memory_order_relaxed);
  }
  // The same where no connection is to blame.
  void Exchange(uint64_t returned_bytes, uint64_t bytes) {
    used_.fetch_add(bytes - returned_bytes, std::memory_order_relaxed);
  }
  void GiveBack(Share* share, uint64_t operations, uint64_t bytes) {
    share->fetch_sub(Packed(operations, bytes), std::memory_order_relaxed);
    used_.fetch_sub(Packed(operations, bytes), std::memory_order_relaxed);
  }

  // Whether a reply that is there, `bytes` of which `uncounted` are not in KeptBlocks, may wait for
  // its client.
  bool AllowsReply(const Share& share, uint64_t bytes, uint64_t uncounted) const {
    const uint64_t held = share.load(std::memory_order_relaxed) & kByteMask;
    return lasting_->shares.AllowsReply(bytes, held + uncounted, this->bytes() + uncounted,
                                        limits_.bytes);
  }

  uint64_t operations() const { return used_.load(std::memory_order_relaxed) >> kByteBits; }
  uint64_t bytes() const {
    return (used_.load(std::memory_order_relaxed) & kByteMask) + lasting_->blocks.bytes();
  }
  // What replies keep beside what is taken here; it keeps the shares, too.
  std::shared_ptr<KeptBlocks> blocks() const { return {lasting_, &lasting_->blocks}; }
  const InflightLimits& limits() const { return limits_; }

 private:
  // Both amounts in one word, so that each change costs one locked instruction and not two. Each
  // has room for what goes beyond its limit.
  static constexpr int kByteBits = 40;
  static constexpr uint64_t kByteMask = (uint64_t{1} << kByteBits) - 1;
  static uint64_t Packed(uint64_t operations, uint64_t bytes) {
    return operations << kByteBits | bytes;
  }

  // What there is already, of all and of a connection, leaves room for more.
  Admission Judge(uint64_t used, uint64_t held) const;

  // What replies use until gRPC lets go of them.
  struct Lasting {
    explicit Lasting(uint64_t most_percent) : shares(most_percent) {}

    ConnectionShares shares;
    KeptBlocks blocks;
  };

  const InflightLimits limits_;
  const std::shared_ptr<Lasting> lasting_;
  // On a cache line of its own: every thread writes it.
  alignas(64) std::atomic<uint64_t> used_{0};
};

}  // namespace ferrite
