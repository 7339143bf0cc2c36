#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/options.h"
#include "client/cli/top/screen.h"
#include "client/cli/top/top_report.h"

namespace ferrite::cli {
namespace {

// Where the output goes elsewhere.
constexpr TerminalSize kNoTerminal = {.columns = 80, .rows = 1000};

struct TopArguments {
  std::optional<absl::Duration> interval;
  std::optional<uint64_t> count;  // absent: until Ctrl-C
};

absl::StatusOr<ExitCode> RunTop(Session& session, const TopArguments& arguments) {
  const absl::Duration interval = arguments.interval.value_or(absl::Seconds(1));
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  absl::StatusOr<v1::StatsResponse> before = (*client)->Stats();
  if (!before.ok()) return before.status();

  const InterruptFlag interrupted;
  Screen screen;
  for (uint64_t shown = 0; shown < arguments.count.value_or(UINT64_MAX); ++shown) {
    if (!WaitForMore(interrupted, interval)) break;
    absl::StatusOr<v1::StatsResponse> after = (*client)->Stats();
    if (!after.ok()) return after.status();
    const Activity activity = ActivityBetween(*before, *after);
    if (session.json) {
      PrintJson(TopJson(session.Server(), activity));
    } else {
      screen.Show(RenderTop(session.Server(), activity, OutputSize().value_or(kNoTerminal)));
    }
    if (!FlushOutput()) break;  // main reports it
    before = std::move(after);
  }
  return ExitCode::kOk;
}

}  // namespace

void AddTop(CLI::App& app, Session& session) {
  auto top = std::make_shared<TopArguments>();
  CLI::App* command =
      AddCommand(app, session, "top",
                 "Show what the server does, updated until Ctrl-C; of a cluster, one node: the "
                 "one that is asked",
                 top, RunTop);
  AddDuration(command, "--interval", &top->interval, "How often; 1s if not given",
              absl::Milliseconds(100), absl::Hours(24));
  AddNumber<uint64_t>(command, "--count", &top->count, "Stop after this many updates", 1,
                      UINT64_MAX);
}

}  // namespace ferrite::cli
