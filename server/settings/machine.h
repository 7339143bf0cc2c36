#pragma once

// What this process may use: of what the machine has, the tightest of control groups, affinity and
// resource limits (`ulimit`).

#include <cstdint>
#include <string>

#include "server/settings/control_group.h"

namespace ferrite {

struct Machine {
  Limit memory_bytes;
  // At least 1. A part of a core counts as one, so that it can be used.
  Limit cores;

  // `root` as for ReadControlGroups.
  static Machine This(const std::string& root = "");
};

// Addresses that a server takes without using memory there: for tables that grow in place, stacks
// and the allocator's arenas. RLIMIT_AS counts all of them, RLIMIT_DATA those that may be written.
inline constexpr uint64_t kReservedAddressBytes = uint64_t{4} << 30;
inline constexpr uint64_t kReservedDataBytes = uint64_t{3} << 30;

}  // namespace ferrite
