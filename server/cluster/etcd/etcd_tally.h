#pragma once

// What became of calls to etcd, and how long they took.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ferrite::cluster {

enum class EtcdOp : uint8_t { kTxn, kLeaseGrant, kLeaseKeepAlive, kLeaseRevoke, kWatch };
inline constexpr std::array<const char*, 5> kEtcdOpNames = {
    "txn", "lease_grant", "lease_keep_alive", "lease_revoke", "watch"};

enum class EtcdFailure : uint8_t {
  kUnreachable,  // no connection; nothing was sent
  kTimeout,      // no answer within the time
  kRefused,      // etcd said no
  kBroken,       // the connection was lost, or what came back was no answer
};
inline constexpr std::array<const char*, 4> kEtcdFailureNames = {"unreachable", "timeout",
                                                                 "refused", "broken"};

inline constexpr std::array<double, 12> kEtcdLatencyBounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};  // in seconds

// Thread-safe.
class EtcdTally {
 public:
  struct OfOp {
    // Answers by how long they took; the last is for what is above all bounds.
    std::array<std::atomic<uint64_t>, kEtcdLatencyBounds.size() + 1> latency = {};
    std::atomic<uint64_t> latency_sum_ns{0};
    std::array<std::atomic<uint64_t>, kEtcdFailureNames.size()> failures = {};
  };

  void CountAnswer(EtcdOp op, int64_t took_ns) {
    size_t bucket = 0;
    while (bucket < kEtcdLatencyBounds.size() &&
           static_cast<double>(took_ns) > 1e9 * kEtcdLatencyBounds[bucket])
      ++bucket;
    OfOp& of_op = ops_[static_cast<size_t>(op)];
    of_op.latency[bucket].fetch_add(1, std::memory_order_relaxed);
    of_op.latency_sum_ns.fetch_add(static_cast<uint64_t>(took_ns), std::memory_order_relaxed);
  }
  void CountFailure(EtcdOp op, EtcdFailure failure) {
    ops_[static_cast<size_t>(op)].failures[static_cast<size_t>(failure)].fetch_add(
        1, std::memory_order_relaxed);
  }

  const OfOp& of(EtcdOp op) const { return ops_[static_cast<size_t>(op)]; }

 private:
  std::array<OfOp, kEtcdOpNames.size()> ops_;
};

}  // namespace ferrite::cluster
