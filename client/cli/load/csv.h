#pragma once

// Records of comma-separated values, as RFC 4180 has them.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite::cli {

// One record, line by line: a field in quotes may have line feeds. Looks at every byte once.
class CsvRecord {
 public:
  // Takes the next line, without its line feed; a carriage return at the end of the record is not
  // part of it. Returns whether the record is complete, or goes on in the next line as this one
  // ends within quotes. INVALID_ARGUMENT: a quote is where none may be.
  absl::StatusOr<bool> Add(std::string_view line);

  // How many bytes the lines had.
  size_t bytes() const { return bytes_; }

  // What a complete record has.
  std::vector<std::string>& fields() { return fields_; }

 private:
  enum class State { kStart, kPlain, kQuoted, kAfterQuote };

  absl::Status Take(char c);

  std::vector<std::string> fields_ = std::vector<std::string>(1);
  State state_ = State::kStart;  // of the last field
  size_t bytes_ = 0;
};

}  // namespace ferrite::cli
