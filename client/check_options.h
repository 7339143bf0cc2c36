#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/options.h"

namespace ferrite {

// INVALID_ARGUMENT, with the option and its range in the message, if an option is out of range.
absl::Status CheckOptions(const ClientOptions& options);

// INVALID_ARGUMENT if it is no name of a namespace, nor empty; the option is called name_space.
absl::Status CheckNamespace(const std::string& name);

// INVALID_ARGUMENT if it is no address that a client can call.
absl::Status CheckAddress(const std::string& address);

}  // namespace ferrite
