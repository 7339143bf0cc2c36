#pragma once

#include <cstddef>

namespace ferrite {

// Raises the limit on descriptors as far as it goes; returns how many connections there may be, at
// most `wanted`.
size_t ConnectionLimit(size_t wanted);

}  // namespace ferrite
