#pragma once

// A file or pipe as a series of records: lines, or what lies between NULs.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace ferrite::cli {

// The longest record of a command's input: more than any value takes in any notation.
inline constexpr size_t kLongestRecord = 256 << 20;

// Reads with read(2), so that what a pipe has is seen at once, and holds no more than one record
// and a buffer. Not thread-safe.
class RecordReader {
 public:
  // `file` is an open descriptor, which the caller closes. Records have at most `most_bytes`.
  RecordReader(int file, char delimiter, size_t most_bytes);

  // The beginning of the input, up to 64 KiB: what a first read yields, without taking it.
  absl::StatusOr<std::string_view> Peek();

  void set_delimiter(char delimiter) { delimiter_ = delimiter; }

  // What to do before it waits for an input that has nothing at the moment.
  void set_on_idle(std::function<void()> on_idle) { on_idle_ = std::move(on_idle); }

  // The next record, without its delimiter, into `record`; the last one need not have any. False
  // at the end. DATA_LOSS if the input cannot be read, OUT_OF_RANGE if a record is too long,
  // CANCELLED once an InterruptFlag is set.
  absl::StatusOr<bool> Next(std::string* record);

  // How many records, and bytes, were taken.
  uint64_t records() const { return records_; }
  uint64_t bytes() const { return bytes_; }

 private:
  // Reads more into the buffer, which is used up. False at the end.
  absl::StatusOr<bool> Fill();

  const int file_;
  char delimiter_;
  const size_t most_bytes_;
  std::function<void()> on_idle_;
  std::string buffer_;
  std::string_view left_;  // of the buffer
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace ferrite::cli
