#pragma once

#include <cstddef>

#include "absl/status/status.h"

namespace ferrite {

// How many connections there may be at a time beside those of clients: of those for whom there is
// no place (Doorman), of this machine and of others, and of HTTP.
struct KeptPlaces {
  size_t local_guests = 16;
  size_t remote_guests = 48;
  size_t http = 32;
  size_t files = 16;  // for logs, /proc and gRPC's own

  size_t descriptors() const { return local_guests + remote_guests + http + files; }
};

// Of a process that may have so many descriptors: fewer where there are few, so that clients get
// most of those.
KeptPlaces PlacesWithin(size_t descriptors);

// Of this process, when its limit is as high as it goes.
KeptPlaces PlacesKept();

// Raises the limit on descriptors as far as it goes. RESOURCE_EXHAUSTED, with the limit, if there
// are fewer left than gRPC needs, which ends the process where it has too few.
absl::Status RaiseDescriptorLimit();

// How many connections there may be after that, at most `wanted`.
size_t ConnectionLimit(size_t wanted);

}  // namespace ferrite
