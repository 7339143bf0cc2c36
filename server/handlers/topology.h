#pragma once

#include <string_view>

#include "ferrite/v1/cluster.pb.h"
#include "server/cluster/view.h"

namespace ferrite {

// The view as clients are told of it, but for the name of the cluster.
void DescribeView(const cluster::ClusterView& view, v1::Topology* topology);

// A node that is part of no cluster: it serves all slots.
void DescribeLoneNode(std::string_view version, v1::Topology* topology);

}  // namespace ferrite
