#pragma once

// The highest version that this node may hand out: what is written in etcd, for whoever comes after
// a crash, and what the store is held to.
//
// Versions are Unix time, or higher where a floor is, and grow by at most one in a microsecond for
// each key. So a clock of our own, which follows the wall clock where that is ahead, and otherwise
// runs at its pace, is what versions may reach by now. The store is told to stay some seconds above
// it, the ceiling in etcd lies a minute above it. If the wall clock jumps ahead, versions stop at
// what the store was told until this has noticed and etcd knows.

#include <cstdint>
#include <optional>

#include "etcd/kv.pb.h"
#include "ferrite/internal/v1/node_record.pb.h"
#include "server/cluster/core/moment.h"
#include "server/cluster/core/settings.h"

namespace ferrite::cluster {

class Ceiling {
 public:
  // How far the ceiling lies above what versions may reach by now, and how near it may come.
  static constexpr uint64_t kAheadUs = 60 * kUsPerSecond;
  static constexpr uint64_t kRenewAtUs = 30 * kUsPerSecond;
  // Likewise for what the store is told.
  static constexpr uint64_t kLimitAheadUs = 6 * kUsPerSecond;
  static constexpr uint64_t kLimitRenewAtUs = 3 * kUsPerSecond;
  // A key that is written without a pause at its limit exceeds it, by as many versions as there are
  // writes until it is raised. So successors start that much above: after a crash, and after a
  // release, when this node has just been at work.
  static constexpr uint64_t kGapAfterCrashUs = 60 * kUsPerSecond;
  static constexpr uint64_t kGapAfterReleaseUs = 6 * kUsPerSecond;

  explicit Ceiling(const CoreSettings& settings) : settings_(settings) {}

  // Time goes by.
  void Observe(const Moment& now);
  // The node may come to own slots whose versions start above `floor`.
  void Reach(uint64_t floor) { reached_ = std::max(reached_, floor); }

  // The node is about to serve by the map of this cluster.
  void SetCluster(uint64_t uid) { cluster_uid_ = uid; }

  // What has to be in etcd before slots are served is not known to be there.
  bool IsMissing() const;
  // It has to be renewed soon.
  bool IsDue() const;
  // What is to be written, under a comparison with revision().
  internal::v1::VersionCeiling Next() const;

  // The key was written last in this revision, as far as is known; 0: there is none.
  int64_t revision() const { return revision_; }
  // It was written.
  void Written(const internal::v1::VersionCeiling& ceiling, int64_t revision);
  // Somebody else, or an earlier call, has written this; null: it is not there.
  void Found(const mvccpb::KeyValue* kv);

  // What is known to be in etcd; versions stay below.
  uint64_t ceiling() const { return written_.ceiling(); }
  // What the store should be told now, if that is more than before.
  std::optional<uint64_t> RaiseLimit();
  // Above all versions handed out so far.
  uint64_t released_version() const { return limit_ + kGapAfterReleaseUs; }
  // When one of them is due at the latest.
  int64_t due_ns() const { return due_ns_; }

 private:
  uint64_t WantedUid() const;

  const CoreSettings& settings_;
  Moment last_;
  uint64_t reached_ = 0;  // what versions may have reached by `last_`
  uint64_t limit_ = 0;
  int64_t due_ns_ = 0;
  internal::v1::VersionCeiling written_;
  uint64_t cluster_uid_ = 0;
  uint64_t highest_found_ = 0;
  uint64_t uid_found_ = 0;
  uint32_t ttl_found_ms_ = 0;
  int64_t found_ns_ = 0;
  int64_t revision_ = 0;
};

}  // namespace ferrite::cluster
