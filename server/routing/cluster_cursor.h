#pragma once

// Where a scan over a cluster stands.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ferrite {

// Nodes are scanned in the order of their ids.
struct ClusterCursor {
  uint64_t generation = 0;  // of the map when the scan began to go through the nodes
  std::string node;         // that is being scanned, or is next; empty: the first
  std::string inside;       // the cursor of that node; empty: its beginning
  // Only what has got its owner in later generations is scanned, as the rest was before; 0: all.
  uint64_t after = 0;

  std::string Encode() const;
};

// Absent if it is none.
std::optional<ClusterCursor> DecodeClusterCursor(std::string_view bytes);

}  // namespace ferrite
