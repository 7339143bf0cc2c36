// How many bytes a client is told of a cluster of so many nodes: right after they have started, so
// that each has one range of slots.

#include <cstdio>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "server/cluster/placement.h"
#include "server/cluster/view.h"
#include "server/handlers/topology.h"

namespace ferrite {
namespace {

size_t TopologyBytes(int count) {
  std::vector<cluster::PlacementNode> places;
  cluster::ClusterView::Nodes nodes;
  for (int number = 0; number < count; ++number) {
    cluster::ViewNode node;
    node.id = absl::StrFormat("ferrite-%04d", number);
    node.boot_id = 0x9E3779B97F4A7C15u * static_cast<uint64_t>(number + 1);
    node.address = absl::StrFormat("%s.ferrite.prod.svc.cluster.local:6380", node.id);
    node.internal_address = node.address;
    node.zone = absl::StrFormat("eu-west-1%c", 'a' + number % 3);
    node.version = "0.1.0";
    places.push_back({node.id, node.zone});
    nodes.push_back(std::make_shared<const cluster::ViewNode>(std::move(node)));
  }
  const std::vector<int> owners =
      cluster::Place(places, std::vector<int>(kSlotCount, cluster::kNoNode));
  cluster::ClusterView view({.epoch = 1 << 20, .generation = 1, .cluster_uid = ~uint64_t{0}},
                            nodes);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    view.Assign(slot, slot,
                {cluster::Route::Place::kElsewhere, static_cast<uint16_t>(owners[slot])});
  }
  v1::GetTopologyResponse response;
  DescribeView(view, response.mutable_topology());
  response.mutable_topology()->set_cluster("prod");
  return response.ByteSizeLong();
}

}  // namespace
}  // namespace ferrite

int main(int argc, char** argv) {
  int nodes = 1000;
  CLI::App app("Tells how many bytes the topology of a cluster has.");
  app.add_option("--nodes", nodes, "how many it has")->check(CLI::Range(1, 8192));
  CLI11_PARSE(app, argc, argv);
  std::printf("%zu\n", ferrite::TopologyBytes(nodes));
}
