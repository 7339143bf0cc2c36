#include "client/topology/picture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/check_options.h"

namespace ferrite {

absl::StatusOr<bool> Picture::Version::MayFollow(const Version& other) const {
  if (cluster != other.cluster) {
    return absl::InvalidArgumentError(
        absl::StrCat("it is part of cluster \"", cluster, "\", not of \"", other.cluster, "\""));
  }
  // A map with another uid was made after all of the cluster's data had been lost.
  return uid != other.uid ? uid != 0 : epoch >= other.epoch;
}

absl::StatusOr<std::shared_ptr<const Picture>> Picture::Create(
    const v1::Topology& topology,
    absl::FunctionRef<std::shared_ptr<KnownNode>(const std::string& address)> node_at) {
  std::vector<std::string> addresses;
  for (const v1::TopologyNode& node : topology.nodes()) addresses.push_back(node.address());
  std::vector<SlotRange> ranges;
  for (const v1::TopologySlots& slots : topology.slots()) {
    ranges.push_back({.first = slots.first(), .last = slots.last(), .node = slots.owner()});
  }
  absl::StatusOr<SlotMap> map = SlotMap::Create(std::move(addresses), ranges);
  if (!map.ok()) return map.status();

  std::shared_ptr<Picture> picture(new Picture(*std::move(map)));
  picture->version_ = {topology.cluster(), topology.cluster_uid(), topology.epoch()};
  for (const v1::TopologyNode& node : topology.nodes()) {
    const bool is_called = CheckAddress(node.address()).ok();
    picture->nodes_.push_back(is_called ? node_at(node.address()) : nullptr);
  }
  return picture;
}

KnownNode* Picture::NodeAt(const std::string& address) const {
  for (const std::shared_ptr<KnownNode>& node : nodes_) {
    if (node != nullptr && node->address() == address) return node.get();
  }
  return nullptr;
}

}  // namespace ferrite
