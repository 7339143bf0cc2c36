#pragma once

#include <cstddef>
#include <cstdint>

namespace ferrite {

// What the accept loop tells of connections.
struct ConnectionCounts {
  size_t open = 0;
  uint64_t rejected_over_limit = 0;
  uint64_t rejected_no_descriptor = 0;
};

}  // namespace ferrite
