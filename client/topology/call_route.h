#pragma once

// Where a call is to go, as far as the call decides it.

#include <cstdint>
#include <string>

namespace ferrite {

struct CallRoute {
  enum class To : uint8_t {
    kOwner,      // the owner of `slot`, which refuses what belongs to another (SLOT_MOVED)
    kNearOwner,  // the owner of `slot`, which forwards what belongs to others
    kAny,        // any node
    kSeed,       // the first seed that can be reached: reads about a node rather than about keys
    kFirstSeed,  // the first seed and no other: what changes a node
  };

  To to = To::kSeed;
  uint32_t slot = 0;
  // How often SLOT_MOVED was followed; the address that the last one named, and its epoch.
  int moves = 0;
  int64_t moved_epoch = 0;
  std::string moved_to = {};
};

// How often SLOT_MOVED is followed. Nodes learn of a new map within moments of each other; what
// goes on for longer goes on in a circle.
inline constexpr int kMostMoves = 3;

}  // namespace ferrite
