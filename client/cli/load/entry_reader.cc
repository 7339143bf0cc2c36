#include "client/cli/load/entry_reader.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/bytes.h"
#include "client/cli/duration.h"
#include "client/cli/load/csv.h"
#include "client/cli/options.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

absl::Status Bad(std::string_view what) {
  return absl::InvalidArgumentError(absl::string_view(what.data(), what.size()));
}

absl::Status CheckTtl(int64_t ttl_ms) {
  if (ttl_ms >= 1 && ttl_ms <= absl::ToInt64Milliseconds(kLongestTtl)) return absl::OkStatus();
  return Bad(absl::StrCat("a time to live of ", ttl_ms, " ms is not 1 ms to 100 years"));
}

absl::Status ReadTtl(std::string_view text, FileEntry* entry) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<absl::Duration> ttl = ParseDuration(text);
  if (!ttl.ok()) return ttl.status();
  entry->ttl_ms = absl::ToInt64Milliseconds(*ttl);
  return CheckTtl(*entry->ttl_ms);
}

// What the readers of lines share.
class LineReader : public EntryReader {
 public:
  explicit LineReader(RecordReader records) : records_(std::move(records)) {}

  absl::StatusOr<bool> Next(FileEntry* entry) override {
    while (true) {
      absl::StatusOr<bool> more = NextLine(&text_);
      if (!more.ok() || !*more) return more;
      line_ = records_.records();
      if (line_ == 1 && absl::StartsWith(text_, std::string(kByteOrderMark))) text_.erase(0, 3);
      if (text_.find_first_not_of(" \t\r") == std::string::npos) continue;
      *entry = FileEntry();
      const absl::StatusOr<bool> is_entry = Read(&text_, entry);
      if (!is_entry.ok()) return is_entry.status();
      if (*is_entry) return true;
    }
  }

  uint64_t line() const override { return line_; }
  uint64_t bytes() const override { return records_.bytes(); }

 protected:
  absl::StatusOr<bool> NextLine(std::string* text) { return records_.Next(text); }

  // Reads the entry that begins in `text`, a line that is not empty. False: it is none, and no
  // error either.
  virtual absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) = 0;

 private:
  RecordReader records_;
  std::string text_;
  uint64_t line_ = 0;
};

class JsonReader : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  static absl::Status ReadBytes(const Json& object, const char* name, std::string* bytes) {
    const auto field = object.find(name);
    if (field == object.end()) return Bad(absl::StrCat("it has no \"", name, "\""));
    if (field->is_string()) {
      *bytes = field->get_ref<const std::string&>();
      return absl::OkStatus();
    }
    const auto base64 = field->is_object() ? field->find("base64") : field->end();
    if (!field->is_object() || base64 == field->end() || !base64->is_string()) {
      return Bad(absl::StrCat("its \"", name, R"(" is neither a string nor {"base64": "..."})"));
    }
    absl::StatusOr<std::string> decoded =
        DecodeArgument(base64->get_ref<const std::string&>(), /*base64=*/true);
    if (!decoded.ok()) return decoded.status();
    *bytes = *std::move(decoded);
    return absl::OkStatus();
  }

  static absl::Status ReadTtlMs(const Json& object, FileEntry* entry) {
    const auto field = object.find("ttl_ms");
    if (field == object.end() || field->is_null()) return absl::OkStatus();
    int64_t ttl_ms = 0;
    const bool known = field->is_string()
                           ? absl::SimpleAtoi(field->get_ref<const std::string&>(), &ttl_ms)
                           : field->is_number_integer();
    if (!known) return Bad("its \"ttl_ms\" is no whole number");
    entry->ttl_ms = field->is_string() ? ttl_ms : field->get<int64_t>();
    return CheckTtl(*entry->ttl_ms);
  }

  absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) override {
    const Json object = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return Bad("it is no JSON object");
    const auto found = object.find("found");
    if (found != object.end() && *found == false) return Bad("it is a miss: there is no value");
    if (absl::Status status = ReadBytes(object, "key", &entry->key); !status.ok()) return status;
    if (absl::Status status = ReadBytes(object, "value", &entry->value); !status.ok()) {
      return status;
    }
    if (absl::Status status = ReadTtlMs(object, entry); !status.ok()) return status;
    return true;
  }
};

