#pragma once

// How a cluster of many nodes behaves when they come, fail and are replaced.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ferrite::simulation {

// What happened in one of these phases.
struct ScalePhase {
  std::string name;
  double seconds = 0;     // of the world's time, until all was stable
  size_t map_bytes = 0;   // in the end
  size_t map_ranges = 0;  // likewise
  uint64_t map_changes = 0;
  uint64_t slots_moved = 0;  // to another owner
  uint64_t etcd_calls = 0;
  uint64_t txns_per_second = 0;  // of etcd, on average
};

// Lets so many nodes start within some seconds, a tenth of them fail at once, and all of them be
// drained and started again, `batch` at a time. `progress` is told what is going on.
std::vector<ScalePhase> RunScale(int nodes, int batch,
                                 const std::function<void(const std::string&)>& progress);

}  // namespace ferrite::simulation
