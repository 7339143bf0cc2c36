#pragma once

// What `ferrite cluster` tells of nodes and slots.

#include <string>

#include "ferrite/v1/cluster.pb.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// Lines for people, without a line feed at the end: a table of the nodes, and a bar that shows who
// serves which slots. No line of the bar is wider than `columns`.
std::string RenderTopology(const std::string& server, const v1::GetTopologyResponse& response,
                           int columns, bool color);

// Everything, for programs.
nlohmann::ordered_json TopologyJson(const v1::GetTopologyResponse& response);

// "120 slots would move:" and a line for each move.
std::string RenderMoves(const v1::RebalanceResponse& response, bool dry_run);
// For programs.
nlohmann::ordered_json MovesJson(const v1::RebalanceResponse& response);

}  // namespace ferrite::cli
