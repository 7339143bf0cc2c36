#pragma once

#include <cstddef>
#include <cstdint>

namespace ferrite {

// What the node tells of its connections. Each that was refused is counted once, by its reason.
struct ConnectionCounts {
  size_t open = 0;                // of gRPC
  uint64_t over_limit = 0;        // --max-connections
  uint64_t over_descriptors = 0;  // as many as there are descriptors for, or none was left
  uint64_t accept_errors = 0;     // the system did not hand them over, or could not watch them
  // Of HTTP, closed before they were answered:
  uint64_t http_displaced = 0;  // for a newer one
  uint64_t http_timed_out = 0;
};

}  // namespace ferrite
