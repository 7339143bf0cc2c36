#include "client/cli/keys.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/annotated.h"
#include "client/cli/bytes.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

constexpr size_t kLongestKey = 4096;
// A key that is written as escapes takes four characters for a byte.
constexpr size_t kLongestKeyText = 4 * kLongestKey;

absl::Status CheckKey(const std::string& key, const std::string& place) {
  if (!key.empty() && key.size() <= kLongestKey) return absl::OkStatus();
  return absl::InvalidArgumentError(
      key.empty()
          ? place + " is empty"
          : absl::StrCat(place, " has ", key.size(), " bytes; a key has at most ", kLongestKey));
}

// The keys of one call. An error that comes after some keys is kept for the next call.
class KeyBatches {
 public:
  KeyBatches(WordSource source, bool check) : source_(std::move(source)), check_(check) {}

  absl::StatusOr<std::vector<std::string>> Next() {
    std::vector<std::string> keys;
    size_t bytes = 0;
    while (problem_.ok() && keys.size() < kMostKeysInBatch && bytes < kMostBytesInBatch) {
      absl::StatusOr<std::optional<std::string>> key = source_.Next();
      problem_ = key.status();
      if (!key.ok() || !key->has_value()) break;
      if (check_) problem_ = CheckKey(**key, source_.place());
      if (!problem_.ok()) break;
      bytes += (*key)->size();
      keys.push_back(**std::move(key));
    }
    if (keys.empty() && !problem_.ok()) return problem_;
    return keys;
  }

 private:
  WordSource source_;
  const bool check_;
  absl::Status problem_;
};

}  // namespace

void KeyArguments::Check() const {
  if (keys.empty() && !from_input) throw CLI::RequiredError("KEY, or --stdin,");
  if (!keys.empty() && from_input) throw CLI::ExcludesError("--stdin", "KEY");
}

void AddInput(CLI::App* command, const std::string& what, bool* from_input, bool* null) {
  command->add_flag("--stdin", *from_input,
                    "Read " + what + " from the standard input, one a line");
  command->add_flag("-0,--null", *null,
                    "NUL takes the place of line feeds, in what is read and what is printed");
}

void AddKeys(CLI::App* command, KeyArguments* arguments) {
  command->add_option("KEY", arguments->keys, "The keys, any number of them");
  AddInput(command, "the keys", &arguments->from_input, &arguments->null);
}

absl::StatusOr<WordSource> WordSource::Open(const Session& session,
                                            const std::vector<std::string>& arguments,
                                            bool from_input, bool null, size_t most_bytes) {
  if (from_input) {
    if (absl::Status status = session.CheckInputIsFree(); !status.ok()) return status;
    return WordSource(session, {}, RecordReader(STDIN_FILENO, null ? '\0' : '\n', most_bytes));
  }
  absl::StatusOr<std::vector<std::string>> words = session.Bytes(arguments);
  if (!words.ok()) return words.status();
  return WordSource(session, *std::move(words), std::nullopt);
}

absl::StatusOr<std::optional<std::string>> WordSource::Next() {
  if (!input_.has_value()) {
    if (next_word_ == words_.size()) return std::nullopt;
    return std::move(words_[next_word_++]);
  }
  std::string record;
  const absl::StatusOr<bool> more = input_->Next(&record);
  if (more.ok() && !*more) return std::nullopt;
  absl::StatusOr<std::string> word = more.ok() ? session_->Bytes(record) : more.status();
  if (!word.ok()) {
    return Annotated(word.status(), place() + ": ", "");
  }
  return *std::move(word);
}

std::string WordSource::place() const {
  if (!input_.has_value()) return "";
  return absl::StrCat("record ", input_->records(), " of the standard input");
}

absl::Status ForEachBatch(
    const Session& session, const KeyArguments& arguments,
    absl::FunctionRef<absl::Status(const std::vector<std::string>& keys)> handle) {
  absl::StatusOr<WordSource> source = WordSource::Open(
      session, arguments.keys, arguments.from_input, arguments.null, kLongestKeyText);
  if (!source.ok()) return source.status();
  KeyBatches batches(*std::move(source), arguments.from_input);
  for (size_t handled = 0; FlushOutput();) {
    const absl::StatusOr<std::vector<std::string>> keys = batches.Next();
    if (keys.ok() && keys->empty()) break;
    absl::Status status = keys.ok() ? handle(*keys) : keys.status();
    if (!status.ok()) {
      if (handled == 0) return status;
      return Annotated(
          status, "",
          absl::StrCat("; the ", Grouped(handled),
                       handled == 1 ? " key before was handled" : " keys before were handled"));
    }
    handled += keys->size();
  }
  return absl::OkStatus();
}

nlohmann::ordered_json KeyErrorJson(const std::string& key, const absl::Status& why) {
  return {{"key", JsonBytes(key)}, {"error", ErrorJson(why)}};
}

void PrintKeyError(const std::string& key, const absl::Status& why) {
  PrintNote(DisplayText(key) + ": " + DisplayText(std::string(why.message())));
}

absl::Status ReadKeys(
    Client& client, const std::vector<std::string>& keys,
    absl::FunctionRef<void(const std::string& key, const absl::StatusOr<v1::GetResponse>& read)>
        visit) {
  absl::StatusOr<v1::MGetResponse> reply = client.MGet(keys);
  if (reply.ok()) {
    const std::map<int, absl::Status> errors = TakeKeyErrors(&*reply);
    for (int i = 0; i < reply->results_size(); ++i) {
      const auto error = errors.find(i);
      error == errors.end() ? visit(keys[i], reply->results(i)) : visit(keys[i], error->second);
    }
    return absl::OkStatus();
  }
  if (ReasonOf(reply.status()) != "REPLY_TOO_LARGE") return reply.status();
  if (keys.size() == 1) {
    const absl::StatusOr<v1::GetResponse> read = client.Get(keys.front());
    if (read.ok()) visit(keys.front(), *read);
    return read.status();
  }
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
  const absl::Status status = ReadKeys(client, {keys.begin(), middle}, visit);
  return status.ok() ? ReadKeys(client, {middle, keys.end()}, visit) : status;
}

void JsonResults::Begin() {
  if (on_ && !std::exchange(begun_, true)) PrintBytes("{\"results\":[");
}

void JsonResults::Add(const nlohmann::ordered_json& result) {
  if (!on_) return;
  Begin();
  if (std::exchange(any_, true)) PrintBytes(",");
  PrintBytes(JsonText(result));
}

JsonResults::~JsonResults() {
  if (begun_) PrintLine("]}");
}

}  // namespace ferrite::cli
