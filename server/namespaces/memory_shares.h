#pragma once

// How --max-memory is shared out among namespaces.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/policy/namespace_rules.h"

namespace ferrite {

// So many percent of a limit.
constexpr uint64_t PercentOf(uint64_t percent, uint64_t bytes) {
  return bytes / 100 * percent + bytes % 100 * percent / 100;
}

struct MemoryShares {
  std::vector<uint64_t> bytes;  // of each namespace, in the order of the rules
  uint64_t of_default = 0;      // what they leave; 0: no limit
};

// `max_memory_bytes` as the setting; 0: no limit. INVALID_ARGUMENT, with the whole sum in the text,
// if that leaves less than `least_of_default`, a namespace gets less than `least_of_each`, or there
// is nothing to take a share of.
absl::StatusOr<MemoryShares> ShareOut(const std::vector<policy::NamespaceRules>& rules,
                                      uint64_t max_memory_bytes, uint64_t least_of_default,
                                      const std::vector<uint64_t>& least_of_each);

// The least --max-memory with which that works.
uint64_t LeastMaxMemory(const std::vector<policy::NamespaceRules>& rules, uint64_t least_of_default,
                        const std::vector<uint64_t>& least_of_each);

}  // namespace ferrite
