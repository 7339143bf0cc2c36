#pragma once

// The maps that the cores of a world read. Each is parsed once, not by each of a thousand nodes,
// which would take most of the world's time.

#include <deque>
#include <string>
#include <string_view>

#include "server/cluster/cluster_map.h"

namespace ferrite::simulation {

class SharedMaps {
 public:
  cluster::ReadClusterMap Read(std::string_view bytes) {
    for (const Parsed& parsed : parsed_)
      if (parsed.bytes == bytes) return parsed.map;
    if (parsed_.size() == kRemembered) parsed_.pop_back();
    parsed_.push_front({std::string(bytes), cluster::ParseClusterMap(bytes)});
    return parsed_.front().map;
  }

 private:
  struct Parsed {
    std::string bytes;
    cluster::ReadClusterMap map;
  };
  // Nodes are this many maps apart from each other, now and then.
  static constexpr size_t kRemembered = 4;

  std::deque<Parsed> parsed_;  // the newest first
};

}  // namespace ferrite::simulation
