#pragma once

// The keys of a cluster in etcd, and the names of which they are made.

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ferrite::cluster {

inline constexpr size_t kMaxNameBytes = 128;

// Whether `name` may be the name of a cluster or of a node: 1 to kMaxNameBytes of A-Z, a-z, 0-9,
// '.', '_' and '-', so that a name is a part of a key, and of a line of text, as it is.
// INVALID_ARGUMENT otherwise; `what` says there what was named, such as "--node-id".
absl::Status CheckName(std::string_view what, std::string_view name);

// The key behind all keys that start with `prefix`, which ends with a byte below 255.
std::string EndOfPrefix(std::string_view prefix);

// Immutable.
class Keys {
 public:
  // `cluster` has passed CheckName.
  explicit Keys(std::string_view cluster);

  const std::string& all() const { return all_; }  // the prefix of all of them
  const std::string& map() const { return map_; }
  const std::string& policy() const { return policy_; }
  const std::string& controller() const { return controller_; }
  const std::string& nodes() const { return nodes_; }        // a prefix
  const std::string& ceilings() const { return ceilings_; }  // a prefix
  std::string Node(std::string_view id) const { return nodes_ + std::string(id); }
  std::string Ceiling(std::string_view id) const { return ceilings_ + std::string(id); }

 private:
  const std::string all_;
  const std::string map_;
  const std::string policy_;
  const std::string controller_;
  const std::string nodes_;
  const std::string ceilings_;
};

}  // namespace ferrite::cluster
