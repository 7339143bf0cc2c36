#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/options.h"
#include "client/cli/slowlog_report.h"
#include "client/cli/terminal.h"

namespace ferrite::cli {
namespace {

// Between two polls of --follow.
constexpr absl::Duration kPause = absl::Milliseconds(500);

struct SlowLogArguments {
  int limit = 20;
  bool reset = false;
  bool follow = false;
};

// Of the terminal; absent if the output is none.
std::optional<int> Columns() {
  if (!OutputIsTerminal()) return std::nullopt;
  return OutputSize().value_or(TerminalSize()).columns;
}

absl::StatusOr<ExitCode> Reset(const Session& session, Client& client) {
  const absl::StatusOr<v1::ResetSlowLogResponse> reply = client.ResetSlowLog();
  if (!reply.ok()) return reply.status();
  if (session.json) {
    PrintJson({{"forgotten", reply->forgotten()}});
  } else {
    PrintLine(absl::StrCat("forgot ", reply->forgotten(),
                           reply->forgotten() == 1 ? " slow call" : " slow calls",
                           session.AtServer()));
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> List(const Session& session, Client& client, int limit) {
  v1::SlowLogRequest request;
  request.set_limit(static_cast<uint32_t>(limit));
  const absl::StatusOr<v1::SlowLogResponse> reply = client.SlowLog(request);
  if (!reply.ok()) return reply.status();
  if (session.json) {
    nlohmann::ordered_json calls = nlohmann::ordered_json::array();
    for (const v1::SlowCall& call : reply->calls()) calls.push_back(SlowCallJson(call));
    nlohmann::ordered_json threshold;
    if (reply->has_threshold_us()) threshold = reply->threshold_us();
    PrintJson({{"threshold_us", threshold}, {"calls", calls}});
    return ExitCode::kOk;
  }
  if (!reply->has_threshold_us()) PrintNote("the log is off (--slowlog-threshold)");
  if (reply->calls_size() == 0) return ExitCode::kOk;
  const std::optional<int> columns = Columns();
  PrintLine(SlowLogHeading(columns));
  for (const v1::SlowCall& call : reply->calls()) PrintLine(SlowLogRow(call, columns));
  return ExitCode::kOk;
}

// Prints calls as they come, oldest first, one a line, until Ctrl-C.
absl::StatusOr<ExitCode> Follow(const Session& session, Client& client, int limit) {
  if (!session.json) PrintLine(SlowLogHeading(Columns()));
  const InterruptFlag interrupted;
  v1::SlowLogRequest request;
  request.set_limit(static_cast<uint32_t>(limit));
  do {
    const absl::StatusOr<v1::SlowLogResponse> reply = client.SlowLog(request);
    if (!reply.ok()) return reply.status();
    // A server that was restarted counts from 1 again.
    if (reply->newest_id() < request.after_id()) request.set_after_id(0);
    for (auto call = reply->calls().rbegin(); call != reply->calls().rend(); ++call) {
      session.json ? PrintJson(SlowCallJson(*call)) : PrintLine(SlowLogRow(*call, Columns()));
      request.set_after_id(call->id());
    }
    if (!FlushOutput()) break;  // main reports it
    request.set_limit(0);
  } while (WaitForMore(interrupted, kPause));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunSlowLog(Session& session, const SlowLogArguments& arguments) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  if (arguments.reset) return Reset(session, **client);
  return arguments.follow ? Follow(session, **client, arguments.limit)
                          : List(session, **client, arguments.limit);
}

}  // namespace

void AddSlowLog(CLI::App& app, Session& session) {
  auto slowlog = std::make_shared<SlowLogArguments>();
  CLI::App* command =
      AddCommand(app, session, "slowlog",
                 "Print the recent slow calls (--slowlog-threshold), newest first; of a "
                 "cluster, those of one node: the one that is asked",
                 slowlog, RunSlowLog);
  CLI::Option* limit = AddNumber<int>(command, "--limit", &slowlog->limit,
                                      "At most this many; 0: all that are kept", 0, 1'000'000);
  CLI::Option* reset =
      command->add_flag("--reset", slowlog->reset, "Forget them instead")->excludes(limit);
  command->add_flag("--follow", slowlog->follow, "Continue with new ones, oldest first")
      ->excludes(reset);
}

}  // namespace ferrite::cli