class CsvReader : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) override {
    absl::StatusOr<std::vector<std::string>> fields = SplitCsv(*text);
    std::string next;
    while (absl::IsUnavailable(fields.status())) {  // a quoted field goes on in the next line
      const absl::StatusOr<bool> more = NextLine(&next);
      if (!more.ok()) return more.status();
      if (!*more) return Bad("a quote is not closed");
      absl::StrAppend(text, "\n", next);
      if (text->size() > kMostCsvBytes) {
        return absl::OutOfRangeError("it is longer than 256 MiB, the limit");
      }
      fields = SplitCsv(*text);
    }
    if (!fields.ok()) return fields.status();
    if (line() == 1 && (*fields)[0] == "key" && fields->size() > 1 && (*fields)[1] == "value") {
      return false;
    }
    if (fields->size() != 2 && fields->size() != 3) {
      return Bad(
          absl::StrCat("it has ", fields->size(), " fields, not key,value or key,value,ttl"));
    }
    entry->key = std::move((*fields)[0]);
    entry->value = std::move((*fields)[1]);
    if (fields->size() == 3) {
      if (absl::Status status = ReadTtl((*fields)[2], entry); !status.ok()) return status;
    }
    return true;
  }

  static constexpr size_t kMostCsvBytes = 256 << 20;
};

class TsvReader : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) override {
    if (text->back() == '\r') text->pop_back();
    const std::vector<std::string> fields = absl::StrSplit(*text, '\t');
    if (fields.size() != 2 && fields.size() != 3) {
      return Bad(
          absl::StrCat("it has ", fields.size(), " fields, not a key, a value and perhaps a ttl"));
    }
    absl::StatusOr<std::string> key = FromDisplayText(fields[0]);
    if (!key.ok()) return key.status();
    absl::StatusOr<std::string> value = FromDisplayText(fields[1]);
    if (!value.ok()) return value.status();
    entry->key = *std::move(key);
    entry->value = *std::move(value);
    if (fields.size() == 3) {
      if (absl::Status status = ReadTtl(fields[2], entry); !status.ok()) return status;
    }
    return true;
  }
};

class NulReader : public EntryReader {
 public:
  explicit NulReader(RecordReader records) : records_(std::move(records)) {
    records_.set_delimiter('\0');
  }

  absl::StatusOr<bool> Next(FileEntry* entry) override {
    entry->ttl_ms.reset();
    absl::StatusOr<bool> more = records_.Next(&entry->key);
    if (!more.ok() || !*more) return more;
    line_ = records_.records();
    more = records_.Next(&entry->value);
    if (more.ok() && !*more) return Bad("the last key has no value");
    return more;
  }

  uint64_t line() const override { return line_; }
  uint64_t bytes() const override { return records_.bytes(); }

 private:
  RecordReader records_;
  uint64_t line_ = 0;
};

}  // namespace

std::string_view FormatOf(std::string_view file_name, std::string_view beginning) {
  const std::string_view ending =
      file_name.substr(std::min(file_name.rfind('.'), file_name.size()));
  if (ending == ".json" || ending == ".jsonl" || ending == ".ndjson") return "json";
  if (ending == ".csv") return "csv";
  if (ending == ".tsv") return "tsv";
  if (beginning.substr(0, 3) == kByteOrderMark) beginning.remove_prefix(3);
  if (beginning.find('\0') != std::string_view::npos) return "nul";
  if (beginning.substr(0, 1) == "{") return "json";
  const std::string_view line = beginning.substr(0, beginning.find('\n'));
  if (line.find('\t') != std::string_view::npos) return "tsv";
  if (line.find(',') != std::string_view::npos) return "csv";
  return "";
}

std::unique_ptr<EntryReader> MakeEntryReader(std::string_view format, RecordReader records) {
  if (format == "csv") return std::make_unique<CsvReader>(std::move(records));
  if (format == "tsv") return std::make_unique<TsvReader>(std::move(records));
  if (format == "nul") return std::make_unique<NulReader>(std::move(records));
  return std::make_unique<JsonReader>(std::move(records));
}

}  // namespace ferrite::cli
