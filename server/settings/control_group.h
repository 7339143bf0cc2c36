#pragma once

// What the control groups of this process allow it (version 1, 2, or both side by side): its own
// group and every group above it that can be seen, of which the tightest counts.

#include <cstdint>
#include <limits>
#include <string>

namespace ferrite {

// An amount, and what sets it, for people: "memory.max of /sys/fs/cgroup/system.slice".
struct Limit {
  static constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

  uint64_t amount = kNone;
  std::string source;

  // Keeps the smaller one.
  void Tighten(uint64_t other, const std::string& other_source) {
    if (other >= amount) return;
    amount = other;
    source = other_source;
  }
};

struct ControlGroupLimits {
  Limit memory_bytes;
  // CPU time in a second, in thousandths of a core; at least 1.
  Limit cpu_millis;
};

// Reads ROOT/proc/self/cgroup, ROOT/proc/self/mountinfo, and the groups where these say that they
// are, below ROOT; a test has its own root. What cannot be read limits nothing.
ControlGroupLimits ReadControlGroups(const std::string& root = "");

}  // namespace ferrite
