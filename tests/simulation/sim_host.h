#pragma once

// A machine: its clocks, and its way to etcd.

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include "server/cluster/core/moment.h"

namespace ferrite::simulation {

class SimProcess;

struct SimHost {
  std::string id;
  std::string zone;
  // The steady clock runs at this rate.
  double rate = 1;
  // What the wall clock is wrong by.
  int64_t wall_offset_us = 0;

  // ---- The way to etcd.
  bool requests_lost = false;
  bool replies_lost = false;
  int64_t replies_late_ns = 0;
  bool replies_garbled = false;
  bool watch_replays = false;
  bool watch_silent = false;
  bool txns_lost = false;  // only these

  std::shared_ptr<SimProcess> process;  // null, or it may have ended
  int processes = 0;                    // so far
  bool lost = false;                    // for good

  static constexpr int64_t kSteadyStartNs = 1'000'000'000'000;
  static constexpr int64_t kWallStartUs = 1'700'000'000'000'000;

  cluster::Moment Now(int64_t world_ns) const {
    return {
        .steady_ns = kSteadyStartNs + static_cast<int64_t>(static_cast<double>(world_ns) * rate),
        .wall_us = kWallStartUs + world_ns / 1000 + wall_offset_us};
  }
  // When the steady clock will show this.
  int64_t WorldNs(int64_t steady_ns) const {
    return static_cast<int64_t>(std::ceil(static_cast<double>(steady_ns - kSteadyStartNs) / rate));
  }
};

}  // namespace ferrite::simulation
