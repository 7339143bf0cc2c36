// mget and mset.

#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/cli/bytes.h"
#include "client/cli/commands.h"
#include "client/cli/entry_json.h"
#include "client/cli/keys.h"
#include "client/cli/options.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

absl::StatusOr<ExitCode> RunMGet(Session& session, const KeyArguments& arguments) {
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  ExitCode exit_code = ExitCode::kOk;
  JsonResults results(session.json);
  const auto print = [&](const std::string& key, const absl::StatusOr<v1::GetResponse>& read) {
    if (!read.ok()) {
      exit_code = ExitCode::kError;
      return session.json ? results.Add(KeyErrorJson(key, read.status()))
                          : PrintKeyError(key, read.status());
    }
    if (!read->found()) exit_code = Worse(exit_code, ExitCode::kMiss);
    results.Add(JsonRead(key, *read));
    if (session.json) return;
    if (!read->found()) return PrintNote(DisplayText(key) + " is not there");
    if (!arguments.null) return PrintLine(DisplayText(key) + ": " + DisplayText(read->value()));
    PrintBytes(key + '\0');
    PrintBytes(read->value() + '\0');
  };
  const absl::Status status = ForEachBatch(
      session, arguments,
      [&](const std::vector<std::string>& keys) { return ReadKeys(**client, keys, print); });
  if (!status.ok()) return status;
  results.Begin();
  return exit_code;
}

struct MSetArguments {
  std::vector<std::string> pairs;
  bool from_input = false;
  bool null = false;
  std::optional<absl::Duration> ttl;

  void Check() const {
    if (pairs.empty() && !from_input) throw CLI::RequiredError("KEY VALUE, or --stdin,");
    if (!pairs.empty() && from_input) throw CLI::ExcludesError("--stdin", "KEY VALUE");
    if (pairs.size() % 2 != 0) {
      throw CLI::ValidationError("KEY VALUE", "the last key has no value");
    }
  }
};

// Writes entries in batches and reports their outcomes.
class Writer {
 public:
  Writer(Session& session, Client& client) : session_(session), client_(client) {}

  void Add(v1::SetRequest entry) {
    bytes_ += entry.key().size() + entry.value().size();
    *batch_.add_entries() = std::move(entry);
  }
  bool full() const {
    return static_cast<size_t>(batch_.entries_size()) >= kMostKeysInBatch ||
           bytes_ >= kMostBytesInBatch;
  }

  // Sends what was added. A failure says what was written before.
  absl::Status Send() {
    if (batch_.entries_size() == 0) return absl::OkStatus();
    const v1::MSetRequest sent = std::exchange(batch_, {});
    bytes_ = 0;
    const absl::StatusOr<v1::MSetResponse> reply = client_.MSet(sent);
    if (!reply.ok()) {
      if (seen_ == 0) return reply.status();
      return Annotated(reply.status(), "",
                       absl::StrCat("; of the ", Grouped(seen_), " entries before ",
                                    Grouped(stored()), " were stored"));
    }
    for (int i = 0; i < reply->results_size(); ++i) {
      Report(sent.entries(i).key(), reply->results(i));
    }
    return absl::OkStatus();
  }

  ExitCode Finish() {
    results_.Begin();
    if (!session_.json) PrintLine(absl::StrCat("stored ", stored(), " of ", seen_));
    return failed_ == 0 ? ExitCode::kOk : ExitCode::kError;
  }

 private:
  uint64_t stored() const { return seen_ - failed_; }

  void Report(const std::string& key, const v1::MSetResult& result) {
    ++seen_;
    nlohmann::ordered_json line = {{"key", JsonBytes(key)}, {"stored", result.response().stored()}};
    if (result.has_error()) {
      ++failed_;
      line["error"] = ErrorJson(ToAbslStatus(result.error()));
      if (!session_.json) {
        PrintNote(DisplayText(key) + ": " + DisplayText(result.error().message()));
      }
    } else {
      line["version"] = result.response().version();
    }
    results_.Add(line);
  }

  Session& session_;
  Client& client_;
  JsonResults results_{session_.json};
  v1::MSetRequest batch_;
  size_t bytes_ = 0;
  uint64_t seen_ = 0;
  uint64_t failed_ = 0;
};

absl::StatusOr<ExitCode> RunMSet(Session& session, const MSetArguments& arguments) {
  absl::StatusOr<WordSource> words = WordSource::Open(
      session, arguments.pairs, arguments.from_input, arguments.null, kLongestRecord);
  if (!words.ok()) return words.status();
  const absl::StatusOr<Client*> client = session.Connect();
  if (!client.ok()) return client.status();
  Writer writer(session, **client);
  absl::Status problem;
  while (problem.ok()) {
    absl::StatusOr<std::optional<std::string>> key = words->Next();
    problem = key.status();
    if (!key.ok() || !key->has_value()) break;
    absl::StatusOr<std::optional<std::string>> value = words->Next();
    problem = value.status();
    if (value.ok() && !value->has_value()) {
      problem = absl::InvalidArgumentError("the last key has no value");
    }
    if (!problem.ok()) break;
    v1::SetRequest entry;
    entry.set_key(**std::move(key));
    entry.set_value(**std::move(value));
    if (arguments.ttl.has_value()) entry.set_ttl_ms(absl::ToInt64Milliseconds(*arguments.ttl));
    writer.Add(std::move(entry));
    if (writer.full()) problem = writer.Send();
  }
  const absl::Status sent = writer.Send();
  if (problem.ok()) problem = sent;
  if (!problem.ok()) return problem;
  return writer.Finish();
}

}  // namespace

void AddManyEntries(CLI::App& app, Session& session) {
  auto mget = std::make_shared<KeyArguments>();
  AddKeys(AddCommand(app, session, "mget", "Print the values of many keys, escaped, one per line",
                     mget, RunMGet),
          mget.get());

  auto mset = std::make_shared<MSetArguments>();
  CLI::App* command = AddCommand(app, session, "mset", "Write many entries", mset, RunMSet);
  command->add_option("PAIRS", mset->pairs, "Keys, each followed by its value");
  AddInput(command, "keys and values, in turns,", &mset->from_input, &mset->null);
  AddTtl(command, "--ttl", &mset->ttl, "Let the entries expire after this time");
}

}  // namespace ferrite::cli
