#pragma once

// The nodes of a topology that can be called.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ferrite/v1/cluster.pb.h"

namespace ferrite::cli {

struct LivingNode {
  std::string name;
  std::string address;
};

// In the order of the topology.
std::vector<LivingNode> LivingNodes(const v1::Topology& topology);

// The one of this name. NOT_FOUND if it does not live: says which name may have been meant, or a
// few of those that there are.
absl::StatusOr<LivingNode> LivingNodeNamed(const std::string& name, const v1::Topology& topology);

}  // namespace ferrite::cli
