#pragma once

// What this process may use of its machine: what the machine has, or what a container's control
// group (version 1 or 2) allows of it.

#include <cstdint>
#include <string>

namespace ferrite {

inline constexpr char kControlGroup[] = "/sys/fs/cgroup";

// `control_group` is the folder in which a container sees its own group.
uint64_t AvailableMemoryBytes(const std::string& control_group = kControlGroup);

// At least 1. A part of a core counts as one, so that it can be used.
int AvailableCores(const std::string& control_group = kControlGroup);

}  // namespace ferrite
