#pragma once

// Records of comma-separated values, as RFC 4180 has them.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite::cli {

// The fields of a record; a carriage return at its end is not part of it. UNAVAILABLE: the record
// ends within quotes, so that it goes on in the next line. INVALID_ARGUMENT: a quote is where none
// may be.
absl::StatusOr<std::vector<std::string>> SplitCsv(std::string_view record);

}  // namespace ferrite::cli
