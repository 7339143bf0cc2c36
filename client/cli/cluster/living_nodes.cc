#include "client/cli/cluster/living_nodes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/quantity.h"
#include "client/cli/suggestion.h"

namespace ferrite::cli {
namespace {

// A cluster can have thousands of nodes.
constexpr size_t kMostNames = 8;

// "n1, n2 and 998 more"
std::string SomeOf(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kMostNames);
  std::string text = absl::StrJoin(names.begin(), names.begin() + static_cast<int>(shown), ", ");
  if (shown < names.size()) absl::StrAppend(&text, " and ", Grouped(names.size() - shown), " more");
  return text;
}

}  // namespace

std::vector<LivingNode> LivingNodes(const v1::Topology& topology) {
  std::vector<LivingNode> living;
  for (const v1::TopologyNode& node : topology.nodes())
    if (!node.address().empty()) living.push_back({node.node_id(), node.address()});
  return living;
}

absl::StatusOr<LivingNode> LivingNodeNamed(const std::string& name, const v1::Topology& topology) {
  std::vector<std::string> names;
  for (LivingNode& node : LivingNodes(topology)) {
    if (node.name == name) return std::move(node);
    names.push_back(std::move(node.name));
  }
  const std::vector<std::string> near = Nearest(name, names);
  return absl::NotFoundError(absl::StrCat("no node '", name, "' lives; ",
                                          near.empty() || near.size() == names.size()
                                              ? absl::StrCat("those that do: ", SomeOf(names))
                                              : absl::StrCat("did you mean ", SomeOf(near), "?")));
}

}  // namespace ferrite::cli
