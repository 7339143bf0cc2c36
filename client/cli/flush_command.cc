#include <iostream>

#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/cli/cluster/cluster_calls.h"
#include "client/cli/cluster/living_nodes.h"
#include "client/cli/commands.h"
#include "client/cli/flush/flush_node.h"
#include "client/cli/flush/flush_nodes.h"
#include "client/cli/progress.h"
#include "client/cli/quantity.h"
#include "client/cli/terminal.h"

namespace ferrite::cli {
namespace {

struct FlushArguments {
  std::string node;
  bool yes = false;
};

// What is to be flushed.
struct FlushTargets {
  std::string cluster;  // empty: the server is part of none
  std::vector<LivingNode> nodes;
};

absl::StatusOr<FlushTargets> FindTargets(const Session& session, const std::string& node) {
  const FlushTargets lone{.nodes = {{.name = "", .address = session.Server()}}};
  const auto response =
      ClusterCalls(session.Server(), session.credentials(), session.timeout_or_default())
          .GetTopology();
  const bool has_clusters = !absl::IsUnimplemented(response.status());
  if (has_clusters && !response.ok()) return response.status();
  if (!has_clusters || response->topology().cluster().empty()) {
    if (node.empty()) return lone;
    return absl::FailedPreconditionError("the server is part of no cluster; leave out --node");
  }
  FlushTargets targets{.cluster = response->topology().cluster()};
  if (node.empty()) {
    targets.nodes = LivingNodes(response->topology());
  } else {
    const auto one = LivingNodeNamed(node, response->topology());
    if (!one.ok()) return one.status();
    targets.nodes = {*one};
  }
  return targets;
}

std::string DescriptionOf(const FlushTargets& targets) {
  const LivingNode& first = targets.nodes.front();
  if (targets.cluster.empty()) return first.address;
  if (targets.nodes.size() == 1)
    return absl::StrCat("node ", first.name, " of cluster ", targets.cluster);
  return absl::StrCat("all ", Grouped(targets.nodes.size()), " nodes of cluster ", targets.cluster);
}

absl::Status CheckSomebodyIsThere() {
  if (InputIsTerminal()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "nobody is there to confirm this; --yes deletes everything without asking");
}

absl::Status Confirm(const FlushTargets& targets) {
  PrintUnfinishedNote(
      absl::StrCat("Delete every entry of ", DescriptionOf(targets), "? Type yes: "));
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "yes") return absl::CancelledError("nothing was deleted");
  return absl::OkStatus();
}

FlushListener Shown(ProgressLine* line) {
  return [line](uint64_t deleted, double done_fraction) {
    line->Show(absl::StrCat(ProgressBar("Deleting", done_fraction), ", ", EntriesText(deleted)));
  };
}

absl::StatusOr<ExitCode> FlushOne(const Session& session, const std::string& server) {
  absl::StatusOr<uint64_t> deleted;
  {
    ProgressLine line;
    deleted = FlushNode(server, session.credentials(), session.timeout_or_default(), Shown(&line));
  }
  if (!deleted.ok()) return deleted.status();
  if (session.json) {
    PrintJson({{"deleted", *deleted}});
  } else {
    PrintLine(absl::StrCat("deleted ", EntriesText(*deleted), session.AtServer()));
  }
  return ExitCode::kOk;
}

// A line for each node, and one for all of them.
ExitCode FlushAll(const Session& session, const FlushTargets& targets) {
  uint64_t sum = 0;
  size_t failed = 0;
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  std::optional<ProgressLine> line;
  const auto done = [&](const FlushedNode& node) {
    line.reset();
    sum += node.deleted.value_or(0);
    failed += node.deleted.ok() ? 0 : 1;
    nlohmann::ordered_json outcome = {{"node_id", node.name}};
    if (node.deleted.ok()) {
      outcome["deleted"] = *node.deleted;
      if (!session.json) PrintLine(absl::StrCat(node.name, ": ", EntriesText(*node.deleted)));
    } else {
      outcome["error"] = ErrorJson(node.deleted.status());
      PrintError(session, Annotated(node.deleted.status(), node.name + ": ", ""));
    }
    nodes.push_back(std::move(outcome));
  };
  const auto progress = [&](uint64_t deleted, double done_fraction) {
    if (!line.has_value()) line.emplace();
    Shown (&*line)(deleted, done_fraction);
  };
  NodesFlush(targets.nodes, session.credentials(), session.timeout_or_default())
      .Run(done, progress);
  line.reset();
  if (session.json) {
    PrintJson({{"deleted", sum}, {"nodes", std::move(nodes)}});
  } else {
    PrintLine(absl::StrCat("deleted ", EntriesText(sum), " of cluster ", targets.cluster));
  }
  if (failed == 0) return ExitCode::kOk;
  PrintNote(absl::StrCat("ferrite: ", Grouped(failed), " of ", Grouped(targets.nodes.size()),
                         " nodes were not flushed"));
  return ExitCode::kError;
}

absl::StatusOr<ExitCode> RunFlush(Session& session, const FlushArguments& arguments) {
  if (const auto client = session.ConnectToServer(); !client.ok()) return client.status();
  if (!arguments.yes) {
    if (absl::Status status = CheckSomebodyIsThere(); !status.ok()) return status;
  }
  const absl::StatusOr<FlushTargets> targets = FindTargets(session, arguments.node);
  if (!targets.ok()) return targets.status();
  if (targets->nodes.empty()) return absl::UnavailableError("no node of the cluster lives");
  if (!arguments.yes) {
    if (absl::Status status = Confirm(*targets); !status.ok()) return status;
  }
  if (targets->cluster.empty()) return FlushOne(session, targets->nodes.front().address);
  return FlushAll(session, *targets);
}

}  // namespace

void AddFlush(CLI::App& app, Session& session) {
  auto flush = std::make_shared<FlushArguments>();
  CLI::App* command =
      AddCommand(app, session, "flush", "Delete every entry; of a cluster, those of all nodes",
                 flush, RunFlush);
  command->add_option("--node", flush->node, "Of a cluster: only those of the node of this name")
      ->type_name("NAME");
  command->add_flag("--yes", flush->yes, "Do not ask");
}

}  // namespace ferrite::cli
