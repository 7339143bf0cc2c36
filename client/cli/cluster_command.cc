#include "absl/strings/str_cat.h"
#include "client/cli/cluster/cluster_calls.h"
#include "client/cli/cluster/living_nodes.h"
#include "client/cli/cluster/topology_report.h"
#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/quantity.h"
#include "client/cli/top/screen.h"
#include "client/error.h"

namespace ferrite::cli {
namespace {

struct ClusterArguments {
  std::string action = "status";
  std::string node;
  bool dry_run = false;
  bool undo = false;
  bool no_wait = false;
};

void PrintTopology(const Session& session, const v1::GetTopologyResponse& response) {
  if (session.json) return PrintJson(TopologyJson(response));
  constexpr int kColumns = 80;
  PrintLine(RenderTopology(session.Server(), response,
                           OutputSize().value_or(TerminalSize{.columns = kColumns}).columns,
                           OutputHasColor()));
}

absl::StatusOr<ExitCode> ShowStatus(const Session& session) {
  ClusterCalls calls(session.Server(), session.credentials(), session.timeout_or_default());
  const auto response = calls.GetTopology();
  if (!response.ok()) return response.status();
  PrintTopology(session, *response);
  return ExitCode::kOk;
}

// Calls `show` with each topology until that returns false. False if it was interrupted.
template <typename Show>
absl::StatusOr<bool> Follow(const Session& session, const Show& show) {
  constexpr absl::Duration kLook = absl::Milliseconds(100);
  const InterruptFlag interrupted;
  TopologyStream stream(session.Server(), session.credentials(), session.timeout_or_default());
  v1::GetTopologyResponse response;
  absl::Duration waited;
  for (bool any = false; !interrupted.is_set();) {
    if (stream.Next(kLook, &response)) {
      any = true;
      if (!show(response)) return true;
    } else if (stream.IsOver()) {
      const absl::Status end = stream.End();
      return end.ok() ? absl::UnavailableError("the server has ended the stream") : end;
    } else if (!any && (waited += kLook) >= session.timeout_or_default()) {
      return NoAnswer(session.Server(), session.timeout_or_default());
    }
    if (!WaitForMore(interrupted, absl::ZeroDuration())) break;
  }
  return false;
}

absl::StatusOr<ExitCode> Watch(const Session& session) {
  Screen screen;
  const auto end = Follow(session, [&](const v1::GetTopologyResponse& response) {
    if (session.json) {
      PrintJson(TopologyJson(response));
    } else {
      const TerminalSize size = OutputSize().value_or(TerminalSize{});
      screen.Show(RenderTopology(session.Server(), response, size.columns, OutputHasColor()));
    }
    return FlushOutput();  // main reports it
  });
  if (!end.ok()) return end.status();
  return ExitCode::kOk;
}

uint32_t SlotsOf(const std::string& node, const v1::Topology& topology) {
  uint32_t slots = 0;
  for (const v1::TopologyNode& each : topology.nodes())
    if (each.node_id() == node) slots += each.slots_owned();
  return slots;
}

absl::StatusOr<ExitCode> DrainNode(const Session& session, const ClusterArguments& arguments) {
  ClusterCalls calls(session.Server(), session.credentials(), session.timeout_or_default());
  const auto before = calls.GetTopology();
  if (!before.ok()) return before.status();
  if (before->topology().cluster().empty())
    return absl::FailedPreconditionError("the server is part of no cluster");
  const auto node = LivingNodeNamed(arguments.node, before->topology());
  if (!node.ok()) return node.status();
  v1::DrainRequest request;
  request.set_node_id(arguments.node);
  request.set_undo(arguments.undo);
  const auto asked =
      ClusterCalls(node->address, session.credentials(), session.timeout_or_default())
          .Drain(request);
  if (!asked.ok()) return asked.status();
  uint32_t left = asked->slots_owned();
  if (!arguments.undo && !arguments.no_wait) {
    const auto end = Follow(session, [&](const v1::GetTopologyResponse& response) {
      left = SlotsOf(arguments.node, response.topology());
      return left > 0;
    });
    if (!end.ok()) return end.status();
  }
  if (session.json) {
    PrintJson({{"node_id", arguments.node}, {"slots_owned", left}});
  } else if (arguments.undo) {
    PrintLine(absl::StrCat(arguments.node, " stays"));
  } else {
    PrintLine(left == 0 ? absl::StrCat(arguments.node, " owns no slots and can be stopped")
                        : absl::StrCat(arguments.node, " gives its slots away; it still owns ",
                                       Grouped(left)));
  }
  return ExitCode::kOk;
}

// Any node can tell what would move; the one that makes the changes has to be found.
absl::StatusOr<v1::RebalanceResponse> AskToRebalance(const Session& session, bool dry_run) {
  const absl::Duration timeout = session.timeout_or_default();
  v1::RebalanceRequest request;
  request.set_dry_run(dry_run);
  ClusterCalls calls(session.Server(), session.credentials(), timeout);
  const auto first = calls.Rebalance(request);
  if (first.ok() || ReasonOf(first.status()) != "NOT_CONTROLLER") return first;
  const auto topology = calls.GetTopology();
  if (!topology.ok()) return topology.status();
  for (const v1::TopologyNode& node : topology->topology().nodes()) {
    if (node.address().empty()) continue;
    const auto other =
        ClusterCalls(node.address(), session.credentials(), timeout).Rebalance(request);
    if (other.ok()) return other;
  }
  return absl::UnavailableError(
      "no node makes changes of the map at the moment; try again in a few seconds");
}

absl::StatusOr<ExitCode> Rebalance(const Session& session, const ClusterArguments& arguments) {
  const auto response = AskToRebalance(session, arguments.dry_run);
  if (!response.ok()) return response.status();
  if (session.json) {
    PrintJson(MovesJson(*response));
  } else {
    PrintLine(RenderMoves(*response, arguments.dry_run));
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunCluster(Session& session, const ClusterArguments& arguments) {
  if (const auto client = session.ConnectToServer(); !client.ok()) return client.status();
  if (arguments.action == "status") return ShowStatus(session);
  if (arguments.action == "watch") return Watch(session);
  if (arguments.action == "drain") return DrainNode(session, arguments);
  return Rebalance(session, arguments);
}

}  // namespace

void AddCluster(CLI::App& app, Session& session) {
  auto cluster = std::make_shared<ClusterArguments>();
  CLI::App* command = AddCommand(
      app, session, "cluster",
      "Show the nodes and who serves which slots: cluster [status|watch]; have a node give its "
      "slots away: cluster drain NODE; make the shares even: cluster rebalance",
      cluster, RunCluster);
  command->add_option("ACTION", cluster->action, "status, watch, drain or rebalance")
      ->transform(CLI::IsMember({"status", "watch", "drain", "rebalance"}, CLI::ignore_case))
      ->capture_default_str();
  CLI::Option* node = command->add_option("NODE", cluster->node, "With drain: the name of a node");
  command->add_flag("--dry-run", cluster->dry_run, "With rebalance: only say what would move");
  command->add_flag("--undo", cluster->undo, "With drain: the node takes slots again");
  command->add_flag("--no-wait", cluster->no_wait,
                    "With drain: do not wait until the node owns no slots");
  command->parse_complete_callback([cluster, node] {
    const bool drain = cluster->action == "drain";
    if (drain && node->empty()) throw CLI::RequiredError("NODE");
    if (!drain && !node->empty())
      throw CLI::ValidationError("NODE",
                                 absl::StrCat("cluster ", cluster->action, " takes no NODE"));
    if (!drain && (cluster->undo || cluster->no_wait))
      throw CLI::ValidationError(cluster->undo ? "--undo" : "--no-wait", "is for cluster drain");
    if (cluster->dry_run && cluster->action != "rebalance")
      throw CLI::ValidationError("--dry-run", "is for cluster rebalance");
  });
}

}  // namespace ferrite::cli
