#pragma once

// Settings that do not go together although each is allowed.

#include "server/settings/flag_reader.h"
#include "server/settings/settings.h"

namespace ferrite {

// A request and a reply with a value of the largest size, keys and framing included.
uint64_t LargestCallBytes(uint64_t max_value_bytes);

// Complains to `*reader`, with the names of both flags, of what cannot be; adds to
// `settings->warnings` what can, but is hardly meant.
void CheckContradictions(FlagReader* reader, Settings* settings);

}  // namespace ferrite
