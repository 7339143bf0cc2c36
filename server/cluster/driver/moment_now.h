#pragma once

#include <chrono>

#include "base/clock.h"
#include "server/cluster/core/moment.h"

namespace ferrite::cluster {

// This moment, as a core is told it.
inline Moment MomentNow() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {.steady_ns = BootNs(),
          .wall_us = std::chrono::duration_cast<std::chrono::microseconds>(wall).count()};
}

}  // namespace ferrite::cluster
