#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/options.h"
#include "client/cli/quantity.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

struct ScanArguments {
  std::string prefix;
  uint32_t limit = 0;
  bool values = false;
  bool raw = false;
  bool null = false;
};

// Prints entries in the form that was asked for.
class EntryPrinter {
 public:
  EntryPrinter(const Session& session, const ScanArguments& arguments)
      : json_(session.json),
        values_(arguments.values),
        raw_(arguments.raw || arguments.null),
        separator_(arguments.null ? '\0' : '\n') {}

  void Print(const v1::ScanEntry& entry) {
    if (json_) return PrintJson(Json(entry));
    if (raw_) return PrintUnchanged(entry);
    PrintLine(values_ ? DisplayText(entry.key()) + ": " + DisplayText(entry.value())
                      : DisplayText(entry.key()));
  }

  // Entries that could not be printed, as whoever reads them would take one for two.
  uint64_t left_out() const { return left_out_; }

 private:
  nlohmann::ordered_json Json(const v1::ScanEntry& entry) const {
    nlohmann::ordered_json line = {
        {"key", JsonBytes(entry.key())}, {"version", entry.version()}, {"ttl_ms", JsonTtl(entry)}};
    if (values_) line["value"] = JsonBytes(entry.value());
    return line;
  }

  void PrintUnchanged(const v1::ScanEntry& entry) {
    const auto has_separator = [&](const std::string& bytes) {
      return bytes.find(separator_) != std::string::npos;
    };
    if (has_separator(entry.key()) || (values_ && has_separator(entry.value()))) {
      ++left_out_;
      return;
    }
    PrintBytes(entry.key() + separator_);
    if (values_) PrintBytes(entry.value() + separator_);
  }

  const bool json_;
  const bool values_;
  const bool raw_;
  const char separator_;
  uint64_t left_out_ = 0;
};

absl::StatusOr<ExitCode> RunScan(Session& session, const ScanArguments& arguments) {
  if (session.json && (arguments.raw || arguments.null)) {
    return WrongUse("--json does not go with --raw and --null");
  }
  const absl::StatusOr<std::string> prefix = session.Bytes(arguments.prefix);
  if (!prefix.ok()) return prefix.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  v1::ScanRequest request;
  request.set_prefix(*prefix);
  request.set_limit(arguments.limit);
  request.set_with_values(arguments.values);
  EntryPrinter printer(session, arguments);
  const absl::Status status = (*client)->Scan(std::move(request), [&](const v1::ScanEntry& entry) {
    printer.Print(entry);
    return !OutputFailed();
  });
  if (!status.ok()) return status;
  if (printer.left_out() == 0) return ExitCode::kOk;
  return absl::DataLossError(absl::StrCat(
      Grouped(printer.left_out()), printer.left_out() == 1 ? " entry has a " : " entries have a ",
      arguments.null ? "NUL" : "line feed", " and cannot be printed so; without ",
      arguments.null ? "--null" : "--raw", ", or with --json, all can"));
}

}  // namespace

void AddScan(CLI::App& app, Session& session) {
  auto scan = std::make_shared<ScanArguments>();
  CLI::App* command =
      AddCommand(app, session, "scan",
                 "Print the keys, escaped, in no particular order; with --json one object per line",
                 scan, RunScan);
  CLI::Option* prefix = command->add_option("PREFIX", scan->prefix,
                                            "Only keys that start with this; all if not given");
  command->add_option("--prefix", scan->prefix, "The same")->excludes(prefix);
  AddNumber<uint32_t>(command, "--limit", &scan->limit, "Stop after this many; 0: never", 0,
                      UINT32_MAX);
  CLI::Option* values = command->add_flag("--values", scan->values, "Print the values, too");
  command->add_flag("--raw", scan->raw, "Print keys as they are, not escaped, one per line")
      ->excludes(values);
  command->add_flag("-0,--null", scan->null,
                    "Print keys, and values, as they are, each followed by a NUL: for xargs -0, "
                    "del --stdin -0 and load --format nul");
}

}  // namespace ferrite::cli
