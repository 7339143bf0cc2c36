#pragma once

#include "absl/status/status.h"
#include "client/options.h"

namespace ferrite {

// INVALID_ARGUMENT, with the option and its range in the message, if an option is out of range.
absl::Status CheckOptions(const ClientOptions& options);

}  // namespace ferrite
