#pragma once

// What a policy says of a namespace: what it may take of the server.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ferrite::policy {

// Of one policy. Each has its own metrics, and some threads look at all of them.
inline constexpr size_t kMaxNamespaces = 64;
inline constexpr size_t kMaxNamespaceNameBytes = 64;

struct NamespaceRules {
  std::string name;
  // Exactly one of them is set: an amount, or a share of --max-memory.
  uint64_t memory_bytes = 0;
  uint64_t memory_percent = 0;
  uint64_t operations_per_second = 0;  // 0: no limit
  uint64_t connections = 0;            // the same
  int64_t default_ttl_ms = 0;          // 0: entries that say nothing of it never expire
  bool evict = true;

  bool operator==(const NamespaceRules&) const = default;
};

// Sets the field of that name by its text. Returns what is wrong with it; empty: nothing.
std::string SetNamespaceField(std::string_view field, std::string_view text, NamespaceRules* rules);

}  // namespace ferrite::policy
