#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/duration.h"
#include "client/cli/sorted_json.h"

namespace ferrite::cli {
namespace {

struct NoArguments {};

constexpr std::string_view kIndent = "  ";

// The columns that names of `rows` take, those of nested values with their indent.
size_t NameWidth(const nlohmann::ordered_json& rows) {
  size_t width = 0;
  for (const auto& [name, value] : rows.items()) {
    width = std::max(width, name.size());
    if (value.is_object()) width = std::max(width, kIndent.size() + NameWidth(value));
  }
  return width;
}

// Prints `rows`: as a JSON object, or as a table in which nested values are indented below their
// name.
void PrintTable(const Session& session, const nlohmann::ordered_json& rows) {
  if (session.json) return PrintJson(rows);
  const auto print = [width = NameWidth(rows)](std::string_view indent, const std::string& name,
                                               const nlohmann::ordered_json& value) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    PrintLine(absl::StrFormat("%s%-*s  %s", std::string(indent),
                              static_cast<int>(width - indent.size()), name, DisplayText(text)));
  };
  for (const auto& [name, value] : rows.items()) {
    if (!value.is_object()) {
      print("", name, value);
      continue;
    }
    PrintLine(name);
    for (const auto& [inner_name, inner_value] : value.items()) {
      print(kIndent, inner_name, inner_value);
    }
  }
}

absl::StatusOr<ExitCode> RunInfo(Session& session, const NoArguments&) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  const absl::StatusOr<v1::InfoResponse> info = (*client)->Info();
  if (!info.ok()) return info.status();
  nlohmann::ordered_json rows = {{"version", info->version()}};
  if (session.json) {
    rows["uptime_ms"] = info->uptime_ms();
  } else {
    rows["uptime"] = RenderDuration(absl::Milliseconds(info->uptime_ms()));
  }
  rows["pid"] = info->pid();
  rows["available_memory_bytes"] = info->available_memory_bytes();
  rows["available_memory_source"] = info->available_memory_source();
  rows["settings"] = SortedJson(info->settings());
  if (session.json)
    rows["warnings"] = std::vector<std::string>(info->warnings().begin(), info->warnings().end());
  PrintTable(session, rows);
  if (!session.json) {
    for (const std::string& warning : info->warnings()) PrintLine("warning: " + warning);
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunPing(Session& session, const NoArguments&) {
  const absl::StatusOr<Client*> client = session.ConnectToServer();
  if (!client.ok()) return client.status();
  absl::StatusOr<bool> serving = (*client)->IsServing();  // connects, which must not be measured
  if (!serving.ok()) return serving.status();
  const int64_t start_ns = SteadyNs();
  serving = (*client)->IsServing();
  const absl::Duration round_trip = absl::Nanoseconds(SteadyNs() - start_ns);
  if (!serving.ok()) return serving.status();
  if (session.json) {
    PrintJson({{"server", session.Server()},
               {"serving", *serving},
               {"round_trip_us", absl::ToInt64Microseconds(round_trip)}});
  } else {
    PrintLine(absl::StrFormat("%s is %s (%.2f ms)", session.Server(),
                              *serving ? "serving" : "up but not serving",
                              absl::ToDoubleMilliseconds(round_trip)));
  }
  return *serving ? ExitCode::kOk : ExitCode::kMiss;
}

}  // namespace

void AddNode(CLI::App& app, Session& session) {
  auto none = std::make_shared<NoArguments>();
  AddCommand(
      app, session, "info",
      "Print what server this is and its settings; of a cluster, one node: the one that is asked",
      none, RunInfo);
  AddCommand(app, session, "ping", "Check whether the server serves, and measure the round trip",
             none, RunPing);
}

}  // namespace ferrite::cli
