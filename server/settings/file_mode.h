#pragma once

#include <sys/types.h>

#include <string_view>

#include "absl/status/statusor.h"

namespace ferrite {

// Permissions as chmod takes them, in octal: "660", "0777". INVALID_ARGUMENT, with what is allowed
// in the text, for anything else.
absl::StatusOr<mode_t> ParseFileMode(std::string_view text);

}  // namespace ferrite
