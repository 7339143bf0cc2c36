#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"

namespace ferrite::cli {
namespace {

struct ScanArguments {
  std::string prefix;
  uint32_t limit = 0;
  bool values = false;
};

void PrintEntry(const Session& session, const v1::ScanEntry& entry, bool with_value) {
  if (session.json) {
    nlohmann::ordered_json line = {{"key", JsonBytes(entry.key())},
                                   {"version", JsonVersion(entry.version())},
                                   {"ttl_ms", JsonTtl(entry)}};
    if (with_value) line["value"] = JsonBytes(entry.value());
    return PrintJson(line);
  }
  PrintLine(with_value ? DisplayText(entry.key()) + ": " + DisplayText(entry.value())
                       : DisplayText(entry.key()));
}

absl::StatusOr<ExitCode> RunScan(Session& session, const ScanArguments& arguments) {
  const absl::StatusOr<std::string> prefix = session.Bytes(arguments.prefix);
  if (!prefix.ok()) return prefix.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  v1::ScanRequest request;
  request.set_prefix(*prefix);
  request.set_limit(arguments.limit);
  request.set_with_values(arguments.values);
  const absl::Status status = (*client)->Scan(std::move(request), [&](const v1::ScanEntry& entry) {
    PrintEntry(session, entry, arguments.values);
    return true;
  });
  if (!status.ok()) return status;
  return ExitCode::kOk;
}

}  // namespace

void AddScan(CLI::App& app, Session& session) {
  auto scan = std::make_shared<ScanArguments>();
  CLI::App* command =
      AddCommand(app, session, "scan",
                 "Print the keys, escaped, in no particular order; with --json one object per line",
                 scan, RunScan);
  command->add_option("--prefix", scan->prefix, "Only keys that start with this");
  command->add_option("--limit", scan->limit, "Stop after this many; 0: never");
  command->add_flag("--values", scan->values, "Print the values, too");
}

}  // namespace ferrite::cli
