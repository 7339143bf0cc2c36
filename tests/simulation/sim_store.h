#pragma once

// The store of a node, as far as versions are concerned.

#include <algorithm>
#include <cstdint>
#include <map>

#include "server/cluster/core/action.h"

namespace ferrite::simulation {

class SimStore {
 public:
  void RaiseFloor(uint64_t version) { floor_ = std::max(floor_, version); }
  void LimitVersions(uint64_t version) { limit_ = version; }

  // Writes a key of this slot; its version.
  uint64_t Write(uint32_t slot, uint64_t wall_us) {
    const auto found = versions_.find(slot);
    const uint64_t last = found == versions_.end() ? std::max(removed_, floor_) : found->second;
    const uint64_t version = std::max(last + 1, std::min(wall_us, limit_));
    versions_[slot] = version;
    return version;
  }
  // 0: it is not there.
  uint64_t Read(uint32_t slot) const {
    const auto found = versions_.find(slot);
    return found == versions_.end() ? 0 : found->second;
  }
  void Drop(const cluster::SlotSpan& span) {
    const auto begin = versions_.lower_bound(span.first);
    const auto end = versions_.upper_bound(span.last);
    for (auto entry = begin; entry != end; ++entry) removed_ = std::max(removed_, entry->second);
    versions_.erase(begin, end);
  }

 private:
  // One key in each slot that is used.
  std::map<uint32_t, uint64_t> versions_;
  uint64_t removed_ = 0;  // the highest that was
  uint64_t floor_ = 0;
  uint64_t limit_ = 0;
};

}  // namespace ferrite::simulation
