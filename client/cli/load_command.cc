#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/byte_amount.h"
#include "client/annotated.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/input_file.h"
#include "client/cli/interrupt.h"
#include "client/cli/load/entry_loader.h"
#include "client/cli/load/entry_reader.h"
#include "client/cli/load/file_kind.h"
#include "client/cli/load/load_progress.h"
#include "client/cli/options.h"
#include "client/cli/quantity.h"
#include "client/cli/usage.h"

namespace ferrite::cli {
namespace {

// More errors than this are only counted.
constexpr uint64_t kMostErrors = 100;

struct LoadArguments {
  std::string file = "-";
  std::string format;
  std::string on_error = "stop";
  std::optional<absl::Duration> ttl;
  bool if_absent = false;
};

// One load, from the first line to the summary.
class Load {
 public:
  Load(Session& session, Client& client, const LoadArguments& arguments, EntryReader& reader,
       uint64_t size)
      : session_(session),
        arguments_(arguments),
        reader_(reader),
        progress_(size),
        loader_(client, [this](uint64_t line, const absl::Status& why) { Report(line, why); }) {}

  // Writes what was read so far, before a wait for more.
  void Catchup() { caught_up_ = loader_.Finish(); }

  absl::StatusOr<ExitCode> Run() {
    const InterruptFlag interrupted;
    absl::Status end;
    while (end.ok() && caught_up_.ok() && !stopped() && !interrupted.is_set()) {
      FileEntry entry;
      const absl::StatusOr<bool> more = reader_.Next(&entry);
      if (more.ok() && !*more) break;
      if (more.ok()) {
        end = loader_.Add(RequestOf(std::move(entry)), reader_.line());
      } else if (absl::IsInvalidArgument(more.status())) {
        ++bad_;
        Report(reader_.line(), more.status());
      } else if (!absl::IsCancelled(more.status())) {
        end = Annotated(more.status(), absl::StrCat("line ", reader_.line() + 1, ": "), "");
      }
      progress_.Update(loader_.counts().stored, reader_.bytes());
    }
    const absl::Status finished = loader_.Finish();
    end.Update(caught_up_);
    end.Update(finished);
    progress_.Wipe();
    if (!end.ok()) PrintError(session_, end);
    Summarize();
    return end.ok() && failed() == 0 ? ExitCode::kOk : ExitCode::kError;
  }

 private:
  v1::SetRequest RequestOf(FileEntry entry) const {
    v1::SetRequest request;
    request.set_key(std::move(entry.key));
    request.set_value(std::move(entry.value));
    if (entry.ttl_ms.has_value()) {
      request.set_ttl_ms(*entry.ttl_ms);
    } else if (arguments_.ttl.has_value()) {
      request.set_ttl_ms(absl::ToInt64Milliseconds(*arguments_.ttl));
    }
    if (arguments_.if_absent) request.set_condition(v1::SET_CONDITION_ABSENT);
    return request;
  }

  void Report(uint64_t line, const absl::Status& why) {
    ++reported_;
    if (reported_ > kMostErrors) return;
    progress_.Wipe();
    Session place = session_.Fork();
    place.line = line;
    PrintError(place, why);
    if (reported_ == kMostErrors) PrintNote("ferrite: further errors are only counted");
  }

  uint64_t failed() const { return bad_ + loader_.counts().failed; }
  bool stopped() const { return arguments_.on_error == "stop" && reported_ > 0; }

  void Summarize() const {
    const EntryLoader::Counts& counts = loader_.counts();
    const double seconds = progress_.seconds();
    if (session_.json) {
      return PrintJson({{"loaded", counts.stored},
                        {"kept", counts.kept},
                        {"failed", failed()},
                        {"bytes", counts.bytes},
                        {"seconds", seconds}});
    }
    PrintLine(absl::StrCat(
        "loaded ", Grouped(counts.stored), counts.stored == 1 ? " entry" : " entries", " (",
        RoundedBytes(static_cast<double>(counts.bytes)), ") in ", absl::StrFormat("%.1f", seconds),
        " s, ", RenderRate(static_cast<double>(counts.stored) / seconds), "/s"));
    if (counts.kept > 0) PrintNote(Grouped(counts.kept) + " were there already");
    if (failed() > 0) {
      PrintNote(Grouped(failed()) +
                (stopped() ? " failed; stopped there (--on-error skip goes on)" : " failed"));
    }
  }

  Session& session_;
  const LoadArguments& arguments_;
  EntryReader& reader_;
  uint64_t bad_ = 0;
  uint64_t reported_ = 0;
  absl::Status caught_up_;
  LoadProgress progress_;
  EntryLoader loader_;
};

// What an input begins with whose format does not show.
absl::Status NoFormat(std::string_view beginning) {
  if (const std::string kind = KnownFileKind(beginning); !kind.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("this is no file of entries: ", kind, ". --format reads it all the same"));
  }
  if (beginning.find('\0') == std::string_view::npos)
    return WrongUse("the format does not show; name it with --format");
  return WrongUse(
      "this looks like a binary file, not one of entries; if it has keys and values between NULs, "
      "write --format nul");
}

absl::StatusOr<ExitCode> RunLoad(Session& session, const LoadArguments& arguments) {
  const std::string name = UnprotectArgument(arguments.file);
  const absl::StatusOr<std::unique_ptr<InputFile>> input = InputFile::Open(session, name);
  if (!input.ok()) return input.status();
  RecordReader records((*input)->file(), '\n', kLongestRecord);
  const absl::StatusOr<std::string_view> beginning = records.Peek();
  if (!beginning.ok()) return beginning.status();
  std::string format = arguments.format;
  if (format.empty() && KnownFileKind(*beginning).empty()) format = FormatOf(name, *beginning);
  if (format.empty() && !beginning->empty()) return NoFormat(*beginning);
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  Load* load = nullptr;
  records.set_on_idle([&load] { load->Catchup(); });
  const std::unique_ptr<EntryReader> reader = MakeEntryReader(format, std::move(records));
  Load own(session, **client, arguments, *reader, (*input)->size());
  load = &own;
  return own.Run();
}

}  // namespace

void AddLoad(CLI::App& app, Session& session) {
  auto load = std::make_shared<LoadArguments>();
  CLI::App* command = AddCommand(
      app, session, "load",
      "Write the entries of a file or pipe, such as one that scan --json --values has printed",
      load, RunLoad);
  command->add_option("FILE", load->file, "The file; - or none: the standard input")
      ->type_name("FILE");
  command
      ->add_option("--format", load->format,
                   "json: objects with key, value and ttl_ms, one a line; csv: key,value[,ttl]; "
                   "tsv: the same with tabs and the escapes of scan; nul: key NUL value NUL. If "
                   "not given, the name of the file or its beginning tells")
      ->check(CLI::IsMember({"json", "csv", "tsv", "nul"}));
  command->add_option("--on-error", load->on_error, "What to do after a line that cannot be loaded")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
  AddTtl(command, "--ttl", &load->ttl, "Let entries without a time to live expire after this time");
  command->add_flag("--if-absent", load->if_absent, "Leave entries that are there as they are");
}

}  // namespace ferrite::cli
