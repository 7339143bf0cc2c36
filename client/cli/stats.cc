#include "client/cli/commands.h"
#include "client/cli/stats/stats_report.h"

namespace ferrite::cli {
namespace {

struct StatsArguments {
  bool all = false;
};

absl::StatusOr<ExitCode> RunStats(Session& session, const StatsArguments& arguments) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::StatsResponse> stats = (*client)->Stats();
  if (!stats.ok()) return stats.status();
  session.json ? PrintJson(StatsJson(*stats))
               : PrintLine(RenderStats(session.Server(), *stats, arguments.all));
  return ExitCode::kOk;
}

}  // namespace

void AddStats(CLI::App& app, Session& session) {
  auto stats = std::make_shared<StatsArguments>();
  AddCommand(app, session, "stats",
             "Print what the server holds and has done since its start; of a cluster, one node: "
             "the one that "
             "is asked",
             stats, RunStats)
      ->add_flag("--all", stats->all, "Print what is zero, too; --json always does");
}

}  // namespace ferrite::cli
