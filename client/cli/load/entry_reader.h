#pragma once

// Files of entries, in the formats that `ferrite load` reads.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/records.h"

namespace ferrite::cli {

// An entry as a file has it.
struct FileEntry {
  std::string key;
  std::string value;
  std::optional<int64_t> ttl_ms;
};

// Reads one entry after the other. Not thread-safe.
class EntryReader {
 public:
  virtual ~EntryReader() = default;

  // The next entry; false at the end. INVALID_ARGUMENT: the record is no entry, and reading may go
  // on after it. Any other error ends the reading.
  virtual absl::StatusOr<bool> Next(FileEntry* entry) = 0;

  // The line, or with NULs the record, at which the last entry began, from 1.
  virtual uint64_t line() const = 0;

  // How many bytes were read so far.
  virtual uint64_t bytes() const = 0;
};

// The formats by name:
//   json  an object per line, as `scan --json --values` and `get --json` print them
//   csv   key,value[,ttl] with quotes as in RFC 4180; a first line key,value[,ttl] is a heading
//   tsv   key, value and possibly ttl between tabs, with the escapes that scan prints
//   nul   key NUL value NUL, as `scan --null --values` prints them
// A ttl is a duration such as 30s; empty: none.
//
// Empty if `beginning`, the first bytes of the input, does not tell.
std::string_view FormatOf(std::string_view file_name, std::string_view beginning);

// A reader of `format`, one of the above, for the open descriptor `file`, which the caller closes.
// Records have at most 256 MiB.
std::unique_ptr<EntryReader> MakeEntryReader(std::string_view format, RecordReader records);

}  // namespace ferrite::cli
