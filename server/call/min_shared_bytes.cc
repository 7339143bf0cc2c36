#include "server/call/reply_writer.h"

#ifndef FERRITE_MIN_SHARED_BYTES  // bench/serving compares others
#define FERRITE_MIN_SHARED_BYTES (size_t{16} << 10)
#endif

namespace ferrite {

const size_t kMinSharedBytes = FERRITE_MIN_SHARED_BYTES;

}  // namespace ferrite
