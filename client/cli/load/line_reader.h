#pragma once

// What the readers of entries that are lines share.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/load/entry_reader.h"
#include "client/cli/records.h"

namespace ferrite::cli {

// What a spreadsheet puts in front of a file.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// INVALID_ARGUMENT: the record is no entry.
absl::Status NoEntry(std::string_view why);

// INVALID_ARGUMENT unless a server would take it.
absl::Status CheckTtl(int64_t ttl_ms);

// Reads a duration such as 30s into the entry; empty: none.
absl::Status ReadTtl(std::string_view text, FileEntry* entry);

// Leaves out blank lines, and a byte order mark at the beginning.
class LineReader : public EntryReader {
 public:
  explicit LineReader(RecordReader records) : records_(std::move(records)) {}

  absl::StatusOr<bool> Next(FileEntry* entry) override;
  uint64_t line() const override { return line_; }
  uint64_t bytes() const override { return records_.bytes(); }

 protected:
  absl::StatusOr<bool> NextLine(std::string* text) { return records_.Next(text); }

  // Reads the entry that begins in `text`, a line that is not blank. False: it is none, and no
  // error either.
  virtual absl::StatusOr<bool> Read(std::string* text, FileEntry* entry) = 0;

 private:
  RecordReader records_;
  std::string text_;
  uint64_t line_ = 0;
};

}  // namespace ferrite::cli
