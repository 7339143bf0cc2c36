#pragma once

#include <cstddef>

#include "absl/status/status.h"

namespace ferrite {

// Raises the limit on descriptors as far as it goes. RESOURCE_EXHAUSTED, with the limit, if there
// are fewer left than gRPC needs, which ends the process where it has too few.
absl::Status RaiseDescriptorLimit();

// After that. Returns how many connections there may be, at
// most `wanted`.
size_t ConnectionLimit(size_t wanted);

}  // namespace ferrite
