#include "client/cli/load/entry_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/bytes.h"
#include "client/cli/load/csv.h"
#include "client/cli/load/file_kind.h"
#include "client/cli/load/json_reader.h"
#include "client/cli/load/line_reader.h"

namespace ferrite::cli {
namespace {

class CsvReader : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) override {
    CsvRecord record;
    absl::StatusOr<bool> complete = record.Add(*text);
    while (complete.ok() && !*complete) {  // a quoted field goes on in the next line
      const absl::StatusOr<bool> more = NextLine(text);
      if (!more.ok()) return more.status();
      if (!*more) return NoEntry("a quote is not closed");
      complete = record.Add(*text);
      if (record.bytes() > kLongestRecord) {
        return absl::OutOfRangeError(
            absl::StrCat("it is longer than ", kLongestRecord, " bytes, the limit"));
      }
    }
    if (!complete.ok()) return complete.status();
    std::vector<std::string>& fields = record.fields();
    if (line() == 1 && fields[0] == "key" && fields.size() > 1 && fields[1] == "value") {
      return false;
    }
    if (fields.size() != 2 && fields.size() != 3) {
      return NoEntry(
          absl::StrCat("it has ", fields.size(), " fields, not key,value or key,value,ttl"));
    }
    entry->key = std::move(fields[0]);
    entry->value = std::move(fields[1]);
    if (fields.size() == 3) {
      if (absl::Status status = ReadTtl(fields[2], entry); !status.ok()) return status;
    }
    return true;
  }
};

class TsvReader : public LineReader {
 public:
  using LineReader::LineReader;

 private:
  absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) override {
    if (text->back() == '\r') text->pop_back();
    const std::vector<std::string> fields = absl::StrSplit(*text, '\t');
    if (fields.size() != 2 && fields.size() != 3) {
      return NoEntry(
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
    if (more.ok() && !*more) return NoEntry("the last key has no value");
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
  if (beginning.find('\0') != std::string_view::npos)
    return HasKeysBetweenNuls(beginning) ? "nul" : "";
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
  return MakeJsonReader(std::move(records));
}

}  // namespace ferrite::cli
